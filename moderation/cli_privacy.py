"""`moderation privacy ...`: what a person may ask of a site, to see what is kept of them and to be forgotten."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click
from sqlalchemy import select

from moderation.config import Settings, installed
from moderation.errors import Invalid, SetupError
from moderation.store import schema
from moderation.store.privacy import Erasure
from moderation.store.session import Store, now_ms

_site = click.option("--site", "name", help="Name or id; may be left out when there is only one.")
_email = click.option("--email", help="The author's e-mail address, as the site sends it.")
_author_id = click.option("--author-id", help="The site's own id for the author.")
_data = click.option("--data", default="var", show_default=True, type=click.Path(path_type=Path), help="Data folder.")
_out = click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File to make, readable by its owner"
                    " only; standard output without it.")  # fmt: skip


@click.group()
def privacy() -> None:
    """What a person may ask for: to see what is kept of them, and to be erased."""


@privacy.command("export")
@_site
@_email
@_author_id
@_data
@_out
def export(name: str | None, email: str | None, author_id: str | None, data: Path, out: Path | None) -> None:
    """Print all that is kept about an author, as a JSON document."""
    from moderation.services import erasure, personal_data, sites

    _one_of(email, author_id)
    settings, store = _open(data)
    with store.read() as session:
        site = sites.find_site(session, name)
        author = erasure.find_author(session, site.id, email=email, author_id=author_id)
        with _writing(out) as file:
            for piece in personal_data.document(session, author, settings.secret_keys, now_ms()):
                file.write(piece)


@privacy.command("erase")
@_site
@_email
@_author_id
@_data
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(name: str | None, email: str | None, author_id: str | None, data: Path, yes: bool) -> None:
    """Erase an author for good: their comments are withdrawn and emptied, what was noted about them goes."""
    from moderation.services import erasure, sites

    _one_of(email, author_id)
    settings, store = _open(data)
    with store.read() as session:
        site = sites.find_site(session, name)
        author = erasure.find_author(session, site.id, email=email, author_id=author_id)
    if not yes:
        click.confirm(f"Erase this author of {site.name} for good?", abort=True)
    done = erasure.erase(store, settings.secret_keys, author)
    click.echo(f"erased; {done} comments were withdrawn and emptied")


@privacy.command("list")
@_data
@_out
def list_erasures(data: Path, out: Path | None) -> None:
    """Print the list of erasures, to be kept apart from the backups; `moderation restore --erasures` reads it."""
    _, store = _open(data)
    with store.read() as session, _writing(out) as file:
        for one in session.scalars(select(Erasure).order_by(Erasure.id)):
            file.write(json.dumps({
                "id": one.id, "site_id": one.site_id, "author_hash": one.author_hash, "erased_at": one.erased_at,
                "actor": one.actor,
            }) + "\n")  # fmt: skip


def _one_of(email: str | None, author_id: str | None) -> None:
    if bool(email) == bool(author_id):
        raise Invalid("give --email or --author-id")


def _open(data: Path) -> tuple[Settings, Store]:
    settings = installed(data)
    return settings, schema.open_ready(settings.database_url)


@contextmanager
def _writing(out: Path | None) -> Iterator[TextIO]:
    """The file to write to. It appears whole or not at all. Raises SetupError where it can't be made."""
    if out is None:
        yield sys.stdout
        return
    part = out.with_name(f".{out.name}.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            yield file
        part.replace(out)
    except OSError as error:
        raise SetupError(f"{out} can't be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
