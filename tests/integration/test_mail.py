"""Letters, handed to a real SMTP server: with what safety, and what comes of a server that does not take them."""

import datetime
import email
import email.policy
import ssl
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask
from sqlalchemy import select

from moderation.app import create_app
from moderation.config import Settings
from moderation.domain.lifecycle import Role
from moderation.errors import SetupError
from moderation.services import mail
from moderation.services.accounts import Person as Moderator
from moderation.services.mail import NotSent, Server
from moderation.store.people import Invitation
from moderation.store.session import Store
from tests.databases import until
from tests.integration.pages import HTML, Person
from tests.services import PASSWORD, make_moderator

USER, SECRET = "letters", "the secret of the mail server"


class Postbox:
    """A mail server that keeps what it gets; `refusing` answers every letter with that line."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.secured: list[bool] = []
        self.refusing: str | None = None

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refusing:
            return self.refusing
        content = envelope.content or b""
        parsed = email.message_from_bytes(content if isinstance(content, bytes) else content.encode(),
                                          policy=email.policy.default)  # fmt: skip
        assert isinstance(parsed, EmailMessage)
        self.letters.append(parsed)
        self.recipients.append(list(envelope.rcpt_tos))
        self.secured.append(session.ssl is not None)
        return "250 kept"


def _check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
    return AuthResult(success=(given.login, given.password) == (USER.encode(), SECRET.encode()))


class _OnAnyPort(Controller):
    """A mail server on a port from the kernel."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()


@pytest.fixture
def box() -> Postbox:
    return Postbox()


@pytest.fixture
def serve(box: Postbox) -> Iterator[Callable[..., int]]:
    """Starts a mail server; returns its port."""
    running: list[Controller] = []

    def start(**options: Any) -> int:
        controller = _OnAnyPort(box, hostname="127.0.0.1", port=0, ready_timeout=30, **options)
        controller.start()
        running.append(controller)
        return controller.port

    yield start
    for controller in running:
        controller.stop()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-made certificate of 127.0.0.1 with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "mail.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def server(port: int, security: str = "none", **more: Any) -> Server:
    user, password = more.get("user", ""), more.get("password", "")
    return Server("localhost", port, user, password, "desk@news.example", security, 20.0)


def test_a_letter_arrives_as_it_was_written(serve: Callable[..., int], box: Postbox) -> None:
    mail.send(server(serve()), "bob@example.org", "Café  of\r\nX: y", "Hello Bob,\n\nhttps://news.example/join/x\n")
    (letter,) = box.letters
    assert box.recipients == [["bob@example.org"]]
    assert (letter["From"], letter["To"]) == ("desk@news.example", "bob@example.org")
    assert letter["Subject"] == "Café of X: y"
    assert letter["X"] is None
    assert [letter[name] is not None for name in ("Date", "Message-ID", "Auto-Submitted")] == [True] * 3
    assert "https://news.example/join/x" in letter.get_content()


@pytest.mark.parametrize(
    "to",
    ["bob@example.org\r\nBcc: eve@example.org", "bob@example.org\nX: y", "a@example.org, b@example.org", "", "bob",
     "<bob@example.org>", "bob@example.org\x00"],
)  # fmt: skip
def test_no_address_becomes_another_header_or_recipient(serve: Callable[..., int], box: Postbox, to: str) -> None:
    with pytest.raises(NotSent):
        mail.send(server(serve()), to, "Hello", "text")
    assert box.letters == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_safe_connection_with_password_to_a_server_that_is_known(
    serve: Callable[..., int], box: Postbox, tls: ssl.SSLContext, certificate: Path, security: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    options = {"tls_context": tls, "require_starttls": True} if security == "starttls" else {"ssl_context": tls}
    port = serve(authenticator=_check, auth_required=True, auth_require_tls=security == "starttls", **options)
    with pytest.raises(NotSent) as strange:  # nobody vouches for its certificate
        mail.send(server(port, security, user=USER, password=SECRET), "bob@example.org", "Hello", "text")
    assert str(strange.value) == "SSLCertVerificationError"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    mail.send(server(port, security, user=USER, password=SECRET), "bob@example.org", "Hello", "text")
    assert box.secured == [security == "starttls"]  # this server counts only what was secured on the way
    with pytest.raises(NotSent):
        mail.send(server(port, security, user=USER, password="wrong"), "bob@example.org", "Hello", "text")
    other = Server("127.0.0.1", port, USER, SECRET, "desk@news.example", security, 60.0)
    with pytest.raises(NotSent):  # the certificate is another host's
        mail.send(other, "bob@example.org", "Hello", "text")
    assert len(box.letters) == 1


def test_without_the_safety_asked_for_nothing_is_sent(serve: Callable[..., int], box: Postbox) -> None:
    with pytest.raises(NotSent):  # it offers no STARTTLS, or somebody between has taken the offer away
        mail.send(server(serve(), "starttls", user=USER, password=SECRET), "bob@example.org", "Hello", "text")
    assert box.letters == []


def test_the_log_names_no_address(serve: Callable[..., int], box: Postbox, caplog: pytest.LogCaptureFixture) -> None:
    box.refusing = "550 bob@example.org is not known here"
    with pytest.raises(NotSent):
        mail.send(server(serve()), "bob@example.org", "Hello", "text")
    # The receiver's own log, in this process, may name it.
    ours = " ".join(record.getMessage() for record in caplog.records if record.name.startswith("moderation"))
    assert "could not be sent" in ours
    assert "example.org" not in ours


def test_a_password_that_is_refused_is_told_nowhere(
    serve: Callable[..., int], caplog: pytest.LogCaptureFixture
) -> None:
    port = serve(authenticator=_check, auth_required=True, auth_require_tls=False)
    caplog.set_level("DEBUG")
    with pytest.raises(NotSent) as refused:
        mail.send(server(port, user=USER, password="kanarigeheim"), "bob@example.org", "Hello", "text")
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("moderation")]
    assert str(refused.value) in ("SMTPAuthenticationError", "SMTPServerDisconnected")  # it may hang up at once
    assert ours == [f"a letter could not be sent: {refused.value}"]
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


