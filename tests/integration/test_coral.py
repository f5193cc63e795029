"""Coral's external moderation phase, on both databases."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Event
from typing import Any, cast

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from werkzeug.test import TestResponse

from moderation.api.schemas import CommentIn
from moderation.app import create_app
from moderation.cli import main
from moderation.config import Settings
from moderation.domain.lifecycle import Outcome
from moderation.scoring import Classifier
from moderation.services import accounts, at_once, coral, intake, options, policies, rescore, sites
from moderation.store import schema
from moderation.store.audit import AuditEvent
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Decision, Site
from tests.coral import AUTHOR, OTHER, SECRET, headers, packed, phase
from tests.databases import until
from tests.services import ABUSE, a_comment

CIVIL = "Thank you, a clear summary."
Ask = Callable[..., TestResponse]


@pytest.fixture
def ask(app: Flask, client: FlaskClient, store: Store, site: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Sends a signed request to the site's own address."""
    app.extensions["moderation"].classifier()
    monkeypatch.setattr("moderation.compat.coral._IN_TIME", 60.0)  # a busy machine is no mistake of the code
    with store.write() as session:
        coral.add_secret(session, session.get_one(Site, site[0]), SECRET)

    def send(request: Any, *secrets: str, path: str = f"/integrations/coral/{site[0]}/external-phase") -> TestResponse:
        data = request if isinstance(request, bytes) else packed(request)
        return client.post(path, data=data, headers=headers(data, *secrets))

    return send


def comments(store: Store) -> list[Comment]:
    with store.read() as session:
        return list(session.scalars(select(Comment).order_by(Comment.id)))


def decisions(store: Store) -> list[Decision]:
    with store.read() as session:
        return list(session.scalars(select(Decision).order_by(Decision.id)))


def apply(store: Store, site_id: str, rules: str) -> None:
    with store.write() as session:
        policies.apply(session, site_id, policies.parse(f"rules: [{rules}]"))


def test_a_civil_comment_passes_and_stands_in_the_queue_approved(ask: Ask, store: Store, site: tuple[str, str]) -> None:
    answer = ask(phase(CIVIL, parent="d79b787f"))
    assert (answer.status_code, answer.data) == (204, b"")
    (comment,) = comments(store)
    assert (comment.site_id, comment.status, comment.body) == (site[0], "approved", CIVIL)
    assert (comment.author_id, comment.parent_external_id) == (AUTHOR, "d79b787f")
    (decision,) = decisions(store)
    assert decision.source == "policy"
    assert decision.scores["TOXICITY"] < 0.5


def test_abuse_is_withheld_with_a_flag_and_waits_for_a_moderator(ask: Ask, store: Store) -> None:
    answer = ask(phase(ABUSE))
    assert answer.get_json() == {
        "status": "SYSTEM_WITHHELD", "actions": [{"actionType": "FLAG", "reason": "COMMENT_DETECTED_TOXIC"}],
    }  # fmt: skip
    assert [comment.status for comment in comments(store)] == ["held"]


def test_what_the_policy_rejects_is_rejected_with_a_reason(ask: Ask, store: Store, site: tuple[str, str]) -> None:
    apply(
        store,
        site[0],
        "{name: insult, kind: score, attribute: INSULT, reject: 0.2}, {name: l, kind: links, action: reject}",
    )
    assert ask(phase(ABUSE)).get_json() == {
        "status": "REJECTED", "actions": [{"actionType": "FLAG", "reason": "COMMENT_DETECTED_TOXIC"}],
        "moderationAction": {"status": "REJECTED", "rejectionReason": {"code": "ABUSIVE"}},
    }  # fmt: skip
    assert ask(phase("See https://shop.example/")).get_json() == {
        "status": "REJECTED", "actions": [],
        "moderationAction": {"status": "REJECTED", "rejectionReason": {"code": "OTHER"}},
    }  # fmt: skip


def test_spam_is_flagged_as_spam(ask: Ask, store: Store, site: tuple[str, str]) -> None:
    apply(store, site[0], "{name: spam, kind: score, attribute: SPAM, hold: 0.0}")
    assert ask(phase(CIVIL)).get_json()["actions"] == [{"actionType": "FLAG", "reason": "COMMENT_DETECTED_SPAM"}]


def test_a_site_may_have_its_approvals_count_in_coral(ask: Ask, store: Store, site: tuple[str, str]) -> None:
    with store.write() as session:
        options.set_options(session, session.get_one(Site, site[0]), {"coral_approves": True})
    assert ask(phase(CIVIL)).get_json() == {"status": "APPROVED"}


