"""People who moderate: who they are, for which sites, how they come in, and where they are signed in."""

from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from moderation.store.tables import Base, Id


class Moderator(Base):
    """A person. The password is kept as an argon2 hash; None where they sign in elsewhere only (`oidc_subject`).

    `settings` are their own choices for the pages (services.preferences).
    """

    __tablename__ = "moderators"
    __table_args__ = (UniqueConstraint("email"), UniqueConstraint("oidc_subject"))
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str | None]
    oidc_subject: Mapped[str | None]
    settings: Mapped[dict[str, Any]]
    created_at: Mapped[int]


class Membership(Base):
    """What a person may do at a site; gone when they leave it. `seen_at` is when they last worked there."""

    __tablename__ = "memberships"
    moderator_id: Mapped[str] = mapped_column(ForeignKey("moderators.id"), primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[int]
    seen_at: Mapped[int | None]


class SignIn(Base):
    """A session of the pages or a token of the moderators' API, by the SHA-256 of its secret.

    `id` names it to its owner; `site_id` is the site they work on there; `kind` is session or token; `agent` says in
    two words with what.
    """

    __tablename__ = "sign_ins"
    __table_args__ = (UniqueConstraint("id"),)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    id: Mapped[str] = mapped_column(Id)
    moderator_id: Mapped[str] = mapped_column(ForeignKey("moderators.id"), index=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"))
    kind: Mapped[str] = mapped_column(String(8))
    agent: Mapped[str | None]
    created_at: Mapped[int]
    seen_at: Mapped[int]
    expires_at: Mapped[int]


class Invitation(Base):
    """A one-time link, by the SHA-256 of its secret: to join a site (`kind` join), or to set a new password (reset)."""

    __tablename__ = "invitations"
    __table_args__ = (UniqueConstraint("id"),)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    id: Mapped[str] = mapped_column(Id)
    kind: Mapped[str] = mapped_column(String(8))
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.id"), index=True)
    email: Mapped[str]
    role: Mapped[str] = mapped_column(String(16))
    made_by: Mapped[str | None] = mapped_column(Id)
    created_at: Mapped[int]
    expires_at: Mapped[int]
    used_at: Mapped[int | None]
