"""The `moderation` command. Each subcommand is a few lines around a use case."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from moderation import (
    __version__,
    cli_abuse,
    cli_audit,
    cli_backup,
    cli_coral,
    cli_doctor,
    cli_examples,
    cli_keys,
    cli_people,
    cli_privacy,
    supervisor,
)
from moderation.config import load_settings
from moderation.errors import ModerationError, SetupError
from moderation.logs import keep_faults_private, last_words, log_to_stderr
from moderation.store import schema
from moderation.store.session import Store
from moderation.supervisor import Part

if TYPE_CHECKING:
    from moderation.scoring import Classifier


class _Group(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        keep_faults_private()
        before = os.umask(0o077)  # what is written here or by our parts is for nobody else on the machine
        ctx.call_on_close(lambda: os.umask(before))
        try:
            return super().invoke(ctx)
        except (SetupError, ModerationError) as error:
            _leave(str(error))
        except SQLAlchemyError as error:
            _leave(f"database: {type(error).__name__}")


def _leave(why: str) -> NoReturn:
    if last_words(why):
        sys.exit(1)
    raise click.ClickException(why) from None


@click.group(cls=_Group)
@click.version_option(__version__)
def main() -> None:
    """Comment moderation for a newsroom."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--data", default="var", show_default=True, type=click.Path(path_type=Path), help="Data folder.")
@click.option("--demo", is_flag=True, help="Serve a demo article at /demo, with sample comments on first start.")
def up(host: str, port: int, data: Path, demo: bool) -> None:
    """Run everything on this machine: database, Redis, web, worker."""
    from moderation.up import Options
    from moderation.up import up as run

    log_to_stderr(load_settings().log_format)
    run(Options(host, port, data.absolute(), demo))


@main.command()
@click.option("--bind", default="127.0.0.1:8000", show_default=True, help="HOST:PORT to listen on.")
@click.option("--fd", type=int, hidden=True, help="A listening socket that is open already.")
@click.option("--ready", type=int, hidden=True, help="Where to write a byte once requests are taken.")
def web(bind: str, fd: int | None, ready: int | None) -> None:
    """Run the web server. SIGHUP: a new process takes over, with new code and settings."""
    settings = load_settings()
    log_to_stderr(settings.log_format)
    if fd is None:
        host, _, port = bind.rpartition(":")
        if not host or not port.isdigit():
            raise SetupError("--bind must be HOST:PORT")
        listening = supervisor.listen(host.strip("[]"), int(port))
        command = supervisor.python("moderation", "web", "--fd", str(listening.fileno()))
        part = Part("web", command, dict(os.environ), (listening.fileno(),), announces=True)
        sys.exit(supervisor.run_one(part))
    from moderation.web_server import serve

    serve(settings, f"fd://{fd}", ready)


@main.command()
def worker() -> None:
    """Run a worker: scores, publishes, delivers, sweeps. SIGHUP: a new process takes over, after the batch in hand."""
    log_to_stderr(load_settings().log_format)
    part = Part("worker", supervisor.python("workers"), dict(os.environ), announces=True)
    sys.exit(supervisor.run_one(part))


@main.command()
def sweep() -> None:
    """Do once what a worker does every few seconds: free stuck comments, decide, publish and deliver what is due."""
    load_settings()
    os.execv(sys.executable, [sys.executable, "-P", "-m", "workers", "sweep"])  # noqa: S606 (no shell is wanted)


@main.command()
@click.option("--scorer", default="cascade", show_default=True, help="Name of the classifier.")
def score(scorer: str) -> None:
    """Score JSON lines with a `text` from standard input, under the default policy."""
    from moderation.scoring import Classifier
    from moderation.services import policies, trial

    classifier = _classifier(Classifier.load(scorer, load_settings().artefacts))
    policy = policies.compile_policy(policies.default_document(), None)
    for done, line in enumerate(trial.score_lines(classifier, policy, sys.stdin.buffer), 1):
        sys.stdout.write(json.dumps(line) + "\n")
        if done % 10_000 == 0:
            click.echo(f"{done} lines", err=True)
    sys.stdout.flush()


