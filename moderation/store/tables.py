"""The tables. Times are integer milliseconds since 1970 UTC; ids are 32 lower-case hex digits, oldest first."""

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, MetaData, String, Text, UniqueConstraint, false, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeEngine

Id = String(32)
Json: TypeEngine[Any] = JSON().with_variant(JSONB(), "postgresql")


def only_where(condition: str) -> dict[str, Any]:
    """What makes an index hold only the rows that meet this, in both dialects."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class Base(DeclarativeBase):
    """Base of all tables; `int` means 64 bits everywhere, for times are milliseconds."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {int: BigInteger, str: Text, dict[str, Any]: Json, list[Any]: Json}


class Site(Base):
    """A publisher: its keys, policy, webhook, and what it chose for the drop-in interfaces (services.options).

    `coral_secrets` are those that its Coral signs with, the newest first; more than one while they are changed.
    With `hold_all` every new comment is held, on all articles. The former webhook secret signs, too, until its end.
    """

    __tablename__ = "sites"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str]
    created_at: Mapped[int]
    webhook_url: Mapped[str | None]
    webhook_secret: Mapped[str | None]
    publishable_key: Mapped[str] = mapped_column(String(63), unique=True)
    origins: Mapped[list[Any]]
    options: Mapped[dict[str, Any]]
    coral_secrets: Mapped[list[Any]]
    hold_all: Mapped[bool] = mapped_column(server_default=false())
    former_webhook_secret: Mapped[str | None]
    former_webhook_secret_until: Mapped[int | None]


class SiteKey(Base):
    """A key of a site's own programs; only its SHA-256 is kept (the key itself has 190 random bits).

    From `expires_at` on it opens nothing any more; None: it has no end. `used_at` is right to the hour.
    """

    __tablename__ = "site_keys"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"), index=True)
    scopes: Mapped[list[Any]]
    created_at: Mapped[int]
    expires_at: Mapped[int | None]
    used_at: Mapped[int | None]


class Policy(Base):
    """One version of a site's policy; a version is never edited."""

    __tablename__ = "policies"
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    document: Mapped[dict[str, Any]]
    created_at: Mapped[int]
    actor: Mapped[str | None]
    note: Mapped[str | None]


class Article(Base):
    """What the comments are about; the id is derived from site and address.

    From `closed_at` on comments are refused; with `hold_all` every new one is held. `slow_seconds` is how long one
    author waits between two comments there.
    """

    __tablename__ = "articles"
    __table_args__ = (UniqueConstraint("site_id", "url"), Index("ix_articles_section", "site_id", "section", "id"))
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    url: Mapped[str]
    title: Mapped[str | None]
    lead: Mapped[str | None]
    section: Mapped[str | None]
    published_at: Mapped[int | None]
    closed_at: Mapped[int | None]
    hold_all: Mapped[bool]
    slow_seconds: Mapped[int | None]


