"""Letters to moderators by SMTP. Readers and authors never get one: their addresses are a promise."""

import logging
import smtplib
import ssl
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid

from moderation.config import Settings

log = logging.getLogger("moderation")


@dataclass(frozen=True)
class Server:
    """Where letters are handed in. `security` is starttls, tls or none; `timeout` in seconds for each step."""

    host: str
    port: int
    user: str
    password: str
    sender: str
    security: str
    timeout: float = 8.0


class NotSent(Exception):
    """The letter could not be handed in; the message is the kind of the failure, never an address."""


def server_of(settings: Settings) -> Server | None:
    """The mail server of these settings; None when there is none."""
    if not settings.smtp_host:
        return None
    return Server(
        settings.smtp_host, settings.smtp_port, settings.smtp_user, settings.smtp_password, settings.smtp_from,
        settings.smtp_security,
    )  # fmt: skip


def send(server: Server, to: str, subject: str, text: str) -> None:
    """Hands one letter in. Raises NotSent, also for an address or a subject that could become another header."""
    try:
        letter = _letter(server, to, subject, text)
        with _connected(server) as connection:
            connection.send_message(letter, server.sender, [to])
    except (OSError, smtplib.SMTPException, MessageError, ValueError, IndexError) as error:
        log.warning("a letter could not be sent: %s", type(error).__name__)
        raise NotSent(type(error).__name__) from None


def _letter(server: Server, to: str, subject: str, text: str) -> EmailMessage:
    letter = EmailMessage(policy=SMTP)
    letter["From"] = Address(addr_spec=server.sender)
    letter["To"] = Address(addr_spec=to)
    letter["Subject"] = " ".join(subject.split())
    letter["Date"] = formatdate()
    letter["Message-ID"] = make_msgid(domain=server.sender.rpartition("@")[2])
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(text)
    return letter


def _connected(server: Server) -> smtplib.SMTP:
    """A connection that is as safe as the setting asks for: without it nothing is sent, the password least of all."""
    context = ssl.create_default_context()
    if server.security == "tls":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout, context=context)
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=server.timeout)
    try:
        if server.security == "starttls":
            connection.starttls(context=context)
        if server.user:
            connection.login(server.user, server.password)
    except BaseException:
        connection.close()
        raise
    return connection