@main.command()
@click.option("--scorer", default="cascade", show_default=True, help="Name of the classifier.")
@click.option("--texts", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Labelled JSON lines of your own: text, label (abusive or civil), kind if you like.")  # fmt: skip
def evaluate(scorer: str, texts: Path | None) -> None:
    """Measure scorer and default policy together: what share of labelled texts is decided right.

    Without --texts: on the project's own sentences, and the figures go into the model card.
    """
    from moderation.scoring import WAR_STORIES, Classifier, write_policy_figures
    from moderation.services import measure, policies

    classifier = _classifier(Classifier.load(scorer))
    policy = policies.compile_policy(policies.default_document(), None)

    def decided(path: Path) -> list[measure.Decided]:
        return measure.decide_all(classifier, policy, measure.read(path.read_bytes()))

    if texts:
        click.echo(measure.table(decided(texts)))
        return
    figures = measure.section(decided(WAR_STORIES.with_name("functional.jsonl")), decided(WAR_STORIES))
    click.echo(figures)
    try:
        write_policy_figures(scorer, figures)
    except OSError as error:
        raise SetupError(f"the model card of {scorer} can't be written: {error.strerror}") from error


def _classifier(loaded: "Classifier") -> "Classifier":
    if loaded.error:
        raise SetupError(f"scorer {loaded.name}: {loaded.error}")
    return loaded


main.add_command(cli_abuse.domains)
main.add_command(cli_audit.audit)
main.add_command(cli_backup.backup)
main.add_command(cli_backup.restore)
main.add_command(cli_doctor.doctor)
main.add_command(cli_coral.imports)
main.add_command(cli_examples.examples)


@main.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to the version that this program needs."""
    schema.upgrade(Store(load_settings().database_url, pool_size=1))
    click.echo("the database is up to date")


@main.group()
def site() -> None:
    """Sites and their keys."""


@site.command("create")
@click.argument("name")
def site_create(name: str) -> None:
    """Create a site; prints its id and its key, which is shown only now."""
    from moderation.services import sites

    with _session() as session:
        created, key = sites.create_site(session, name)
        _print({"site_id": created.id, "name": created.name, "site_key": key,
                "publishable_key": created.publishable_key})  # fmt: skip


@site.command("origins")
@click.argument("origins", nargs=-1)
@click.option("--site", "name", help="Name or id; may be left out when there is only one.")
def site_origins(origins: tuple[str, ...], name: str | None) -> None:
    """Set the pages (like https://news.example) whose readers may post with the publishable key."""
    from moderation.services import sites

    with _session() as session:
        found = sites.find_site(session, name)
        sites.set_origins(session, found, [origin.rstrip("/") for origin in origins])
        _print({"publishable_key": found.publishable_key, "origins": found.origins})


@site.command("options")
@click.argument("choices", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--site", "name", help="Name or id; may be left out when there is only one.")
def site_options(choices: tuple[str, ...], name: str | None) -> None:
    """Set what the site chose: drop-in interfaces, reports, statements, appeals; prints all choices."""
    from moderation.services import options, sites

    changes = dict(choice.partition("=")[::2] for choice in choices)
    with _session() as session:
        found = options.set_options(session, sites.find_site(session, name), changes)
        _print(found.model_dump())


site.add_command(cli_coral.secret)
site.add_command(cli_abuse.lockdown)
site.add_command(cli_keys.key)
site.add_command(cli_keys.keys)
site.add_command(cli_keys.webhook)


main.add_command(cli_people.moderator)
main.add_command(cli_privacy.privacy)


@main.group()
def policy() -> None:
    """The policy of a site, as a file."""


@policy.command("show")
@click.option("--site", "name", help="Name or id; may be left out when there is only one.")
@click.option("--version", type=int, help="An older version.")
def policy_show(name: str | None, version: int | None) -> None:
    """Print the policy."""
    from moderation.services import policies, sites

    with _session() as session:
        stored = policies.stored(session, sites.find_site(session, name).id, version)
        click.echo(f"# version {stored.version}\n{policies.show(stored.document)}", nl=False)


@policy.command("apply")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--site", "name", help="Name or id; may be left out when there is only one.")
def policy_apply(file: Any, name: str | None) -> None:
    """Make this file the policy, as a new version."""
    from moderation.services import policies, sites

    document = policies.parse(file.read())
    with _session() as session:
        version = policies.apply(session, sites.find_site(session, name).id, document)
    click.echo(f"applied as version {version}")


@policy.command("rollback")
@click.argument("version", type=int)
@click.option("--site", "name", help="Name or id; may be left out when there is only one.")
def policy_rollback(version: int, name: str | None) -> None:
    """Make an older version the policy again, as a new version."""
    from moderation.services import policies, sites

    with _session() as session:
        new = policies.rollback(session, sites.find_site(session, name).id, version)
    click.echo(f"version {version} applied as version {new}")


@contextmanager
def _session() -> Iterator[Session]:
    with schema.open_ready(load_settings().database_url).write() as session:
        yield session


def _print(content: dict[str, Any]) -> None:
    click.echo(json.dumps(content, indent=2))
