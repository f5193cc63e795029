"""The one place where a reader's address becomes what is kept of it."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from moderation.domain.address import hashed
from moderation.services.intake import NewComment
from moderation.services.options import options_of


def kept(session: Session, site_id: str, secret_key: str, comments: Sequence[NewComment]) -> list[NewComment]:
    """These comments with their addresses as keyed hashes, unless the site chose `keep_ip`."""
    if not any(comment.ip for comment in comments) or options_of(session, site_id).keep_ip:
        return list(comments)
    return [
        replace(comment, ip=hashed(secret_key, site_id, comment.ip)) if comment.ip else comment for comment in comments
    ]
