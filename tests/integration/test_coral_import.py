"""`moderation import coral`, on both databases."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from moderation.cli import main
from moderation.store.audit import AuditEvent
from moderation.store.session import Store
from moderation.store.tables import Article, Comment, Decision, Event
from tests.services import ABUSE
from tests.unit.test_coral_export import exported, write

CIVIL = "Thank you, a clear summary of the plan for the road."
Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str, site: tuple[str, str]) -> Run:
    def invoke(*arguments: object) -> Result:
        env = {"MODERATION_DATABASE_URL": database_url, "MODERATION_SCORER": "linear"}
        return CliRunner().invoke(main, ["import", "coral", *map(str, arguments)], env=env, catch_exceptions=False)

    return invoke


def history() -> list[dict[str, Any]]:
    """Abuse that the old score saw, abuse that it missed, civil talk that it held, and what nobody decided."""
    rows = [exported(f"a{n}", body=f"<div>{ABUSE} {n}</div>", score=0.95, status="REJECTED") for n in range(6)]
    rows += [exported(f"m{n}", body=f"<div>{ABUSE} Number {n}.</div>", score=0.1, status="REJECTED") for n in range(3)]
    rows += [exported(f"c{n}", body=f"<div>{CIVIL} {n}</div>", score=0.05 + n / 100) for n in range(12)]
    rows += [exported(f"h{n}", body=f"<div>{CIVIL} Part {n}.</div>", score=0.9) for n in range(3)]
    rows += [exported(f"n{n}", body=f"<div>{CIVIL} Page {n}.</div>", score=0.02, status="NONE") for n in range(4)]
    return rows


def lines(folder: Path, rows: list[dict[str, Any]], *more: str) -> Path:
    return write(folder, "\n".join([*map(json.dumps, rows), *more]))


def stored(store: Store) -> dict[str, Comment]:
    with store.read() as session:
        return {comment.external_id: comment for comment in session.scalars(select(Comment))}


def test_decided_comments_are_history_and_labels(run: Run, store: Store, tmp_path: Path) -> None:
    answer = run(lines(tmp_path, history()))
    assert answer.exit_code == 0, answer.output
    assert "28 comments read" in answer.output
    assert "24 stored with the status they had" in answer.output
    assert "4 undecided, not stored" in answer.output
    kept = stored(store)
    assert len(kept) == 24
    assert {id: kept[id].status for id in ("a0", "m0", "c0", "h0")} == {
        "a0": "rejected", "m0": "rejected", "c0": "approved", "h0": "approved",
    }  # fmt: skip
    assert (kept["c0"].body, kept["c0"].format) == (f"<div>{CIVIL} 0</div>", "html")
    assert (kept["c0"].created_at, kept["c0"].author_id) == (1_714_564_800_123, "u1")
    with store.read() as session:
        decisions = list(session.scalars(select(Decision)))
        assert {decision.source for decision in decisions} == {"site"}
        assert all(decision.scores["TOXICITY"] >= 0 for decision in decisions)
        assert session.scalar(select(Event)) is None  # nobody is told of what is old
        assert len(decisions) == 24
        assert session.scalar(select(Article.url)) == "https://coral.invalid/story/s1"


def test_a_second_time_adds_nothing(run: Run, store: Store, tmp_path: Path) -> None:
    path = lines(tmp_path, history())
    first, before = run(path), stored(store)
    again = run(path)
    assert "24 were here before" in again.output
    assert "stored with" not in again.output
    assert {id: comment.version for id, comment in stored(store).items()} == {id: c.version for id, c in before.items()}
    # The figures are of the file, whatever was stored.
    assert (
        first.output[first.output.index("28 comments have") :] == again.output[again.output.index("28 comments have") :]
    )
    run(lines(tmp_path, [exported("c0", body="<div>Another text.</div>")]))
    assert stored(store)["c0"].body == f"<div>{CIVIL} 0</div>"


def test_what_a_run_left_behind_workers_finish(
    run: Run, store: Store, tmp_path: Path, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moderation.services.coral_import._LEASE_MS", -1)
    monkeypatch.setattr("moderation.services.decide.decide_scored", lambda *_: 0)
    run(lines(tmp_path, history()))
    assert {comment.status for comment in stored(store).values()} == {"pending"}
    monkeypatch.undo()
    assert work() == 24
    assert stored(store)["a0"].status == "rejected"


def test_the_report_names_threshold_and_changes(run: Run, tmp_path: Path) -> None:
    path, report = lines(tmp_path, history()), tmp_path / "report.json"
    answer = run(path, "--report", report)
    figures = json.loads(report.read_text())
    found = figures["agreement"]
    assert (found["attribute"], found["comments"]) == ("TOXICITY", 28)
    threshold = found["threshold"]
    assert (threshold["old_holds"], threshold["new_holds"]) == (9, 9)
    assert sorted(one["id"] for one in threshold["changed"] if one["now"] == "held") == ["m0", "m1", "m2"]
    assert sorted(one["id"] for one in threshold["changed"] if one["now"] == "passed") == ["h0", "h1", "h2"]
    assert {one["decided"] for one in threshold["changed"]} == {"approved", "rejected"}
    assert all("text" not in one for one in threshold["changed"])
    moderated = found["moderated"]
    assert (moderated["approved"], moderated["rejected"]) == (15, 9)
    assert moderated["auc_new"]["value"] == 1
    assert moderated["auc_old"]["value"] < 0.9
    assert moderated["auc_gain"]["value"] == pytest.approx(1 - moderated["auc_old"]["value"], abs=1e-4)
    assert -1 < found["rank_correlation"]["low"] < found["rank_correlation"]["value"] < 1
    assert "3 newly held, 3 no longer held" in answer.output
    assert "Decisions exist only where somebody looked" in answer.output
    assert "idiot" not in answer.output
    assert report.stat().st_mode & 0o777 == 0o600


def test_texts_stand_in_the_report_on_request_only(run: Run, tmp_path: Path) -> None:
    path, report = lines(tmp_path, history()), tmp_path / "report.json"
    answer = run(path, "--report", report, "--with-text")
    changed = {one["id"]: one["text"] for one in json.loads(report.read_text())["agreement"]["threshold"]["changed"]}
    assert changed["h0"] == f"{CIVIL} Part 0."
    assert "idiot" not in answer.output
    assert run(path, "--with-text").exit_code == 2


def test_another_old_threshold(run: Run, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    path = lines(tmp_path, history())
    run(path, "--old-threshold", "0.92", "--report", report)
    threshold = json.loads(report.read_text())["agreement"]["threshold"]
    # All nine abusive comments have one score here, so that six alone can't be held.
    assert (threshold["old"], threshold["old_holds"], threshold["new_holds"]) == (0.92, 6, 9)
    answer = run(path, "--old-threshold", "1", "--report", report)
    assert json.loads(report.read_text())["agreement"]["threshold"]["new"] is None
    assert "above 1.0 nowhere" in answer.output


def test_bad_lines_are_named_and_the_others_count(run: Run, store: Store, tmp_path: Path) -> None:
    answer = run(lines(tmp_path, [exported("c1")], "{", json.dumps(exported("c2", status="SEEN")), *(["nil"] * 30)))
    assert answer.exit_code == 0
    assert "32 lines that can't be used" in answer.output
    assert "line 2: not_json" in answer.output
    assert "line 3: bad_field (status)" in answer.output
    assert answer.output.count("not_json") == 19
    assert list(stored(store)) == ["c1"]


def test_without_old_scores_there_is_no_comparison(run: Run, store: Store, tmp_path: Path) -> None:
    plain = exported("c1", revisions=[{"id": "r", "body": "<div>Thank you.</div>"}])
    unknown = exported("c2")
    unknown["revisions"][-1]["metadata"]["perspective"]["model"] = "FLIRTATION"
    answer = run(lines(tmp_path, [plain, unknown, plain | {"id": "c3", "status": "NONE"}]))
    assert "There are no old scores to compare with." in answer.output
    assert "1 old scores of an attribute that is not scored here" in answer.output
    assert sorted(stored(store)) == ["c1", "c2"]


def test_the_commonest_attribute_is_compared(run: Run, tmp_path: Path) -> None:
    rows = history()
    for number, row in enumerate(rows):
        model = "SEVERE_TOXICITY@2" if number % 5 == 0 else "TOXICITY@6"
        row["revisions"][-1]["metadata"]["perspective"]["model"] = model
    answer = run(lines(tmp_path, rows))
    assert "22 comments have an old score of TOXICITY." in answer.output
    assert "Not compared: 6 of SEVERE_TOXICITY." in answer.output


def test_stories_give_addresses_and_unknown_authors_stay_apart(run: Run, store: Store, tmp_path: Path) -> None:
    stories = tmp_path / "stories.json"
    story = {"id": "s1", "url": "https://news.example/road", "metadata": {"title": "The road", "section": "City"}}
    stories.write_text(json.dumps(story) + "\n{\n")
    rows = [exported("c1", parentID="c0"), exported("c2", authorID=None), exported("c3", authorID=None)]
    answer = run(lines(tmp_path, rows), "--stories", stories)
    assert "line 2: not_json" in answer.output
    with store.read() as session:
        (article,) = session.scalars(select(Article))
        assert (article.url, article.title, article.section) == ("https://news.example/road", "The road", "City")
    kept = stored(store)
    assert kept["c1"].parent_external_id == "c0"
    assert kept["c2"].author_name == "unknown"
    assert len({comment.author_key for comment in kept.values()}) == 3


def test_what_can_not_work_is_said_in_one_line(run: Run, tmp_path: Path, store: Store) -> None:
    path = lines(tmp_path, history()[:1])
    assert "no such site" in run(path, "--site", "nobody").output
    assert run(tmp_path / "none.json").exit_code == 2
    answer = run(path, "--report", tmp_path / "no" / "folder.json")
    assert answer.exit_code == 1
    assert "the report can't be written: No such file" in answer.output
    assert run(path, "--old-threshold", "80").exit_code == 2


def test_the_audit_names_no_text(run: Run, store: Store, tmp_path: Path) -> None:
    run(lines(tmp_path, history()))
    with store.read() as session:
        assert "idiot" not in str([event.data for event in session.scalars(select(AuditEvent))])