def test_the_same_again_is_one_comment_and_answers_with_the_last_word(
    ask: Ask, store: Store, person: accounts.Person
) -> None:
    ask(phase(ABUSE))
    (comment,) = comments(store)
    with store.write() as session:
        intake.site_decision(session, comment.site_id, comment.id, Outcome.APPROVE, "ann", None, now_ms())
    assert ask(phase(ABUSE)).status_code == 204
    with store.write() as session:
        intake.site_decision(session, comment.site_id, comment.id, Outcome.REJECT, "ann", "spam", now_ms())
    assert ask(phase(ABUSE)).get_json()["moderationAction"]["rejectionReason"] == {"code": "SPAM"}
    assert len(comments(store)) == 1
    assert [decision.source for decision in decisions(store)] == ["policy", "site", "site"]
    ask(phase(ABUSE, author="another"))
    ask(phase(ABUSE, parent="p1"))
    assert len(comments(store)) == 3


def test_an_edit_is_a_comment_of_its_own(ask: Ask, store: Store) -> None:
    ask(phase(CIVIL))
    assert ask(phase(CIVIL + " " + ABUSE, action="EDIT")).get_json()["status"] == "SYSTEM_WITHHELD"
    assert [comment.status for comment in comments(store)] == ["approved", "held"]


@pytest.mark.parametrize("role", ["STAFF", "MODERATOR", "ADMIN"])
def test_staff_is_left_alone(ask: Ask, store: Store, role: str) -> None:
    assert ask(phase(ABUSE, role=role)).status_code == 204
    assert comments(store) == []


def test_a_comment_without_words_is_left_to_coral(ask: Ask, store: Store) -> None:
    assert ask(phase(" \n")).status_code == 204
    assert comments(store) == []


def test_a_worker_finds_nothing_left_to_decide(ask: Ask, store: Store, work: Callable[[], int]) -> None:
    ask(phase(CIVIL))
    assert work() == 0
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(Decision)) == 1


def test_only_a_signature_over_these_bytes_counts(
    ask: Ask, client: FlaskClient, store: Store, site: tuple[str, str]
) -> None:
    data = packed(phase(CIVIL))
    path = f"/integrations/coral/{site[0]}/external-phase"
    good = headers(data)["X-Coral-Signature"]
    wrong = [
        "", "sha256=", "sha256", good.replace("sha256", "sha1"), good[:-1], "sha256=\u00e9",
        headers(data, OTHER)["X-Coral-Signature"], headers(data + b" ")["X-Coral-Signature"],
        ",".join(["sha256=0"] * 10 + [good]),
    ]  # fmt: skip
    for signature in wrong:
        answer = client.post(path, data=data, headers={"X-Coral-Signature": signature})
        assert (answer.status_code, answer.mimetype) == (401, "application/problem+json"), signature
        assert answer.get_json()["code"] == "bad_signature"
    assert client.post(path, data=data).status_code == 401
    assert comments(store) == []
    assert client.post(path, data=data, headers={"X-Coral-Signature": f"sha256={'0' * 64}, {good}"}).status_code == 204


def test_while_the_secret_is_changed_both_are_good(ask: Ask, store: Store, site: tuple[str, str]) -> None:
    assert ask(phase(CIVIL), OTHER, SECRET).status_code == 204  # the old one is known still
    assert ask(phase(CIVIL), OTHER).status_code == 401
    with store.write() as session:
        coral.add_secret(session, session.get_one(Site, site[0]), OTHER)
    assert (ask(phase(CIVIL), OTHER).status_code, ask(phase(CIVIL), SECRET).status_code) == (204, 204)
    with store.write() as session:
        for number in range(7):
            coral.add_secret(session, session.get_one(Site, site[0]), f"{number}{OTHER}")
        assert len(session.get_one(Site, site[0]).coral_secrets) == 5
    assert ask(phase(CIVIL), SECRET).status_code == 401
    with store.write() as session:
        coral.remove_secrets(session, session.get_one(Site, site[0]))
    assert ask(phase(CIVIL), OTHER).status_code == 404


def test_the_plain_address_will_do_for_one_site(ask: Ask, store: Store) -> None:
    plain = "/integrations/coral/external-phase"
    assert ask(phase(CIVIL), path=plain).status_code == 204
    with store.write() as session:
        second, _key = sites.create_site(session, "second")
    assert ask(phase(CIVIL), path=plain).status_code == 204  # it has no secret
    assert ask(phase(CIVIL), path=f"/integrations/coral/{second.id}/external-phase").status_code == 404
    with store.write() as session:
        coral.add_secret(session, session.get_one(Site, second.id), SECRET)
    assert ask(phase(CIVIL), path=plain).get_json()["detail"] == "name the site in the address"
    ask(phase(CIVIL), path=f"/integrations/coral/{second.id}/external-phase")
    assert [comment.site_id for comment in comments(store)][1:] == [second.id]
    assert ask(phase(CIVIL), path="/integrations/coral/nobody/external-phase").status_code == 404


