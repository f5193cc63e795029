"""`moderation up`: everything in one command, for one machine."""

import fcntl
import json
import logging
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import click
from sqlalchemy.exc import ArgumentError

from moderation import embedded, metrics, supervisor
from moderation.config import load_settings, read_secret
from moderation.domain.lifecycle import Role
from moderation.errors import SetupError
from moderation.queueing import connect
from moderation.scoring import SCORERS
from moderation.services import accounts, demo, sites
from moderation.store import schema
from moderation.store.session import Store
from moderation.store.tables import Site
from moderation.supervisor import Part, python

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
    listening = supervisor.listen(options.host, options.port)
    port = listening.getsockname()[1]
    base_url = f"http://{_for_url(options.host)}:{port}"
    parts: list[Part] = []
    try:
        env = _environment(options, base_url)
        if "redis_url" not in load_settings().model_fields_set:
            parts.append(_redis(options.folder, env, load_settings().redis_server))
    except OSError as error:
        raise SetupError(f"{error.filename} can't be used: {error.strerror}") from None
    store = Store(env.get("MODERATION_DATABASE_URL") or load_settings().database_url, pool_size=1)
    schema.upgrade(store)
    first_password = _first_start(store, options, base_url)
    store.close()
    web = python("moderation", "web", "--fd", str(listening.fileno()))
    parts.append(Part("web", web, env, (listening.fileno(),), announces=True))
    parts.append(Part("worker", python("workers"), env, announces=True))
    _supervise(parts, lambda: _greet(options, base_url, first_password))
    if any(part.name == "redis" for part in parts):  # never somebody else's
        embedded.tidy(Path(env["MODERATION_REDIS_URL"].removeprefix("unix://")))
    if "MODERATION_METRICS_FOLDER" not in os.environ and (folder := env.get("MODERATION_METRICS_FOLDER")):
        shutil.rmtree(folder, ignore_errors=True)
    lock.close()


def _check_settings() -> None:
    """Raises SetupError for settings that a part would only stumble over later, again and again."""
    settings = load_settings()
    if gaps := settings.gaps():
        raise SetupError("; ".join(gaps))
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
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = open(folder / "lock", "a+", encoding="ascii")  # noqa: SIM115 (held open for the life of the process)
    except OSError as error:
        raise SetupError(f"the data folder {folder} can't be written: {error.strerror}") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise SetupError(f"another service runs on the data folder {folder}") from None
    return file


def _for_url(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # nosec B104 # noqa: S104 (compared, not bound)
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _environment(options: Options, base_url: str) -> dict[str, str]:
    env, chosen = dict(os.environ), load_settings().model_fields_set
    ours: dict[str, Callable[[], str]] = {
        "database_url": lambda: f"sqlite:///{quote(str(options.folder))}/moderation.sqlite3",
        "secret_key": lambda: read_secret(options.folder / "secret_key"),
        "base_url": lambda: base_url,
        "metrics_folder": lambda: str(metrics.shared_folder(options.folder)),
    }
    env |= {f"MODERATION_{name.upper()}": made() for name, made in ours.items() if name not in chosen}
    if options.demo:
        env["MODERATION_DEMO"] = "1"
    return env


def _redis(folder: Path, env: dict[str, str], program: str) -> Part:
    home = folder / "redis"
    home.mkdir(exist_ok=True)
    path = embedded.socket_path(home)
    env["MODERATION_REDIS_URL"] = f"unix://{path}"
    (home / "address").write_text(env["MODERATION_REDIS_URL"], "utf-8")  # for commands beside it
    return Part("redis", embedded.command(embedded.find_server(program), home, path), dict(os.environ))


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
    signals = supervisor.Signals()
    signals.heed()

    def look_after() -> None:
        for part in parts:
            part.keep_alive()

    try:
        for part in parts:
            part.start()
        greet()
        while not signals.end:
            look_after()
            if signals.reload:
                signals.reload = False
                _reload(parts, signals, look_after)
            time.sleep(_TICK)
    finally:
        supervisor.stop([part for part in parts if part.name != "redis"], _PATIENCE)
        supervisor.stop([part for part in parts if part.name == "redis"], _PATIENCE_REDIS)


def _reload(parts: list[Part], signals: supervisor.Signals, look_after: Callable[[], None]) -> None:
    """Web, then worker: each by a new process that reads settings and code anew. What keeps it from starting is said
    by it, and the rest stays as it is."""
    log.info("reloading")
    for part in parts:
        if part.announces and not signals.end and not supervisor.reload(part, signals, look_after):
            return


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
