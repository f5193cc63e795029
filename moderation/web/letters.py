"""Links for people: sent to them by mail where there is a mail server, else handed over by whoever made them."""

from flask import request
from flask_babel import gettext as _

from moderation.http import service
from moderation.services import mail


def address_of(path: str) -> str:
    """The public address of a path here."""
    return (service().settings.base_url or request.host_url).rstrip("/") + path


def sent(to: str, subject: str, text: str) -> bool:
    """Whether the letter went out; False without a mail server, too."""
    server = mail.server_of(service().settings)
    if server is None:
        return False
    try:
        mail.send(server, to, subject, text)
    except mail.NotSent:
        return False
    return True


def invitation(site: str, link: str, by: str) -> tuple[str, str]:
    """(subject, text) of an invitation."""
    text = _(
        "%(by)s invites you to moderate the comments of %(site)s.\n\n"
        "Open this link within 7 days to join. It works once:\n\n%(link)s\n\n"
        "If you did not expect this, you can ignore it.\n", by=by, site=site, link=link,
    )  # fmt: skip
    return _("Moderate the comments of %(site)s", site=site), text


def reset(link: str) -> tuple[str, str]:
    """(subject, text) for whoever forgot the password."""
    text = _(
        "Somebody asked for a new password for your account for moderating comments.\n\n"
        "Open this link within 24 hours to set one. It works once:\n\n%(link)s\n\n"
        "If that was not you, ignore this letter: your password stays as it is.\n", link=link,
    )  # fmt: skip
    return _("A new password"), text
