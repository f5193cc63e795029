"""What is known against floods and spam: fingerprints of recent texts, and domains that nobody should link to."""

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from moderation.store.tables import Base, Id


class Fingerprint(Base):
    """One band of a recent comment's fingerprint: texts that share a band are nearly alike, as a rule.

    Kept for as long as a policy looks back, then forgotten; `band` holds its number and its bits.
    """

    __tablename__ = "fingerprints"
    __table_args__ = (Index("ix_fingerprints_band", "site_id", "band", "at"), Index("ix_fingerprints_at", "at"))
    comment_id: Mapped[str] = mapped_column(ForeignKey("comments.id"), primary_key=True)
    band: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    at: Mapped[int]


class BadDomain(Base):
    """A domain (with all below it) that an operator loaded; `site_id` empty means for every site."""

    __tablename__ = "bad_domains"
    site_id: Mapped[str] = mapped_column(Id, primary_key=True)
    domain: Mapped[str] = mapped_column(String(253), primary_key=True)
    added_at: Mapped[int]
