"""How many rows there are in each of many short ranges of an index: one statement for all, no count above a limit."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

# What a range is of -> its condition; `w` is the range, and each begins like an index.
_CONDITIONS = {
    "author": "comments WHERE site_id = w.site AND author_key = w.who AND id BETWEEN w.low AND w.high",
    "address": "comments WHERE site_id = w.site AND ip = w.who AND id BETWEEN w.low AND w.high",
    "author_here": "comments WHERE site_id = w.site AND author_key = w.who AND id BETWEEN w.low AND w.high"
    " AND article_id = w.place",
    "band": "fingerprints WHERE site_id = w.site AND band = CAST(w.who AS BIGINT) AND at >= CAST(w.low AS BIGINT)"
    " AND at <= CAST(w.high AS BIGINT) AND comment_id <= w.place",
}
_FROM = {
    "postgresql": "json_to_recordset(CAST(:windows AS json))"
    " AS w(site text, who text, low text, high text, place text)",
    "sqlite": "(SELECT json_extract(value, '$.site') AS site, json_extract(value, '$.who') AS who,"
    " json_extract(value, '$.low') AS low, json_extract(value, '$.high') AS high,"
    " json_extract(value, '$.place') AS place FROM json_each(:windows)) AS w",
}


class Window(NamedTuple):
    """A range: ids of comments from `low` to `high`, of one author or address; or times of one band, as text.

    `place` narrows it further: the article, or for a band the last comment that counts.
    """

    site: str
    who: str
    low: str
    high: str
    place: str | None = None


def counts(session: Session, kind: str, windows: Sequence[Window], most: int) -> dict[Window, int]:
    """How many rows each range holds, counted up to `most`: so it costs the same whatever the table holds."""
    if not windows:
        return {}
    given = json.dumps([window._asdict() for window in set(windows)])
    source = _FROM[session.get_bind().dialect.name]
    found = f"SELECT 1 FROM {_CONDITIONS[kind]} LIMIT :most"  # nosec B608 # noqa: S608 (texts of ours)
    shown = f"w.site, w.who, w.low, w.high, w.place, (SELECT count(*) FROM ({found}) f)"  # nosec B608 # noqa: S608 (ours)
    statement = text(f"SELECT {shown} FROM {source}")  # nosec B608 # noqa: S608 (ours)
    rows: Sequence[Any] = session.execute(statement, {"windows": given, "most": most}).all()
    return {Window(*row[:5]): int(row[5]) for row in rows}


def since(at: int) -> str:
    """The least id of what came in at this time (milliseconds) or later: ids begin with it."""
    return f"{max(0, at):012x}"
