"""What must outlive an erasure: that it was made, so that a backup from before can't bring the author back."""

from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from moderation.store.tables import Base, Id


class Erasure(Base):
    """An author who was erased up to this time, as a keyed hash; who they were can't be read off it."""

    __tablename__ = "erasures"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"), index=True)
    author_hash: Mapped[str] = mapped_column(String(64))
    erased_at: Mapped[int]
    actor: Mapped[str | None]


class Erasing(Base):
    """An erasure that is not done yet: whom it looks for, by the hashed keys of their comments and of their reports."""

    __tablename__ = "erasing"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    keys: Mapped[list[Any]]
    reporter_keys: Mapped[list[Any]]
    until: Mapped[int]
    actor: Mapped[str | None]


class GoneThrough(Base):
    """How far a site's rows have been gone through for one task of retention: the last id, which begins with a time."""

    __tablename__ = "gone_through"
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    task: Mapped[str] = mapped_column(String(16), primary_key=True)
    upto: Mapped[str] = mapped_column(Id)
