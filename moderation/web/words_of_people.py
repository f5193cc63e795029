"""Roles in words."""

from flask_babel import lazy_gettext as marked

from moderation.domain.lifecycle import Role

ROLE_WORDS = {Role.MODERATOR: marked("Moderator"), Role.SENIOR: marked("Senior"), Role.ADMIN: marked("Admin")}
