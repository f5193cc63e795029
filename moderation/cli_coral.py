"""The commands for Coral: its signing secrets, and its history."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from moderation.config import load_settings
from moderation.errors import SetupError
from moderation.store import schema

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("coral")
@click.argument("secret", required=False)
@click.option("--site", "name", help="Name or id; may be left out when there is only one.")
@click.option("--secret-stdin", is_flag=True, help="Read the secret from standard input.")
@click.option("--remove", is_flag=True, help="Forget all secrets of Coral's.")
def secret(secret: str | None, name: str | None, secret_stdin: bool, remove: bool) -> None:
    """Add the secret that Coral signs with; prints the callback address for Coral."""
    from moderation.services import coral, sites

    if [secret is not None, secret_stdin, remove].count(True) != 1:
        raise click.UsageError("give the secret, or --secret-stdin, or --remove")
    with schema.open_ready(load_settings().database_url).write() as session:
        site = sites.find_site(session, name)
        if remove:
            coral.remove_secrets(session, site)
        else:
            coral.add_secret(session, site, sys.stdin.readline().strip() if secret is None else secret)
        url = f"{load_settings().base_url or 'https://HOST'}/integrations/coral/{site.id}/external-phase"
        click.echo(json.dumps({"secrets": len(site.coral_secrets), "callback_url": url}, indent=2))


@click.group("import")
def imports() -> None:
    """The history of another system."""


@imports.command("coral")
@click.argument("file", type=_FILE)
@click.option("--site", "name", help="Name or id; may be left out when there is only one.")
@click.option("--stories", type=_FILE, help="Coral's collection `stories`, for the addresses and titles of articles.")
@click.option("--old-threshold", type=click.FloatRange(0, 1), default=0.8, show_default=True,
              help="Coral held above this.")  # fmt: skip
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write the report as JSON, too.")
@click.option("--with-text", is_flag=True, help="Put the texts of comments that change sides into that file.")
def import_coral(
    file: Path, name: str | None, stories: Path | None, old_threshold: float, report: Path | None, with_text: bool
) -> None:
    """Import Coral's decided comments (mongoexport of `comments`) and compare its old scores with ours."""
    from moderation.scoring import Classifier
    from moderation.services import coral_report, sites
    from moderation.services.coral_import import Importer, texts

    if with_text and not report:
        raise click.UsageError("--with-text needs --report")
    settings = load_settings()
    store = schema.open_ready(settings.database_url)
    classifier = Classifier.load(settings.scorer, settings.artefacts)
    if classifier.error:
        raise SetupError(f"scorer {classifier.name}: {classifier.error}")
    with store.read() as session:
        importer = Importer(store, classifier, sites.find_site(session, name).id, settings.host)
    if stories:
        importer.read_stories(stories)
    for read in importer.read_comments(file):
        if read and read % 10_240 == 0:
            click.echo(f"{read} comments", err=True)
    figures = coral_report.report(importer.done, old_threshold)
    click.echo(coral_report.as_text(figures))
    if report:
        changed = figures["agreement"]["threshold"]["changed"] if figures["agreement"] else []
        if with_text:
            found = dict(texts(file, {one["id"] for one in changed}))
            changed[:] = [one | {"text": found.get(one["id"])} for one in changed]
        _write(report, figures)


def _write(path: Path, figures: dict[str, Any]) -> None:
    """For its owner's eyes: the ids, and perhaps the texts, are of people's comments."""
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(figures, file, indent=2, ensure_ascii=False)
    except OSError as error:
        raise SetupError(f"the report can't be written: {error.strerror}") from error
