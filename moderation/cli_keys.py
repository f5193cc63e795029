"""`moderation site key`, `keys` and `webhook`: a site's keys and its signing secret, made, replaced and ended."""

import json

import click

from moderation.config import load_settings
from moderation.errors import Invalid
from moderation.store import schema
from moderation.store.session import now_ms

_HOUR = 3_600_000


@click.command()
@click.option("--site", "name", help="Name or id; may be left out when there is only one.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(["submit", "read", "score"]),
              help="What the key may do; may be given more than once; without it, everything.")  # fmt: skip
@click.option("--rotate", metavar="ID", help="Make it in place of this key, with the same scopes.")
@click.option("--overlap-hours", default=168.0, show_default=True, type=click.FloatRange(0, 8760),
              help="How long the key that is replaced works on.")  # fmt: skip
@click.option("--revoke", metavar="ID", help="End this key at once, and make none.")
def key(
    name: str | None, scopes: tuple[str, ...], rotate: str | None, overlap_hours: float, revoke: str | None
) -> None:
    """Make a further key of a site, or one in place of another; prints it, once."""
    from moderation.services import site_keys, sites

    if sum(map(bool, (scopes, rotate, revoke))) > 1:
        raise Invalid("give one of --scope, --rotate and --revoke")
    with schema.open_ready(load_settings().database_url).write() as session:
        found = sites.find_site(session, name)
        if revoke:
            site_keys.revoke(session, found.id, revoke, now_ms())
            made = None
        elif rotate:
            made = site_keys.rotate(session, found.id, rotate, now_ms(), overlap_ms=round(overlap_hours * _HOUR))
        else:
            made = sites.create_key(session, found.id, scopes or sites.SCOPES)
    click.echo(json.dumps({"site_id": found.id, **({"site_key": made} if made else {"revoked": revoke})}, indent=2))


@click.command()
@click.option("--site", "name", help="Name or id; may be left out when there is only one.")
def keys(name: str | None) -> None:
    """List a site's keys by their ids: what each may do, since when, until when; never the key itself."""
    from moderation.services import site_keys, sites
    from moderation.services.views import iso

    with schema.open_ready(load_settings().database_url).read() as session:
        for one in site_keys.of_site(session, sites.find_site(session, name).id):
            ends = None if one.expires_at is None else iso(one.expires_at)
            times = {"created_at": iso(one.created_at), "expires_at": ends}
            times["used_at"] = None if one.used_at is None else iso(one.used_at)
            click.echo(json.dumps({"id": site_keys.key_id(one), "scopes": one.scopes} | times))


@click.command()
@click.argument("url", required=False)
@click.option("--site", "name", help="Name or id; may be left out when there is only one.")
@click.option("--remove", is_flag=True, help="Send no webhooks any more.")
@click.option("--rotate", is_flag=True, help="Make a new secret; both sign for the overlap.")
@click.option("--overlap-hours", default=24.0, show_default=True, type=click.FloatRange(0, 8760),
              help="How long the secret that is replaced signs beside the new one.")  # fmt: skip
def webhook(url: str | None, name: str | None, remove: bool, rotate: bool, overlap_hours: float) -> None:
    """Set the webhook of a site, or change its secret; prints the new signing secret."""
    from moderation.services import sites, webhook_secrets

    if sum((url is not None, remove, rotate)) != 1:
        raise click.UsageError("give an address, --remove or --rotate")
    with schema.open_ready(load_settings().database_url).write() as session:
        found = sites.find_site(session, name)
        if rotate:
            secret = webhook_secrets.rotate(session, found, now_ms(), round(overlap_hours * _HOUR))
        else:
            secret = sites.set_webhook(session, found, url) or ""
        click.echo(json.dumps({"url": found.webhook_url, "secret": secret or None}, indent=2))
