"""What moderators work with besides the comments: scores to sort by, named queues, notes, standings of authors."""

from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from moderation.store.tables import Base, Id, only_where


class HeldScore(Base):
    """What the classifier said of a comment that was held, one row an attribute.

    `ruled` is what people made of it (approve, reject); None while it waits. `unread` is what a batch by score decided
    without anybody reading the comment: it measures nothing.
    """

    __tablename__ = "held_scores"
    __table_args__ = (
        Index("ix_held_scores_order", "site_id", "attribute", "ruled", "score", "comment_id"),
        Index(
            "ix_held_scores_waiting",
            "site_id",
            "attribute",
            text("score DESC"),
            "comment_id",
            **only_where("ruled IS NULL"),
        ),
    )
    comment_id: Mapped[str] = mapped_column(ForeignKey("comments.id"), primary_key=True)
    attribute: Mapped[str] = mapped_column(String(32), primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    score: Mapped[float]
    ruled: Mapped[str | None] = mapped_column(String(16))


class SavedQueue(Base):
    """A filter of the queue under a name; `shared` shows it to all moderators of the site."""

    __tablename__ = "saved_queues"
    __table_args__ = (Index("ix_saved_queues_site", "site_id", "name"),)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    moderator_id: Mapped[str] = mapped_column(ForeignKey("moderators.id"))
    name: Mapped[str]
    filter: Mapped[dict[str, Any]]
    shared: Mapped[bool]
    created_at: Mapped[int]


class Note(Base):
    """What moderators tell each other about an author (`subject` is the author key) or a comment (its id)."""

    __tablename__ = "notes"
    __table_args__ = (Index("ix_notes_subject", "site_id", "subject", "id"),)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    subject: Mapped[str] = mapped_column(String(64))
    moderator_id: Mapped[str] = mapped_column(ForeignKey("moderators.id"))
    text: Mapped[str]
    created_at: Mapped[int]


class Presence(Base):
    """The comment that a moderator has before their eyes, as their browser last said; one row a person and site."""

    __tablename__ = "presences"
    moderator_id: Mapped[str] = mapped_column(ForeignKey("moderators.id"), primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    comment_id: Mapped[str] = mapped_column(Id)
    seen_at: Mapped[int]


class AuthorStanding(Base):
    """What a moderator said of an author once for all: hold, ban or trust; `until` None has no end."""

    __tablename__ = "author_standings"
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    author_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    standing: Mapped[str] = mapped_column(String(8))
    until: Mapped[int | None]
    set_by: Mapped[str | None] = mapped_column(Id)
    set_at: Mapped[int]


class Batch(Base):
    """One decision on all comments that waited in a range of scores when it was begun.

    `items` are those comments as [id, version], emptied once it is done; `looks` are the few that must be looked at
    before, as {"id", "answer"} with the answer right, wrong or None. `state` is open, done or undone; `done` counts
    what was decided, as the decisions with `decided_as` as their batch. `left_out` counts what was not, by why.
    """

    __tablename__ = "batches"
    __table_args__ = (Index("ix_batches_moderator", "moderator_id", "state"),)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    moderator_id: Mapped[str] = mapped_column(ForeignKey("moderators.id"))
    attribute: Mapped[str] = mapped_column(String(32))
    low: Mapped[float]
    high: Mapped[float]
    article: Mapped[str | None]
    section: Mapped[str | None]
    action: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None]
    note: Mapped[str | None]
    items: Mapped[list[Any]]
    looks: Mapped[list[Any]]
    left_out: Mapped[dict[str, Any]]
    expected: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(8))
    done: Mapped[int]
    decided_as: Mapped[str | None] = mapped_column(Id)
    created_at: Mapped[int]
