"""What readers see under an article: approved comments as plain text, oldest first."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from moderation.domain.lifecycle import Status
from moderation.services.intake import article_id
from moderation.services.plain_text import plain_text
from moderation.services.views import iso
from moderation.store.tables import Comment


def thread(session: Session, site_id: str, article_url: str) -> list[dict[str, Any]]:
    """Approved comments of an article; a reply names its parent only where readers can see that too."""
    parent = aliased(Comment)
    article = article_id(site_id, article_url)
    rows = session.execute(
        select(Comment.id, Comment.author_name, Comment.body, Comment.format, Comment.created_at,
               parent.id.label("parent_id"))
        .outerjoin(parent, (parent.site_id == site_id) & (parent.external_id == Comment.parent_external_id)
                   & (parent.article_id == article) & (parent.status == Status.APPROVED))
        .where(Comment.article_id == article, Comment.status == Status.APPROVED)
        .order_by(Comment.created_at, Comment.id)
    )  # fmt: skip
    return [
        {"id": row.id, "author_name": row.author_name, "body": plain_text(row.body, row.format).text.strip(),
         "created_at": iso(row.created_at), "parent_id": row.parent_id}
        for row in rows
    ]  # fmt: skip
