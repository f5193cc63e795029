"""Settings that work, and that should not be used like this."""

import ipaddress
from urllib.parse import urlsplit

from moderation.services.doctor.found import Context, Finding, ok, warning, wrong

_SECRET_LENGTH = 32


def settings(context: Context) -> Finding:
    """What is set only halfway."""
    if gaps := context.settings.gaps():
        return wrong("; ".join(gaps), "set what is missing and start again")
    return ok("nothing is set halfway")


def secret_key(context: Context) -> Finding:
    """Long enough not to be guessed, and not made of one letter."""
    key = context.settings.secret_key
    if len(key) < _SECRET_LENGTH:
        todo = "set MODERATION_SECRET_KEY to the output of: openssl rand -hex 32"
        return wrong(f"it has {len(key)} characters; {_SECRET_LENGTH} are needed", todo)
    if len(set(key)) < 10:
        return warning("it has few different characters, so it may be guessed", "change it (docs/operate.md)")
    return ok(f"{len(key)} characters")


def web(context: Context) -> Finding:
    """Cookies and addresses behind a proxy with TLS."""
    base = context.settings.base_url
    if not base:
        return warning(
            "MODERATION_BASE_URL is not set", "set the public address: links in letters and statements need it"
        )
    if _local(base):
        return ok("only this machine is served")
    if urlsplit(base).scheme != "https":
        return wrong(
            "the public address is not https", "put a proxy with TLS before it; set MODERATION_BASE_URL to https"
        )
    if not context.settings.trusted_proxies:
        todo = "set MODERATION_TRUSTED_PROXIES to the number of proxies before it, else all callers count as one"
        return warning("no proxy is trusted", todo)
    return ok("https, secure cookies, callers known by their own address")


def demo(context: Context) -> Finding:
    """The demo takes comments from everybody."""
    if context.settings.demo and not _local(context.settings.base_url):
        return wrong("the demo article is served in public", "start without --demo and MODERATION_DEMO")
    return ok("on, on this machine only" if context.settings.demo else "off")


def _local(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
