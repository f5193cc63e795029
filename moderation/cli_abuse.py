"""`moderation domains` and `moderation site lockdown`: what an operator sets against abuse."""

import json
from typing import TextIO

import click

from moderation.config import load_settings
from moderation.errors import Invalid
from moderation.store import schema
from moderation.store.session import Store


@click.group()
def domains() -> None:
    """The list of bad domains: which links `bad_domain` rules speak against."""


@domains.command("load")
@click.argument("file", type=click.File("r", encoding="utf-8", errors="replace"))
@click.option("--site", "name", help="For this site only (name or id); without it for all sites.")
def load(file: TextIO, name: str | None) -> None:
    """Add a list: one domain a line, also ||domain^ and lines of hosts files; - reads standard input."""
    from moderation.services import bad_domains

    store = _store()
    site_id = _site_id(store, name)
    done = bad_domains.load(store, file, site_id)
    click.echo(json.dumps({"added": done.added, "known": done.known, "not_understood": done.wrong}))
    if done.wrong:
        lines = ", ".join(map(str, done.first_wrong))
        click.echo(f"{done.wrong} lines are no domains, the first of them: {lines}", err=True)
    with store.read() as session:
        without = bad_domains.unused_by(session, site_id)
    if without:
        click.echo(f"No bad_domain rule yet, so the list does nothing there: {', '.join(without)}", err=True)


@domains.command("list")
@click.option("--site", "name", help="Of this site only; without it what holds for all sites.")
def listed(name: str | None) -> None:
    """Print the list, one domain a line."""
    from moderation.services import bad_domains

    store, after = _store(), ""
    site_id = _site_id(store, name)
    while True:
        with store.read() as session:
            found = bad_domains.listed(session, site_id, after)
        if not found:
            return
        click.echo("\n".join(found))
        after = found[-1]


@domains.command("remove")
@click.argument("names", nargs=-1, metavar="[DOMAIN]...")
@click.option("--all", "everything", is_flag=True, help="Empty the whole list.")
@click.option("--site", "name", help="From this site's list; without it from that for all sites.")
def remove(names: tuple[str, ...], everything: bool, name: str | None) -> None:
    """Take domains off the list."""
    from moderation.services import bad_domains

    if bool(names) == everything:
        raise click.UsageError("give domains, or --all")
    wanted = None if everything else [_domain(one) for one in names]
    store = _store()
    site_id = _site_id(store, name)
    with store.write() as session:
        click.echo(json.dumps({"removed": bad_domains.remove(session, wanted, site_id)}))


@domains.command("check")
@click.argument("address")
@click.option("--site", "name", help="Also by this site's list.")
def check(address: str, name: str | None) -> None:
    """Say whether a link to this address or domain is bad."""
    from moderation.services import bad_domains
    from moderation.services.facts import host_of

    host = host_of(address)
    if host is None:
        raise Invalid("this is no address with a domain")
    store = _store()
    site_id = _site_id(store, name) or bad_domains.EVERYWHERE
    with store.read() as session:
        bad = bool(bad_domains.bad_hosts(session, {site_id: {host}}))
    click.echo(json.dumps({"host": host, "bad": bad}))


@click.command()
@click.argument("state", type=click.Choice(["on", "off"]))
@click.option("--site", "name", help="Name or id; may be left out when there is only one.")
def lockdown(state: str, name: str | None) -> None:
    """Have every new comment of a site held, whatever the rules say, or end that."""
    from moderation.services import lock_down, sites

    with _store().write() as session:
        found = sites.find_site(session, name)
        changed = lock_down.switch(session, found.id, on=state == "on")
    click.echo(json.dumps({"site_id": found.id, "lockdown": state, "changed": changed}))


def _domain(typed: str) -> str:
    from moderation.services.facts import domain_of

    if (found := domain_of(typed)) is None:
        raise Invalid("this is no domain", extra={"field": "domain"})
    return found


def _site_id(store: Store, name: str | None) -> str | None:
    from moderation.services import sites

    if name is None:
        return None
    with store.read() as session:
        return sites.find_site(session, name).id


def _store() -> Store:
    return schema.open_ready(load_settings().database_url)
