"""The writer of checks: there while something waits, and gone with the app; a database that is away costs nothing."""

import logging
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select

from moderation.services import check_log
from moderation.services.check_log import CheckLog
from moderation.store.feedback import Check
from moderation.store.session import Store, new_id, now_ms
from tests.databases import until


def row(site_id: str) -> dict[str, object]:
    return {
        "id": new_id(), "site_id": site_id, "interface": "akismet", "at": now_ms(), "match": "m", "scorer": None,
        "scores": {}, "outcome": "approve", "text": None, "blog": None, "answer": "ham",
    }  # fmt: skip


def written(store: Store) -> int:
    with store.read() as session:
        return session.scalar(select(func.count()).select_from(Check)) or 0


def writers() -> int:
    return sum(thread.name == "check log" for thread in threading.enumerate())


def test_it_writes_aside_and_ends_when_nothing_waits(store: Store, site: tuple[str, str]) -> None:
    log = CheckLog(store)
    for number in (1, 2):
        log.add(row(site[0]))
        until(lambda n=number: written(store) == n, what="the row to be written")  # type: ignore[misc]
        until(lambda: writers() == 0, what="the writer to end")


def test_its_end_writes_what_waits_and_leaves_nobody_behind(
    store: Store, site: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_log, "_PAUSE", 3600.0)
    log = CheckLog(store)
    log.add(row(site[0]))
    assert (writers(), written(store)) == (1, 0)
    log.close()
    assert (writers(), written(store)) == (0, 1)


def test_a_database_that_is_away_keeps_rows_waiting_and_its_end_is_said_once(
    tmp_path: Path,
    store: Store,
    site: tuple[str, str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(check_log, "_PAUSE", 0.01)
    away = Store(f"sqlite:///{tmp_path / 'nowhere' / 'x.sqlite3'}")
    log = CheckLog(away)
    with caplog.at_level(logging.ERROR):
        log.add(row(site[0]))
        until(lambda: "checks can't be written" in caplog.text, what="the failure to be said")
        log._store = store  # it is back
        log.close()
    assert (writers(), written(store)) == (0, 1)
    assert caplog.text.count("can't be written") == 1
