"""`moderation audit ...`"""

import re
import sys
from pathlib import Path

import click

from moderation.config import installed
from moderation.domain import chain
from moderation.domain.chain import BEGINNING, Head
from moderation.store import schema


class _Kept(click.ParamType[Head]):
    name = "place:seal"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Head:
        if found := re.fullmatch(r"(\d{1,18}):([0-9a-f]{64})", str(value).strip()):
            return Head(int(found[1]), found[2])
        return self.fail("must be PLACE:SEAL, as --head prints it", param, ctx)


@click.group()
def audit() -> None:
    """The audit trail."""


@audit.command("verify")
@click.option("--data", default="var", show_default=True, type=click.Path(path_type=Path),
              help="Data folder of `moderation up`, for what the environment does not name.")  # fmt: skip
@click.option("--head", is_flag=True, help="Print only the newest place and seal, to be kept elsewhere.")
@click.option("--expect", type=_Kept(), help="A head that was kept: the chain must still hold it.")
@click.option("--from", "start", type=_Kept(), help="A head that was kept: begin behind it instead of at the first.")
def verify(data: Path, head: bool, expect: Head | None, start: Head | None) -> None:
    """Walk the chain of all audit events; exit 1 and the first broken one when it does not hold."""
    from moderation.services import audit_chain

    settings = installed(data)
    store = schema.open_ready(settings.database_url)
    keys = chain.keys(settings.secret_key, settings.former_secret_keys)
    found = audit_chain.verify(store, keys, start or BEGINNING, expect)
    store.close()
    if found.broken:
        click.echo(f"The audit chain is broken at {found.broken}.", err=True)
        sys.exit(1)
    if head:
        click.echo(str(found.head))
        return
    click.echo(
        f"The audit chain holds: {found.links} events up to place {found.head.place}, "
        f"{found.erased} of them erased; {found.unsealed} not sealed yet."
    )
