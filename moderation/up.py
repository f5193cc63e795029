"""`moderation up`: everything in one command, for one machine."""

import fcntl
import json
import logging
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import click
from sqlalchemy.exc import ArgumentError

from moderation import embedded, supervisor
from moderation.config import load_settings, read_secret
from moderation.domain.lifecycle import Role
from moderation.errors import SetupError
from moderation.queueing import connect
from moderation.scoring import SCORERS
from moderation.services import accounts, demo, sites
from moderation.store import schema
from moderation.store.session import Store
from moderation.store.tables import Site
from moderation.supervisor import Part

log = logging.getLogger(__name__)

_TICK = 0.1
# Together under 10 s: web and worker first, side by side, then the Redis that they use.
_PATIENCE, _PATIENCE_REDIS = 8.0, 1.5


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    host: str
    port: int
    folder: Path
    demo: bool


def up(options: Options) -> None:
    """Runs the service until SIGINT or SIGTERM. Raises SetupError when it can't start."""
    _check_settings()
    lock = _lock(options.folder)
    listening = _listen(options.host, options.port)
    port = listening.getsockname()[1]
    base_url = f"http://{_for_url(options.host)}:{port}"
    parts: list[Part] = []
    try:
        env = _environment(options, base_url)
        if "MODERATION_REDIS_URL" not in os.environ:
            parts.append(_redis(options.folder, env, load_settings().redis_server))
    except OSError as error:
        raise SetupError(f"{error.filename} can't be used: {error.strerror}") from None
    store = Store(env["MODERATION_DATABASE_URL"], pool_size=1)
    schema.upgrade(store)
    first_password = _first_start(store, options, base_url)
    store.close()
    parts.append(Part("web", _python("moderation", "web", "--fd", str(listening.fileno())), env, (listening.fileno(),)))
    parts.append(Part("worker", _python("workers"), env))
    _supervise(parts, lambda: _greet(options, base_url, first_password))
    if any(part.name == "redis" for part in parts):  # never somebody else's
        embedded.tidy(Path(env["MODERATION_REDIS_URL"].removeprefix("unix://")))
    lock.close()


def _check_settings() -> None:
    """Raises SetupError for settings that a part would only stumble over later, again and again."""
    settings = load_settings()
    if settings.scorer not in SCORERS:
        raise SetupError(f"MODERATION_SCORER: there is no {settings.scorer!r}; there are: {', '.join(SCORERS)}")
    try:
        connect(settings.redis_url)
    except ValueError as error:
        raise SetupError(f"MODERATION_REDIS_URL: {error}") from None
    try:
        Store(settings.database_url, pool_size=1).close()
    except (ArgumentError, ImportError):
        forms = "sqlite:////PATH or postgresql://USER:PASSWORD@HOST/NAME"
        raise SetupError(f"MODERATION_DATABASE_URL must look like {forms}") from None


def _lock(folder: Path) -> IO[str]:
    """Makes the folder ours. Raises SetupError when it can't be written or another service runs on it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = open(folder / "lock", "a+", encoding="ascii")  # noqa: SIM115 (held open for the life of the process)
    except OSError as error:
        raise SetupError(f"the data folder {folder} can't be written: {error.strerror}") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise SetupError(f"another service runs on the data folder {folder}") from None
    return file


def _listen(host: str, port: int) -> socket.socket:
    """The web socket. It is opened here, so that requests wait in it while the web process starts again."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(1024)
    except OSError as error:
        raise SetupError(f"port {port} on {host} can't be used: {error.strerror}") from None
    return listening


