"""`moderation backup` and `moderation restore`."""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
from sqlalchemy.orm import Session

from moderation.config import installed
from moderation.errors import SetupError
from moderation.store import schema
from moderation.store.privacy import Erasure
from moderation.store.session import Store, new_id

_FILES = ("secret_key", "credentials.json")
_data = click.option("--data", default="var", show_default=True, type=click.Path(path_type=Path),
                     help="Data folder of `moderation up`, for what the environment does not name.")  # fmt: skip


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@_data
@click.option("--with-secrets", is_flag=True, help="Also the secret key and credentials.json: keep such a file safe.")
def backup(file: Path, data: Path, with_secrets: bool) -> None:
    """Write a backup to FILE while the service runs: all that was accepted when it began."""
    from moderation.services import backup as backups

    settings = installed(data)
    files = {name: (data / name).read_bytes() for name in _FILES if (data / name).exists()} if with_secrets else {}
    if with_secrets:
        files["secret_key"] = settings.secret_key.encode()
    store = schema.open_ready(settings.database_url)
    made = backups.backup(store, file, backups.Secrets(settings.secret_key, files))
    store.close()
    click.echo(f"{file}: {made.counts['comments']} comments, {made.counts['decisions']} decisions, "
               f"{file.stat().st_size} bytes{', with secrets' if files else ''}")  # fmt: skip


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@_data
@click.option("--force", is_flag=True, help="Replace what is in the database.")
@click.option("--erasures", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Erasures made since, as JSON lines; those that the database knows are applied anyway.")  # fmt: skip
def restore(file: Path, data: Path, force: bool, erasures: Path | None) -> None:
    """Make a backup the content of the database. Stop web and workers first."""
    from moderation.queueing import Doorbell
    from moderation.services import backup as backups

    settings = installed(data, complete=False)
    with _alone(data):
        store = Store(settings.database_url, pool_size=2)
        done = backups.restore(
            store, file, settings.secret_key, partial(_erase, settings.secret_keys),
            erasures=_read(erasures) if erasures else (), force=force,
        )  # fmt: skip
        store.close()
        _put_secrets(data, done.secrets)
    Doorbell(settings.redis_url).ring()
    click.echo(f"restored what stood at {done.manifest.made_at}: {done.manifest.counts['comments']} comments; "
               f"{done.erasures} erasures applied. Everybody signs in anew.")  # fmt: skip
    if not done.same_key and "secret_key" not in done.secrets:
        click.echo("The secret key is another one than then: put that one first into MODERATION_FORMER_SECRET_KEYS.")


def _erase(secret_keys: Sequence[str], session: Session, erasures: Sequence[Erasure]) -> None:
    from moderation.services import erasure

    erasure.apply_list(session, secret_keys, erasures)


def _read(path: Path) -> list[Erasure]:
    """Erasures as JSON lines: site_id, author_hash and erased_at (milliseconds); maybe id and actor."""
    found = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            said = json.loads(line) if line.strip() else None
            if said is not None:
                found.append(Erasure(
                    id=str(said.get("id") or new_id()), site_id=str(said["site_id"]), actor=said.get("actor"),
                    author_hash=str(said["author_hash"]), erased_at=int(said["erased_at"]),
                ))  # fmt: skip
        except (ValueError, KeyError, TypeError, AttributeError):
            raise SetupError(f"{path}: line {number} is no erasure") from None
    return found


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Keeps `moderation up` off this data folder. Raises SetupError while it runs there."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(data / "lock", "a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SetupError(f"a service runs on the data folder {data}; stop it first") from None
        yield


def _put_secrets(data: Path, secrets: dict[str, bytes]) -> None:
    """Into the data folder, where there are none of their kind; what is there stays."""
    for name in _FILES:
        if name in secrets and not (data / name).exists():
            with open(os.open(data / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                out.write(secrets[name])