BROKEN: list[Any] = [
    b"", b"{", b"[1", b"nil", b"\xff\xfe", b"[]", b"null", b"1e999", b"[" * 100_000, b'{"comment": NaN}', {},
    phase("x") | {"comment": "x"}, phase("x") | {"comment": {"body": 1}}, phase("x") | {"author": {"id": None}},
    phase("x") | {"story": {"id": "s"}}, phase("x") | {"comment": {"body": "x", "parentID": ["p"]}},
]  # fmt: skip


@pytest.mark.parametrize("request_", BROKEN, ids=lambda one: repr(one)[:30])
def test_what_coral_does_not_send_is_malformed(ask: Ask, store: Store, request_: Any) -> None:
    answer = ask(request_)
    code = "too_deep" if request_ == b"[" * 100_000 else "malformed"
    assert (answer.status_code, answer.get_json()["code"]) == (400, code)
    assert comments(store) == []


@pytest.mark.parametrize("request_", [
    phase("x" * 20_481), phase("a\0b"), packed(phase("lone @")).replace(b"@", b"\\ud800"),
    phase("x", url="about:blank"), phase("x", author=""), phase("x", parent="p" * 201),
], ids=["long", "nul", "surrogate", "url", "author", "parent"])  # fmt: skip
def test_a_comment_that_can_not_be_kept_is_withheld(ask: Ask, store: Store, request_: Any) -> None:
    assert ask(request_).get_json() == {"status": "SYSTEM_WITHHELD", "actions": []}
    assert comments(store) == []


def test_without_a_scorer_it_is_withheld_and_decided_anew_later(
    ask: Ask, app: Flask, store: Store, classifier: Classifier, work: Callable[[], int]
) -> None:
    app.extensions["moderation"] = replace(
        app.extensions["moderation"], classifier=lambda: Classifier("none", None, "gone")
    )
    assert ask(phase(CIVIL)).get_json() == {"status": "SYSTEM_WITHHELD", "actions": []}
    assert [comment.status for comment in comments(store)] == ["held"]
    with store.write() as session:
        assert rescore.rescore(session, now_ms()) == 1
    assert work() == 1
    assert [comment.status for comment in comments(store)] == ["approved"]


class _Failing:
    """A scorer that fails on every text."""

    name, version = "failing", "1"

    def score(self, texts: Any) -> Any:
        raise ValueError(texts)


def test_a_scorer_that_fails_withholds_and_leaves_it_to_the_workers(
    ask: Ask, app: Flask, store: Store, work: Callable[[], int]
) -> None:
    failing = Classifier("failing@1", _Failing())  # type: ignore[arg-type]
    app.extensions["moderation"] = replace(app.extensions["moderation"], classifier=lambda: failing)
    assert ask(phase(CIVIL)).get_json()["status"] == "SYSTEM_WITHHELD"
    assert [comment.status for comment in comments(store)] == ["pending"]
    assert work() == 1
    assert [comment.status for comment in comments(store)] == ["approved"]


