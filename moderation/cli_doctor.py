"""`moderation doctor`: what is wrong with this installation, and what to do."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from moderation.config import Settings, installed
from moderation.errors import SetupError

if TYPE_CHECKING:
    from moderation.services.doctor import Finding

_COLOURS = {"ok": "green", "warning": "yellow", "wrong": "red"}


@click.command()
@click.option("--data", default="var", show_default=True, type=click.Path(path_type=Path),
              help="Data folder of `moderation up`, for what the environment does not name.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def doctor(data: Path, as_json: bool) -> None:
    """Look at every part; say what is wrong and what to do. Exit 1 when anything is wrong; warnings don't count."""
    from moderation.services.doctor import CHECKS, Context, State, examine
    from moderation.services.doctor.found import wrong

    try:
        settings = _settings(data)
    except SetupError as error:
        found = {"settings": wrong(str(error), "mend these variables, then run this again")}
    else:
        found = examine(Context(settings, data.absolute() if data.is_dir() else None), CHECKS)
    good = all(finding.state is not State.WRONG for finding in found.values())
    if as_json:
        checks = [{"check": name, "state": f.state.value, "says": f.says, "todo": f.todo} for name, f in found.items()]
        click.echo(json.dumps({"ok": good, "checks": checks}, indent=2))
    else:
        _print(found)
    sys.exit(0 if good else 1)


def _settings(data: Path) -> Settings:
    settings, credentials = installed(data, complete=False), data / "credentials.json"
    if not settings.base_url and credentials.exists():
        try:
            base_url = str(json.loads(credentials.read_text("utf-8"))["base_url"])
        except (OSError, ValueError, KeyError):
            return settings
        return settings.model_copy(update={"base_url": base_url})
    return settings


def _print(found: dict[str, "Finding"]) -> None:
    width = max(len(name) for name in found)
    for name, finding in found.items():
        state = click.style(f"{finding.state.value:<7}", fg=_COLOURS[finding.state.value])
        click.echo(f"{state}  {name:<{width}}  {finding.says}")
        if finding.todo:
            click.echo(f"{'':<{width + 9}}  to do: {finding.todo}")
