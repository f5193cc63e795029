"""/dashboard: how moderation goes, in figures and small plots; for seniors and admins. Each figure also as CSV."""

from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext as _

from moderation.domain.lifecycle import Role
from moderation.errors import Invalid, NotFound
from moderation.http import service
from moderation.services import dashboard
from moderation.services.dashboard import SPANS, Bar, Dashboard
from moderation.services.views import iso
from moderation.store.session import now_ms
from moderation.web import charts, csv_lines, rooms
from moderation.web import dashboard_words as said
from moderation.web.charts import Chart, Series
from moderation.web.session import person, require_sign_in

pages = Blueprint("dashboard", __name__, url_prefix="/dashboard")

_FIRST = "24h"
_FRESH_MS = 15_000


@pages.before_request
def _seniors_only() -> Response | None:
    if (answer := require_sign_in()) is not None:
        return answer
    rooms.need(Role.SENIOR)
    return None


@pages.get("")
def overview() -> str:
    """All figures of the span that the address names."""
    shown = _figures()
    labels = [said.bar_label(bar.at, shown.span.step) for bar in shown.flow]
    return render_template(
        "dashboard.html", d=shown, s=said, spans=said.SPAN_WORDS, flow=_flow_chart(shown.flow, labels),
        waits=_waits_chart(shown.flow, labels), bars=list(zip(labels, shown.flow, strict=True)), fresh_ms=_FRESH_MS,
    )  # fmt: skip


@pages.get("/<figure>.csv")
def table(figure: str) -> Response:
    """One figure as CSV: the names are fixed, times in UTC, durations in milliseconds."""
    if figure not in TABLES:
        raise NotFound(_("there is no such figure"))
    names, rows = TABLES[figure]
    shown = _figures()
    lines = [csv_lines.line(names.split()), *(csv_lines.line(row) for row in rows(shown))]
    named = f"{figure}-{shown.span.name}.csv"
    return Response(
        "".join(lines), mimetype="text/csv", headers={"Content-Disposition": f'attachment; filename="{named}"'}
    )


def _figures() -> Dashboard:
    name = request.args.get("span", _FIRST)
    if name not in SPANS:
        raise Invalid(_("span must be one of %(names)s", names=", ".join(SPANS)), extra={"field": "span"})
    with service().store.read() as session:
        return dashboard.dashboard(session, person().site_id, person().id, dashboard.span(name, now_ms()))


def _flow_chart(bars: Sequence[Bar], labels: Sequence[str]) -> Chart:
    series = [
        Series(_("Held"), [bar.held for bar in bars], "hollow"),
        Series(_("Decided"), [bar.decided for bar in bars], "solid"),
    ]
    text = _("%(held)s held and %(decided)s decided.", held=said.number(sum(bar.held for bar in bars)),
             decided=said.number(sum(bar.decided for bar in bars)))  # fmt: skip
    return Chart("flow", _("Into the queue and out of it"), text, labels, series, charts.top_of(series))


def _waits_chart(bars: Sequence[Bar], labels: Sequence[str]) -> Chart:
    minutes = [None if bar.median_ms is None else bar.median_ms / 60_000 for bar in bars]
    series = [Series(_("Median wait in minutes"), minutes)]
    longest = max((bar.median_ms for bar in bars if bar.median_ms is not None), default=None)
    text = _("The longest median is %(wait)s.", wait=said.duration(longest))
    return Chart("waits", _("From held to decided"), text, labels, series, charts.top_of(series))


_Rows = Callable[[Dashboard], list[Sequence[Any]]]


def _time(at: int | None) -> str | None:
    return None if at is None else iso(at)


def _rules(d: Dashboard) -> list[Sequence[Any]]:
    return [
        (one.rule, one.held, round(one.of_comments, 6), one.overturned.of, one.overturned.count, one.overturned.share,
         one.overturned.low, one.overturned.high) for one in d.rules
    ]  # fmt: skip


def _voices(d: Dashboard) -> list[Sequence[Any]]:
    return [
        (name, one.made, one.open, one.moot, one.granted.of, one.granted.count, one.granted.share, one.granted.low,
         one.granted.high) for name, one in (("reports", d.reports), ("appeals", d.appeals))
    ]  # fmt: skip


# Figure -> (names of its columns, its rows).
TABLES: dict[str, tuple[str, _Rows]] = {
    "queue": ("waiting oldest", lambda d: [(d.queue.waiting, _time(d.queue.oldest_at))]),
    "flow": ("begin held decided median_wait_ms",
             lambda d: [(iso(bar.at), bar.held, bar.decided, bar.median_ms) for bar in d.flow]),
    "waits": ("decided median_ms p90_ms", lambda d: [(d.waits.decided, d.waits.median_ms, d.waits.p90_ms)]),
    "pace": ("people sessions team_median_ms own_sessions own_median_ms", lambda d: [
        (d.pace.people, d.pace.sessions, d.pace.team_ms, d.pace.own_sessions, d.pace.own_ms)]),
    "reasons": ("reason rejections", lambda d: list(d.reasons.items())),
    "rules": ("rule held share_of_comments ruled overturned share low high", _rules),
    "automatic": ("outcome verdicts", lambda d: list(d.automatic.items())),
    "statuses": ("status comments", lambda d: list(d.statuses.items())),
    "voices": ("kind made open moot decided granted share low high", _voices),
    "webhook": ("set waiting retried failed_24h given_up_24h last_success last_status last_error", lambda d: [
        (d.webhook.set, d.webhook.waiting, d.webhook.retried, d.webhook.failed, d.webhook.given_up,
         _time(d.webhook.last_success_at), d.webhook.last_status, d.webhook.last_error)]),
    "workers": ("seen scorer scorer_works", lambda d: [
        (iso(one.seen_at), one.scorer, one.scorer_works) for one in d.workers]),
}  # fmt: skip
