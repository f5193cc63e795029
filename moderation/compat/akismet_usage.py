"""Akismet's 1.2 calls: how often a site asked, and how often its people said otherwise."""

from dataclasses import asdict
from typing import Any

from flask import Response, json

from moderation.compat.akismet_checks import INTERFACE
from moderation.compat.akismet_fields import Fields
from moderation.http import service
from moderation.services import check_counts
from moderation.services.check_counts import Counts, Month
from moderation.web import csv_lines

_ORDERS = {"total": "api_calls"} | {name: name for name in ("spam", "ham", "missed_spam", "false_positives")}
_HEADER = ("Site", "Total API Calls", "Spam", "Ham", "Missed Spam", "False Positives", "Is Revoked")
_MOST_ROWS = 500
_MOST_DIGITS = 9


def usage_limit(_fields: Fields, site_id: str) -> Response:
    """How many checks this month; there is no limit."""
    with service().store.read() as session:
        usage = check_counts.asked(session, site_id, INTERFACE, Month.now())
    return _json({"limit": "none", "usage": usage, "percentage": "0.00", "throttled": False})


def key_sites(fields: Fields, site_id: str) -> Response:
    """Counts by blog in one month, as JSON or CSV. Raises Invalid for a month that can't be."""
    month = Month.of(fields.get("month").strip()) if fields.get("month") else Month.now()
    with service().store.read() as session:
        rows = check_counts.by_blog(session, site_id, INTERFACE, month)
    wanted = fields.get("filter").strip()
    rows = [row for row in rows if wanted in row.blog]
    order = _ORDERS.get(fields.get("order").strip(), "api_calls")
    rows.sort(key=lambda row: getattr(row, order), reverse=True)
    limit, offset = min(_number(fields, "limit", _MOST_ROWS), _MOST_ROWS), _number(fields, "offset", 0)
    shown = rows[offset : offset + limit]
    if fields.get("format").strip() == "csv":
        return _csv(month, shown)
    return _json({month.name: [_row(row) for row in shown], "limit": limit, "offset": offset, "total": len(rows)})


def _row(row: Counts) -> dict[str, Any]:
    numbers = {name: str(value) for name, value in asdict(row).items() if name != "blog"}
    return {"site": row.blog, **numbers, "is_revoked": False}


def _csv(month: Month, rows: list[Counts]) -> Response:
    lines = [[f"Active sites for {month.name}"], _HEADER, *([*asdict(row).values(), "false"] for row in rows)]
    return Response("".join(map(csv_lines.line, lines)), mimetype="text/csv")


def _json(content: dict[str, Any]) -> Response:
    return Response(json.dumps(content), mimetype="application/json")


def _number(fields: Fields, name: str, default: int) -> int:
    given = fields.get(name).strip()
    return int(given) if given.isascii() and given.isdecimal() and len(given) <= _MOST_DIGITS else default
