"""What the drop-in interfaces were asked, and what a site's people said of texts; no comment is made of either."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, Row, String, UniqueConstraint, case, func, select, true
from sqlalchemy import cast as cast_to
from sqlalchemy.orm import Mapped, Session, mapped_column

from moderation.store.tables import Base, Id


class Check(Base):
    """A text that a drop-in interface asked about and that made no comment; kept to match later feedback.

    `match` is a keyed hash of what was checked. `text` stands only where the site chose so and the caller did not
    forbid it. `blog` and `answer` (spam, ham) are set where the interface knows them.
    """

    __tablename__ = "checks"
    __table_args__ = (Index("ix_checks_match", "site_id", "match"), Index("ix_checks_at", "at"))
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    interface: Mapped[str] = mapped_column(String(16))
    at: Mapped[int]
    match: Mapped[str] = mapped_column(String(64))
    scorer: Mapped[str | None]
    scores: Mapped[dict[str, Any]]
    outcome: Mapped[str] = mapped_column(String(16))
    text: Mapped[str | None]
    blog: Mapped[str | None]
    answer: Mapped[str | None] = mapped_column(String(8))


class Example(Base):
    """A text that somebody at the site labelled: feedback that arrived by a drop-in interface.

    One row for each `origin` (what the caller names it by), the newest labels standing. `labels` are 0..1 by
    attribute; `context` is what the caller said of the comment (its address and ids), never a person's data.
    """

    __tablename__ = "examples"
    __table_args__ = (UniqueConstraint("site_id", "interface", "origin"), Index("ix_examples_site", "site_id", "id"))
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    interface: Mapped[str] = mapped_column(String(16))
    origin: Mapped[str] = mapped_column(String(64))
    match: Mapped[str] = mapped_column(String(64))
    text: Mapped[str]
    labels: Mapped[dict[str, Any]]
    languages: Mapped[list[Any]]
    context: Mapped[dict[str, Any]]
    created_at: Mapped[int]
    updated_at: Mapped[int]


def label_counts(session: Session, site_id: str, likely: float) -> Sequence[Row[str, str, int, int]]:
    """(interface, attribute, labels, labels of at least `likely`) of a site's examples."""
    each = func.jsonb_each if session.get_bind().dialect.name == "postgresql" else func.json_each
    labels = each(Example.labels).table_valued("key", "value")
    value = cast_to(cast_to(labels.c.value, String), Float)
    yes = func.sum(case((value >= likely, 1), else_=0))
    query = (
        select(Example.interface, labels.c.key, func.count(), yes).join(labels, true())
        .where(Example.site_id == site_id).group_by(Example.interface, labels.c.key)
    )  # fmt: skip
    return session.execute(query).all()