# The pages with a mail server


@pytest.fixture
def mailing(settings: Settings, serve: Callable[..., int]) -> Iterator[Flask]:
    """The application with a mail server."""
    made = create_app(settings.model_copy(update={
        "smtp_host": "localhost", "smtp_port": serve(), "smtp_security": "none", "smtp_from": "desk@news.example",
        "base_url": "https://desk.example", "sign_in_rate": "1000 per minute",
    }))  # fmt: skip
    yield made
    made.extensions["moderation"].close()


@pytest.fixture
def ada(mailing: Flask, store: Store, site: tuple[str, str]) -> Person:
    make_moderator(store, site[0], "ada@example.org", Role.ADMIN)
    browser = Person(mailing.test_client()).sign_in("ada@example.org")
    browser.see("/people")
    return browser


def link_of(letter: EmailMessage) -> str:
    """The path of the link in a letter."""
    return next(line for line in letter.get_content().splitlines() if "://" in line).removeprefix(
        "https://desk.example"
    )


def test_an_invitation_goes_out_by_letter_and_is_not_shown(ada: Person, box: Postbox, mailing: Flask) -> None:
    ada.send("/people/invite", email="bob@example.org", role="senior")
    page = ada.see("/people").text
    assert "on its way to bob@example.org" in page
    assert "/join/" not in page
    assert box.recipients == [["bob@example.org"]]
    assert box.letters[0]["Subject"] == "Moderate the comments of test"
    browser = Person(mailing.test_client())
    browser.see(link_of(box.letters[0]))
    browser.see("/join")
    assert browser.send("/join", name="Bob", password=PASSWORD).status_code == 303


def test_what_could_not_be_sent_is_handed_over(ada: Person, box: Postbox) -> None:
    box.refusing = "451 not now"
    ada.send("/people/invite", email="bob@example.org", role="moderator")
    page = ada.see("/people").text
    assert "The letter could not be sent. Give this link to bob@example.org" in page
    assert "https://desk.example/join/" in page


def test_a_forgotten_password_is_answered_alike_and_only_its_owner_gets_a_letter(
    ada: Person, box: Postbox, mailing: Flask, store: Store, site: tuple[str, str]
) -> None:
    browser = Person(mailing.test_client())
    browser.see("/forgot")
    asked = ("nobody@example.org", " ADA@example.org", "ada@example.org\r\nBcc: eve@example.org")
    pages = [browser.send("/forgot", email=email) for email in asked]
    assert len({(page.status_code, page.text) for page in pages}) == 1
    until(lambda: box.letters, what="the letter")
    assert box.recipients == [["ada@example.org"]]
    browser.see(link_of(box.letters[0]))
    browser.see("/reset")
    assert browser.send("/reset", password="another long password").status_code == 303
    assert ada.see("/people").status_code == 303
    with store.read() as session:
        assert [one.used_at is None for one in session.scalars(select(Invitation))] == [False]


def test_a_link_in_a_letter_never_follows_the_host_of_a_request(mailing: Flask, ada: Person, box: Postbox) -> None:
    client = mailing.test_client()
    page = client.get("/forgot", base_url="http://evil.example", headers=HTML).text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    client.post("/forgot", data={"csrf_token": token, "email": "ada@example.org"}, base_url="http://evil.example")
    until(lambda: box.letters, what="the letter")
    assert "https://desk.example/reset/" in box.letters[0].get_content()
    assert "evil" not in box.letters[0].as_string()


def test_an_admin_has_a_link_sent_to_an_account_of_several_sites(
    ada: Person, box: Postbox, store: Store, site: tuple[str, str]
) -> None:
    from moderation.services import people, sites

    with store.write() as session:
        other, _ = sites.create_site(session, "other")
    eve: Moderator = make_moderator(store, other.id, "eve@example.org", Role.ADMIN)
    with store.write() as session:
        people.add_member(session, site[0], eve.id, Role.MODERATOR)
    ada.send(f"/people/{eve.id}/reset")
    assert "on its way to eve@example.org" in ada.see("/people").text
    assert box.recipients == [["eve@example.org"]]
    box.refusing = "451 not now"
    refused = ada.send(f"/people/{eve.id}/reset")
    assert refused.status_code == 409
    assert "https://desk.example" not in refused.text + ada.see("/people").text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"smtp_host": "localhost"}, "MODERATION_SMTP_FROM"),
        ({"smtp_host": "localhost", "smtp_from": "desk@news.example", "base_url": ""}, "MODERATION_BASE_URL"),
        ({"oidc_issuer": "https://id.example"}, "MODERATION_OIDC_CLIENT_ID"),
        ({"passwords": False}, "MODERATION_OIDC_ISSUER"),
    ],
)
def test_what_is_set_halfway_is_said_at_the_start(settings: Settings, changed: dict[str, object], said: str) -> None:
    with pytest.raises(SetupError, match=said):
        create_app(settings.model_copy(update=changed))
