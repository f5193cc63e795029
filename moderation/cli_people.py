"""`moderation moderator ...`: the people of a site, for whoever runs the service."""

import sys

import click
from sqlalchemy.orm import Session

from moderation.config import load_settings
from moderation.domain.lifecycle import Role
from moderation.errors import NotFound, SetupError
from moderation.store import schema
from moderation.store.people import Membership, Moderator

_ROLES = click.Choice([role.value for role in Role])
_site = click.option("--site", "name", help="Name or id; may be left out when there is only one.")


@click.group()
def moderator() -> None:
    """Moderators."""


@moderator.command("create")
@click.argument("email")
@_site
@click.option("--role", type=_ROLES, default=Role.MODERATOR.value)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def create(email: str, name: str | None, role: str, password_stdin: bool) -> None:
    """Create a moderator; asks for the password. One of another site joins this one and keeps theirs."""
    from moderation.services import accounts, people, sites

    store = schema.open_ready(load_settings().database_url)
    with store.write() as session:
        site = sites.find_site(session, name)
        known = accounts.with_address(session, accounts.address(email))
        if known and session.get(Membership, (known.id, site.id)) is None:
            people.add_member(session, site.id, known.id, Role(role))
            click.echo(f"{email} has an account already and joins {site.name}; the password stays as it is")
            return
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else click.prompt("Password", hide_input=True)
    with store.write() as session:
        accounts.create_moderator(session, site.id, email, password, Role(role))
    click.echo(f"created {email}")


@moderator.command("list")
@_site
def list_all(name: str | None) -> None:
    """List the moderators of a site with their roles."""
    from moderation.services import people, sites

    with schema.open_ready(load_settings().database_url).read() as session:
        for one in people.of_site(session, sites.find_site(session, name).id):
            click.echo(f"{one.email}\t{one.role}\t{one.name}")


@moderator.command("role")
@click.argument("email")
@click.argument("role", type=_ROLES)
@_site
def role(email: str, role: str, name: str | None) -> None:
    """Give a moderator another role."""
    from moderation.services import people, sites

    with schema.open_ready(load_settings().database_url).write() as session:
        site = sites.find_site(session, name)
        before = people.set_role(session, site.id, _known(session, email).id, Role(role), None)
    click.echo(f"{email} was {before} and is {role} now")


@moderator.command("remove")
@click.argument("email")
@_site
def remove(email: str, name: str | None) -> None:
    """Take a moderator off a site, at once."""
    from moderation.services import people, sites

    with schema.open_ready(load_settings().database_url).write() as session:
        site = sites.find_site(session, name)
        people.remove(session, site.id, _known(session, email).id, None)
    click.echo(f"{email} is no longer at {site.name}")


@moderator.command("reset")
@click.argument("email")
def reset(email: str) -> None:
    """Print a one-time link with which a moderator sets a new password."""
    from moderation.services import invitations

    settings = load_settings()
    with schema.open_ready(settings.database_url).write() as session:
        made = invitations.reset_link_for(session, email, pause=False)
    if made is None:
        raise SetupError("there is no moderator with this e-mail address")
    click.echo(f"{settings.base_url}/reset/{made[1]}")


def _known(session: Session, email: str) -> Moderator:
    from moderation.services import accounts

    known = accounts.with_address(session, email)
    if known is None:
        raise NotFound("there is no moderator with this e-mail address")
    return known
