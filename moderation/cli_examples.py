"""`moderation examples ...`"""

import json
import sys

import click

from moderation.config import load_settings
from moderation.store import schema


@click.group()
def examples() -> None:
    """What a site's people said of comments, as other systems brought it."""


@examples.command("export")
@click.option("--site", "name", help="Name or id; may be left out when there is only one.")
def export(name: str | None) -> None:
    """Print all labelled examples of a site as JSON lines, oldest first."""
    from moderation.services import examples as labelled
    from moderation.services import sites

    with schema.open_ready(load_settings().database_url).read() as session:
        for example in labelled.exported(session, sites.find_site(session, name).id):
            sys.stdout.write(json.dumps(example) + "\n")
    sys.stdout.flush()
