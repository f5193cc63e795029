"""/metrics: who may read it, what it counts, and that many processes count together in files that don't grow."""

import contextlib
import multiprocessing
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event, update

from moderation import metrics
from moderation.app import create_app
from moderation.config import Settings
from moderation.domain.lifecycle import Outcome, Source
from moderation.services import deliveries, health, measures, sites
from moderation.services.record import record
from moderation.services.rulings import Ruling
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Event, Site
from tests.integration.pages import Person
from tests.integration.receiver import Receiver
from tests.integration.receiver import receiver as receiver  # a fixture
from tests.services import ABUSE, a_comment, bearer

ROOT = Path(__file__).resolve().parents[2]


def read(text: str) -> dict[tuple[str, ...], float]:
    """(name, label values in the order of their names…) -> value."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text) for sample in family.samples
    }  # fmt: skip


@pytest.fixture
def scrape(app: Flask) -> Callable[[], dict[tuple[str, ...], float]]:
    def get() -> dict[tuple[str, ...], float]:
        app.extensions["gauges"]._read_at = float("-inf")
        answer = app.test_client().get("/metrics")
        assert answer.status_code == 200
        return read(answer.text)

    return get


def test_what_happens_is_counted(
    scrape: Any, client: FlaskClient, store: Store, site: tuple[str, str], work: Any, ann: Person, receiver: Receiver,
    settings: Settings,
) -> None:  # fmt: skip
    before = scrape()
    batch = [a_comment(f"b{n}") for n in range(3)] + [a_comment("c1")]
    client.post("/v1/comments", json=a_comment("c1"), headers=bearer(site[1]))
    client.post("/v1/comments/batch", json={"comments": batch}, headers=bearer(site[1]))
    held = client.post("/v1/comments", json=a_comment("bad", ABUSE), headers=bearer(site[1])).json["id"]
    with store.write() as session:
        sites.set_webhook(session, session.get_one(Site, site[0]), receiver.url)
    work()
    receiver.answers = [500]
    deliveries.deliver_due(store, settings.model_copy(update={"webhook_allow_private": True}))
    ann.see("/review")
    assert ann.send(f"/review/{held}/reject", version="2", reason="insult").status_code in (200, 303)
    after = scrape()
    grown = {key: after[key] - before.get(key, 0.0) for key in after if key[0].endswith(("_total", "_count"))}
    assert grown[("moderation_comments_accepted_total", "api")] == 2
    assert grown[("moderation_comments_accepted_total", "batch")] == 3
    assert grown[("moderation_decisions_total", "approve", "policy")] == 4
    assert grown[("moderation_decisions_total", "hold", "policy")] == 1
    assert grown[("moderation_decisions_total", "reject", "moderator")] == 1
    assert grown[("moderation_scored_comments_total",)] == 5
    assert grown[("moderation_scoring_batch_seconds_count",)] == 1
    assert grown[("moderation_webhook_posts_total", "failed")] == 1
    assert grown[("moderation_http_requests_total", "POST", "/v1/comments", "202")] == 2
    assert grown[("moderation_http_request_seconds_count", "POST", "/v1/comments/batch")] == 1


def test_only_what_is_committed_counts(scrape: Any, client: FlaskClient, store: Store, site: tuple[str, str]) -> None:
    id = client.post("/v1/comments", json=a_comment(), headers=bearer(site[1])).json["id"]
    before = scrape()
    with contextlib.suppress(RuntimeError), store.write() as session:
        record(session, [Ruling(session.get_one(Comment, id), Outcome.APPROVE, Source.POLICY)], now_ms())
        raise RuntimeError
    with store.read() as session:
        assert session.get_one(Comment, id).status == "pending"
    of_policy = [key for key in before if key[0] == "moderation_decisions_total"]
    after = scrape()
    assert {key: after[key] for key in of_policy} == {key: before[key] for key in of_policy}


def test_the_gauges_say_what_waits(
    scrape: Any, client: FlaskClient, store: Store, site: tuple[str, str], work: Any, classifier: Any
) -> None:
    client.post("/v1/comments", json=a_comment("bad", ABUSE), headers=bearer(site[1]))
    work()
    client.post("/v1/comments", json=a_comment("late"), headers=bearer(site[1]))
    with store.write() as session:
        session.execute(update(Comment).values(received_at=now_ms() - 60_000))
        session.execute(update(Event).values(position=None, release_at=now_ms() - 60_000))
        health.sign_of_life(session, "one", classifier, now_ms() - 2_000)
    said = {key[0]: value for key, value in scrape().items()}
    for name in ("oldest_pending_seconds", "oldest_held_seconds", "outbox_lag_seconds"):
        assert 60 <= said[f"moderation_{name}"] < 600, name
    assert [said[f"moderation_{name}"] for name in ("pending_comments", "held_comments", "workers_alive")] == [1, 1, 1]
    assert said["moderation_worker_seen_seconds"] >= 2
    assert said["moderation_database_up"] == 1


def test_without_a_database_the_counts_are_still_there(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"database_url": "postgresql+psycopg://a@127.0.0.1:1/x"}))
    said = read(app.test_client().get("/metrics").text)
    assert said[("moderation_database_up",)] == 0
    assert any(key[0] == "moderation_build_info" for key in said)


def test_it_is_not_for_everybody(app: Flask, settings: Settings) -> None:
    client = app.test_client()
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "192.0.2.1"}).status_code == 403
    assert client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 403
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "::1"}).status_code == 200
    closed = create_app(settings.model_copy(update={"metrics_token": "a-token"})).test_client()
    assert closed.get("/metrics").status_code == 401
    assert closed.get("/metrics", headers=bearer("a-tokem")).status_code == 401
    far = closed.get("/metrics", headers=bearer("a-token"), environ_base={"REMOTE_ADDR": "192.0.2.1"})
    assert far.status_code == 200


def _count_in(folder: str, hold: Any) -> None:
    metrics.begin(Path(folder), "job")
    metrics.accepted("api", 2)
    if hold is not None:
        hold.wait(60)


def test_processes_count_together_and_leave_no_files_behind(tmp_path: Path) -> None:
    """Fifty short processes one after the other share one place; two at the same time have two."""
    fork = multiprocessing.get_context("fork")
    barrier = fork.Barrier(3)
    both = [fork.Process(target=_count_in, args=(str(tmp_path), barrier)) for _ in range(2)]
    for process in both:
        process.start()
    barrier.wait(60)
    for process in both:
        process.join(60)
    for _ in range(48):
        process = fork.Process(target=_count_in, args=(str(tmp_path), None))
        process.start()
        process.join(60)
    files = sorted(file.name for file in tmp_path.iterdir())
    reader = fork.Process(target=_read_in, args=(str(tmp_path), str(tmp_path / "said")))
    reader.start()
    reader.join(60)
    assert read((tmp_path / "said").read_text())[("moderation_comments_accepted_total", "api")] == 100
    assert [name for name in files if name.endswith(".lock")] == ["job-0.lock", "job-1.lock"]
    assert len(files) == 6


def _read_in(folder: str, out: str) -> None:
    metrics.begin(Path(folder), "web")
    Path(out).write_bytes(metrics.exposition())


def test_labels_are_few_and_hold_nothing_of_a_request(scrape: Any, client: FlaskClient) -> None:
    client.open("/v1/comments/geheim?x=geheim", method="GEHEIM")
    client.get("/geheim")
    said = scrape()
    assert not [key for key in said if "geheim" in " ".join(key).lower()]
    assert any(key[:2] == ("moderation_http_requests_total", "other") for key in said)


def test_the_example_alerts_ask_for_what_there_is(scrape: Any, client: FlaskClient, site: tuple[str, str]) -> None:
    client.post("/v1/comments", json=a_comment(), headers=bearer(site[1]))
    names = {key[0] for key in scrape()} | {family + "_total" for family in ("moderation_webhook_posts",)}
    names |= {"moderation_decisions_total"}
    rules = yaml.safe_load((ROOT / "docs/prometheus/alerts.yml").read_text("utf-8"))
    asked = [rule for group in rules["groups"] for rule in group["rules"]]
    assert len(asked) >= 8
    for rule in asked:
        used = set(re.findall(r"moderation_[a-z_]+", rule["expr"]))
        assert used <= names, rule["alert"]
        assert {"summary", "todo"} <= set(rule["annotations"])
    scraped = yaml.safe_load((ROOT / "docs/prometheus/scrape.yml").read_text("utf-8"))
    assert {job["job_name"] for job in scraped["scrape_configs"]} == {"moderation-web", "moderation-worker"}


def test_no_question_of_a_gauge_reads_a_whole_large_table(store: Store, site: tuple[str, str]) -> None:
    """Each goes by an index, however much is stored; workers and sites are few."""
    if store.sqlite:
        small = r"workers|sites|anon|audit_events USING INDEX ix_audit_events_unsealed"
        prefix, bad = "EXPLAIN QUERY PLAN ", re.compile(rf"SCAN (?!{small})")
    else:
        prefix, bad = "EXPLAIN ", re.compile(r"Seq Scan on (?!workers|sites)")
    said: list[tuple[str, Any]] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: said.append((args[2], args[3])))
    with store.read() as session:
        measures.facts(session, now_ms())
    asked = [(question, given) for question, given in said if question.startswith("SELECT")]
    assert len(asked) >= 9
    with store.read() as session:
        connection = session.connection()
        if not store.sqlite:  # small tables would be read as a whole, and rightly
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        for question, given in asked:
            plan = "\n".join(str(row[-1]) for row in connection.exec_driver_sql(prefix + question, given))
            assert not bad.search(plan), (question, plan)
