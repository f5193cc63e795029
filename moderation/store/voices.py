"""What readers and authors say back: reports of a comment, and appeals against a decision."""

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from moderation.store.tables import Base, Id, only_where


class Report(Base):
    """A reader says that a comment breaks the rules. One decision on the comment closes all that are open.

    `reporter_key` is a hash of who it is to the site (or of the address, for a reader without a name there);
    `reporter` is what the site calls them, to be handed back with the outcome (never an e-mail address). `outcome` is
    one of domain.voices; `decision_id` is what closed it, `event_id` what told the site so.
    """

    __tablename__ = "reports"
    __table_args__ = (
        UniqueConstraint("comment_id", "revision", "reporter_key"),
        Index("ix_reports_open", "site_id", "comment_id", **only_where("outcome IS NULL")),
        Index("ix_reports_decision", "decision_id", **only_where("decision_id IS NOT NULL")),
        Index("ix_reports_reporter", "site_id", "reporter_key", "outcome"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    comment_id: Mapped[str] = mapped_column(ForeignKey("comments.id"))
    revision: Mapped[int]
    reporter_key: Mapped[str] = mapped_column(String(64))
    reporter: Mapped[str | None]
    reason: Mapped[str] = mapped_column(String(32))
    text: Mapped[str | None]
    created_at: Mapped[int]
    outcome: Mapped[str | None] = mapped_column(String(16))
    closed_at: Mapped[int | None]
    decision_id: Mapped[str | None] = mapped_column(Id)
    event_id: Mapped[str | None] = mapped_column(Id)


class Appeal(Base):
    """An author asks for a second look at a rejection, once for each. `outcome` is one of domain.voices.

    `decision_id` is the rejection as it was first made; `ruling_id` is the decision that settled the appeal, if one
    did, and `event_id` what told the site so.
    """

    __tablename__ = "appeals"
    __table_args__ = (
        UniqueConstraint("decision_id"),
        Index("ix_appeals_open", "site_id", "id", **only_where("outcome IS NULL")),
        Index("ix_appeals_comment", "comment_id"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    comment_id: Mapped[str] = mapped_column(ForeignKey("comments.id"))
    decision_id: Mapped[str] = mapped_column(ForeignKey("decisions.id"))
    text: Mapped[str]
    created_at: Mapped[int]
    outcome: Mapped[str | None] = mapped_column(String(16))
    answer: Mapped[str | None]
    answered_by: Mapped[str | None] = mapped_column(Id)
    answered_at: Mapped[int | None]
    ruling_id: Mapped[str | None] = mapped_column(Id)
    event_id: Mapped[str | None] = mapped_column(Id)