class Comment(Base):
    """A reader's comment as it stands now, with its place in the queues.

    `version` counts every change; a moderator's ruling names the one it saw. `attempts` counts failures of the
    classifier on this comment alone, and the times that it was put back because there had been no classifier.
    `risk` is the verdict's, 0..1, and orders the review queue. `language` is what the text was found to be in.
    `trapped` says that a field was filled in which people don't see. `deaths` counts leases that nobody ended: their
    holders died, or were not heard of again.
    """

    __tablename__ = "comments"
    __table_args__ = (
        UniqueConstraint("site_id", "external_id"),
        Index("ix_comments_pending", "received_at", **only_where("status = 'pending'")),
        Index("ix_comments_queue_risk", "site_id", "status", text("risk DESC"), "id"),
        Index("ix_comments_held_doubt", "site_id", text("abs(risk - 0.5)"), "id", **only_where("status = 'held'")),
        Index("ix_comments_held_language", "site_id", "language", "id", **only_where("status = 'held'")),
        Index("ix_comments_held_author", "site_id", "author_name", "id", **only_where("status = 'held'")),
        Index(
            "ix_comments_escalated",
            "site_id",
            "status",
            "id",
            sqlite_where=text("escalated = 1"),
            postgresql_where=text("escalated"),
        ),
        Index("ix_comments_queue_age", "site_id", "status", "id"),
        Index("ix_comments_article", "article_id", "status", "id"),
        Index("ix_comments_author", "site_id", "author_key", "status"),
        Index("ix_comments_author_recent", "site_id", "author_key", "id"),
        Index("ix_comments_parent", "site_id", "parent_external_id", **only_where("parent_external_id IS NOT NULL")),
        Index("ix_comments_ip", "site_id", "ip", "id", **only_where("ip IS NOT NULL")),
        Index("ix_comments_claim", "claimed_by", "claimed_until"),
        Index(
            "ix_comments_assigned", "site_id", "assigned_to", "status", "id", **only_where("assigned_to IS NOT NULL")
        ),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    external_id: Mapped[str]
    article_id: Mapped[str] = mapped_column(ForeignKey("articles.id"))
    parent_external_id: Mapped[str | None]
    author_name: Mapped[str]
    author_email: Mapped[str | None]
    author_url: Mapped[str | None]
    author_id: Mapped[str | None]
    author_key: Mapped[str] = mapped_column(String(64))
    ip: Mapped[str | None]
    user_agent: Mapped[str | None]
    body: Mapped[str]
    format: Mapped[str] = mapped_column(String(8))
    revision: Mapped[int]
    status: Mapped[str] = mapped_column(String(16))
    version: Mapped[int]
    created_at: Mapped[int]
    received_at: Mapped[int]
    attempts: Mapped[int]
    imported_status: Mapped[str | None] = mapped_column(String(16))
    lease_owner: Mapped[str | None]
    lease_until: Mapped[int | None]
    decision_id: Mapped[str | None] = mapped_column(Id)
    decided_at: Mapped[int | None]
    risk: Mapped[float]
    escalated: Mapped[bool]
    language: Mapped[str | None] = mapped_column(String(8))
    assigned_to: Mapped[str | None] = mapped_column(Id)
    claimed_by: Mapped[str | None] = mapped_column(Id)
    claimed_until: Mapped[int | None]
    trapped: Mapped[bool] = mapped_column(server_default=false())
    deaths: Mapped[int] = mapped_column(server_default="0")


class Revision(Base):
    """The text of a comment before an edit."""

    __tablename__ = "revisions"
    comment_id: Mapped[str] = mapped_column(ForeignKey("comments.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str]
    format: Mapped[str] = mapped_column(String(8))
    replaced_at: Mapped[int]


class Decision(Base):
    """A verdict, a ruling or an undo; never changed, the newest one stands.

    At most one by the policy for each comment and revision: the database itself refuses a second. Only a verdict
    without scores may be followed by another, which names it in `replaces`; that too is refused a second time.
    """

    __tablename__ = "decisions"
    __table_args__ = (
        Index("uq_decisions_one_verdict", "comment_id", "revision", unique=True,
              **only_where("source = 'policy' AND replaces IS NULL")),
        Index("uq_decisions_one_rescoring", "replaces", unique=True,
              **only_where("source = 'policy' AND replaces IS NOT NULL")),
        Index("ix_decisions_not_scored", "comment_id", **only_where("source = 'policy' AND scorer IS NULL")),
        Index("ix_decisions_actor", "actor", "id"),
        Index("ix_decisions_comment", "comment_id", "id"),
        Index("ix_decisions_figures", "site_id", "source", "action", "decided_at", "replaces", "undoes"),
        Index("ix_decisions_undoes", "undoes", **only_where("undoes IS NOT NULL")),
    )  # fmt: skip
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    comment_id: Mapped[str] = mapped_column(ForeignKey("comments.id"))
    revision: Mapped[int]
    action: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(16))
    actor: Mapped[str | None]
    reason: Mapped[str | None]
    note: Mapped[str | None]
    decided_at: Mapped[int]
    policy_version: Mapped[int | None]
    scorer: Mapped[str | None]
    scores: Mapped[dict[str, Any]]
    signals: Mapped[list[Any]]
    replaces: Mapped[str | None] = mapped_column(Id)
    undoes: Mapped[str | None] = mapped_column(Id)
    batch: Mapped[str | None] = mapped_column(Id)


class HoldReason(Base):
    """Why a comment is held, one row a rule, for the filters of the queue."""

    __tablename__ = "hold_reasons"
    __table_args__ = (
        Index("ix_hold_reasons_rule", "site_id", "rule", "comment_id"),
        Index("ix_hold_reasons_attribute", "site_id", "attribute", "comment_id"),
    )
    comment_id: Mapped[str] = mapped_column(ForeignKey("comments.id"), primary_key=True)
    rule: Mapped[str] = mapped_column(String(64), primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    attribute: Mapped[str | None] = mapped_column(String(32))
    score: Mapped[float | None]


class Event(Base):
    """The outbox: what a site must hear. `position` is given at release, by one publisher at a time."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_feed", "site_id", "position"),
        Index("ix_events_comment", "comment_id", "id"),
        Index("ix_events_waiting", "release_at", "id", **only_where("position IS NULL")),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    comment_id: Mapped[str] = mapped_column(ForeignKey("comments.id"))
    decision_id: Mapped[str | None] = mapped_column(Id, unique=True)
    type: Mapped[str] = mapped_column(String(32))
    occurred_at: Mapped[int]
    release_at: Mapped[int]
    position: Mapped[int | None] = mapped_column(unique=True)
    webhook: Mapped[bool]
    data: Mapped[dict[str, Any]]


class Feed(Base):
    """The last position given; its single row is the lock of the publishers."""

    __tablename__ = "feed"
    id: Mapped[int] = mapped_column(primary_key=True)
    last_position: Mapped[int]


class Delivery(Base):
    """One event on its way to a site's webhook. `next_at` is None once it is over."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("ix_deliveries_due", "next_at"),
        Index("ix_deliveries_way", "site_id", "event_id", **only_where("next_at IS NOT NULL")),
    )
    event_id: Mapped[str] = mapped_column(ForeignKey("events.id"), primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    attempts: Mapped[int]
    next_at: Mapped[int | None]
    delivered_at: Mapped[int | None]
    last_status: Mapped[int | None]
    last_error: Mapped[str | None]


class WorkerState(Base):
    """The last sign of life of each worker, and how its classifier is."""

    __tablename__ = "workers"
    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    seen_at: Mapped[int]
    scorer: Mapped[str]
    scorer_error: Mapped[str | None]