def test_a_verdict_that_would_be_late_withholds_and_the_comment_is_decided_all_the_same(
    ask: Ask, app: Flask, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moderation.compat.coral._IN_TIME", 0.05)
    free, real = Event(), app.extensions["moderation"].classifier()

    def slow() -> Classifier:
        free.wait(60)
        return cast(Classifier, real)

    app.extensions["moderation"] = replace(app.extensions["moderation"], classifier=slow)
    for _ in range(2):
        assert ask(phase(CIVIL)).get_json()["status"] == "SYSTEM_WITHHELD"
    free.set()
    until(lambda: [comment.status for comment in comments(store)] == ["approved"])
    assert len(decisions(store)) == 1


def test_while_the_writer_is_busy_the_verdict_answers_and_is_stored_afterwards(
    ask: Ask, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moderation.compat.coral._IN_TIME", 0.5)
    with store.write() as session:
        session.execute(text("SELECT 1" if store.sqlite else "LOCK TABLE comments IN EXCLUSIVE MODE"))
        until(lambda: ask(phase(CIVIL)).status_code == 204)
        until(lambda: ask(phase(ABUSE)).get_json()["actions"] != [])
        assert comments(store) == []
    until(lambda: sorted(comment.status for comment in comments(store)) == ["approved", "held"])
    until(lambda: len(decisions(store)) == 2)


def test_two_that_look_at_once_keep_one_comment_and_one_decision(
    ask: Ask, app: Flask, store: Store, site: tuple[str, str], classifier: Classifier
) -> None:
    comment = CommentIn.model_validate(a_comment(body=ABUSE)).to_new()
    looks = [at_once.look(store, classifier, site[0], comment) for _ in range(2)]
    said = [at_once.keep(store, site[0], comment, look) for look in looks]
    assert said[0] == said[1] == looks[0].said
    assert said[0].status == "held"
    assert len(comments(store)) == len(decisions(store)) == 1


def test_a_database_that_is_away_withholds(ask: Ask, app: Flask, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    away = Store("sqlite:////nowhere/at/all.sqlite3")
    app.extensions["moderation"] = replace(app.extensions["moderation"], store=away)
    answer = ask(phase(CIVIL))
    assert (answer.status_code, answer.get_json()["status"]) == (200, "SYSTEM_WITHHELD")


def test_no_secret_and_no_words_of_a_comment_are_logged(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        ask(phase(f"Marten {ABUSE}"))
        ask(phase("x" * 20_481))
        ask(phase(CIVIL), OTHER)
    assert "POST /integrations/coral/<site_id>/external-phase 200" in caplog.text
    assert not [word for word in ("Marten", "xxx", "ssec_", AUTHOR, "a-story") if word in caplog.text]


_NAMES = st.sampled_from(["comment", "body", "parentID", "author", "id", "role", "story", "url", "x"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=5),
    max_leaves=12,
)  # fmt: skip
_PHASES = st.fixed_dictionaries({
    "comment": st.fixed_dictionaries({"body": _JSON, "parentID": _JSON}) | _JSON,
    "author": st.fixed_dictionaries({"id": _JSON, "role": _JSON}) | _JSON,
    "story": st.fixed_dictionaries({"id": _JSON, "url": _JSON}) | _JSON,
})  # fmt: skip


@settings(max_examples=60)
@given(request=st.binary(max_size=200) | _PHASES.map(lambda one: json.dumps(one).encode()), sign=st.booleans())
def test_no_bytes_are_an_error_of_ours(phases: Ask, request: bytes, sign: bool) -> None:
    answer = phases(request, *([] if sign else [OTHER]))
    assert answer.status_code in ((200, 204, 400) if sign else (401,))
    assert answer.status_code == 204 or answer.get_json()


@pytest.fixture(scope="module")
def phases(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[Ask]:
    """Sends to one service for many examples; no scorer is there, since these are about form."""
    url = f"sqlite:///{tmp_path_factory.mktemp('phases')}/moderation.sqlite3"
    schema.upgrade(Store(url, pool_size=1))
    made = create_app(Settings(database_url=url, redis_url=redis_url, secret_key="k" * 32))
    here = made.extensions["moderation"]
    made.extensions["moderation"] = replace(here, classifier=lambda: Classifier("none", None, "gone"))
    with here.store.write() as session:
        coral.add_secret(session, sites.create_site(session, "test")[0], SECRET)

    def send(data: bytes, *secrets: str) -> TestResponse:
        path = "/integrations/coral/external-phase"
        return made.test_client().post(path, data=data, headers=headers(data, *secrets))

    yield send
    here.store.close()


def test_the_command_adds_counts_and_forgets_secrets(store: Store, site: tuple[str, str], database_url: str) -> None:
    def run(*arguments: str, text: str | None = None) -> Result:
        env = {"MODERATION_DATABASE_URL": database_url, "MODERATION_BASE_URL": "https://mod.example"}
        return CliRunner().invoke(main, ["site", "coral", *arguments], input=text, env=env, catch_exceptions=False)

    said = json.loads(run(SECRET).output)
    assert said == {
        "secrets": 1, "callback_url": f"https://mod.example/integrations/coral/{site[0]}/external-phase",
    }  # fmt: skip
    assert json.loads(run("--secret-stdin", text=f"{OTHER}\n").output)["secrets"] == 2
    assert json.loads(run(SECRET).output)["secrets"] == 2  # known already; now the newest
    with store.read() as session:
        assert session.get_one(Site, site[0]).coral_secrets == [SECRET, OTHER]
    for wrong in ("short", "with a blank in the middle", "x" * 201, "ünïcödé-secret-of-some-length"):
        answer = run("--secret-stdin", text=f"{wrong}\n")
        assert answer.exit_code == 1
        assert wrong not in answer.output
    assert [run().exit_code, run(SECRET, "--remove").exit_code] == [2, 2]
    assert json.loads(run("--remove").output)["secrets"] == 0
    with store.read() as session:
        rows = session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    audited = [event.data for event in rows if "coral" in event.action]
    assert audited == [{"count": 1}, {"count": 2}, {"count": 2}, {"count": 0}]
