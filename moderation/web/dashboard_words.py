"""The dashboard's figures in words: durations, shares, reasons, and the names of its parts."""

from datetime import UTC, datetime, timedelta

from babel.dates import format_datetime, format_timedelta
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit
from flask_babel import gettext as _
from flask_babel import lazy_gettext as marked

from moderation.domain.lifecycle import REJECT_REASONS
from moderation.services.dashboard import ELSEWHERE
from moderation.services.dashboard_parts import Share
from moderation.web.words import locale, rule_name

SPAN_WORDS = {"24h": marked("24 hours"), "7d": marked("7 days"), "30d": marked("30 days")}
VERDICT_WORDS = {
    "approve": marked("Approved at once"),
    "hold": marked("Held for a person"),
    "reject": marked("Rejected at once"),
}


def number(value: float) -> str:
    """A count, with its thousands set apart."""
    return str(format_decimal(value, locale=locale()))


def percent(value: float) -> str:
    """A share; parts of a hundredth only where they matter."""
    digits = "0" if value >= 0.1 or value == 0 else "0.#" if value >= 0.001 else "0.###"
    return str(format_percent(value, f"#,##{digits}%", locale=locale()))


def duration(ms: int | None) -> str:
    """Milliseconds as one would say them; a dash for none."""
    if ms is None:
        return "–"
    if ms < 10_000:
        return str(format_unit(round(ms / 1000, 1), "second", length="short", locale=locale()))
    return str(format_timedelta(timedelta(milliseconds=ms), threshold=1.5, format="short", locale=locale()))


def share(share: Share) -> str:
    """A measured share with its interval, or that there is not enough yet."""
    if share.share is None or share.low is None or share.high is None:
        return _("not enough yet (%(number)s)", number=number(share.of))
    return _("%(share)s (%(low)s to %(high)s)", share=percent(share.share), low=percent(share.low),
             high=percent(share.high))  # fmt: skip


def reason(code: str) -> str:
    """Why a comment was rejected."""
    if code == ELSEWHERE:
        return _("Reasons of the site's own staff")
    return _(REJECT_REASONS[code][1]) if code in REJECT_REASONS else _("No reason given")


def rule(name: str) -> str:
    """A rule as the queue calls it."""
    return rule_name(name)


def bar_label(at: int, step: int) -> str:
    """The hour or the day (UTC) that a bar stands for."""
    pattern = "HH:mm" if step < 86_400_000 else "d MMM"
    return str(format_datetime(datetime.fromtimestamp(at / 1000, UTC), pattern, locale=locale()))