def _for_url(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 (compared, not bound)
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _environment(options: Options, base_url: str) -> dict[str, str]:
    env = dict(os.environ)
    env.setdefault("MODERATION_DATABASE_URL", f"sqlite:///{quote(str(options.folder))}/moderation.sqlite3")
    env.setdefault("MODERATION_SECRET_KEY", read_secret(options.folder / "secret_key"))
    env.setdefault("MODERATION_BASE_URL", base_url)
    if options.demo:
        env["MODERATION_DEMO"] = "1"
    return env


def _redis(folder: Path, env: dict[str, str], program: str) -> Part:
    home = folder / "redis"
    home.mkdir(exist_ok=True)
    path = embedded.socket_path(home)
    env["MODERATION_REDIS_URL"] = f"unix://{path}"
    return Part("redis", embedded.command(embedded.find_server(program), home, path), dict(os.environ))


def _python(*module_and_arguments: str) -> list[str]:
    # -P: a folder named models in the present directory must not take the place of ours.
    return [sys.executable, "-P", "-m", *module_and_arguments]


def _first_start(store: Store, options: Options, base_url: str) -> str | None:
    """Writes credentials.json, on the first start with a new site and moderator; returns a new password."""
    path = options.folder / "credentials.json"
    draft = path.with_suffix(".new")
    if draft.exists() and not path.exists() and _site_exists(store, draft):
        draft.replace(path)
    if path.exists():
        credentials = json.loads(path.read_text("utf-8"))
        _move_in(store, options, base_url, credentials)
        _write_private(draft, credentials | {"base_url": base_url})
        draft.replace(path)
        return None
    password = secrets.token_urlsafe(12)
    with store.write() as session:
        site, key = sites.create_site(session, "demo" if options.demo else "site")
        email = accounts.free_address(session, "admin", "example.org")
        accounts.create_moderator(session, site.id, email, password, Role.ADMIN, "Admin")
        sites.follow_address(session, site, base_url)
        if options.demo:
            demo.load(session, site.id, base_url)
        # Before the commit, under another name: after a crash here either both are there or neither counts.
        _write_private(draft, {
            "base_url": base_url, "site_id": site.id, "site_key": key,
            "moderator": {"email": email, "password": password},
        })  # fmt: skip
    draft.replace(path)
    return password


def _move_in(store: Store, options: Options, base_url: str, credentials: dict[str, Any]) -> None:
    """Lets the site of the first start know the address of this one."""
    with store.write() as session:
        if (site := session.get(Site, credentials["site_id"])) is None:
            return
        sites.follow_address(session, site, base_url, credentials.get("base_url"))
        if options.demo:
            demo.load(session, site.id, base_url)


def _site_exists(store: Store, draft: Path) -> bool:
    with store.read() as session:
        return session.get(Site, json.loads(draft.read_text("utf-8"))["site_id"]) is not None


def _write_private(path: Path, content: dict[str, object]) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")


def _supervise(parts: list[Part], greet: Callable[[], None]) -> None:
    # A flag, no exception: a second signal must not break off the orderly end that the first one began.
    signals: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: signals.append(received))
    try:
        for part in parts:
            part.start()
        greet()
        while not signals:
            for part in parts:
                part.keep_alive()
            time.sleep(_TICK)
    finally:
        supervisor.stop([part for part in parts if part.name != "redis"], _PATIENCE)
        supervisor.stop([part for part in parts if part.name == "redis"], _PATIENCE_REDIS)


def _greet(options: Options, base_url: str, password: str | None) -> None:
    credentials = (options.folder / "credentials.json").absolute()
    say = click.echo
    say(f"Comment moderation on {base_url}  (review queue: {base_url}/review)")
    if options.demo:
        say(f"Demo article: {base_url}/demo")
    say(f"Credentials: {credentials}")
    if password and sys.stdout.isatty():
        say(f"First sign-in: the e-mail address in that file, with the password {password}")
    say("Try it:")
    say(_curl_line(base_url, credentials))


def _curl_line(base_url: str, credentials: Path) -> str:
    key = f"""$(sed -n 's/.*"site_key": "\\([^"]*\\)".*/\\1/p' '{credentials}')"""
    body = (
        """{"external_id": "try-'$(date +%s)'", "body": "Thank you, a clear summary.", """
        """"author": {"name": "Ann", "email": "ann@example.org"}, "article": {"url": "https://news.example/a"}}"""
    )
    return (
        f'curl -sS {base_url}/v1/comments -H "Authorization: Bearer {key}" '
        f"-H 'Content-Type: application/json' -H 'Prefer: wait=5' -d '{body}'"
    )
