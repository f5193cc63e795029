"""What moderators said of an author once for all, and who may say it. Pure."""

from enum import StrEnum

from moderation.domain.lifecycle import Role


class Standing(StrEnum):
    """How an author stands at a site."""

    HOLD = "hold"
    BAN = "ban"
    TRUST = "trust"


# Holding loses nothing; a ban silences somebody, and trust lets things through unread.
MAY_SET = {Standing.HOLD: Role.MODERATOR, Standing.BAN: Role.SENIOR, Standing.TRUST: Role.SENIOR}


def may_set(role: Role, standing: Standing | None) -> bool:
    """Whether this role may give, or lift, this standing; None is no standing."""
    return standing is None or role.includes(MAY_SET[standing])


def in_force(standing: Standing, until: int | None, now: int) -> Standing | None:
    """The standing while its time lasts; `until` None has no end."""
    return standing if until is None or until > now else None
