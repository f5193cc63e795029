"""Akismet's calls: keys in all places, exact answers, what counts as spam, feedback, counts, and no fault ever."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import settings as fuzz
from hypothesis import strategies as st
from sqlalchemy import inspect, select, text
from werkzeug.test import TestResponse

from moderation.app import create_app
from moderation.config import Settings
from moderation.scoring import Classifier
from moderation.services import bad_domains, examples, options, policies, sites
from moderation.store.feedback import Check, Example
from moderation.store.session import Store
from moderation.store.tables import Site as SiteRow
from tests.services import ABUSE

Site = tuple[str, str]
Call = Callable[..., TestResponse]

BLOG = "https://news.example/"
CIVIL = "Thank you, a clear summary of the briefing."
LINKS = "See http://a.example/x http://b.example/y http://c.example/z"
BLATANT = "Hey guys check out my new channel, subscribe and earn free money: http://free-money.example/win click now!!!"
GERMAN = "Das ist leider ein sehr langer deutscher Satz mit vielen Wörtern über den Krieg."
THANKS = "Thanks for making the web a better place."
PERSON = {
    "user_ip": "203.0.113.77", "user_agent": "canary-agent/1.0", "comment_author": "Canary Author",
    "comment_author_email": "canary@example.org", "comment_author_url": "https://canary-home.example/",
    "referrer": "https://canary-referrer.example/",
}  # fmt: skip


@pytest.fixture
def app(app: Flask, classifier: Classifier) -> Flask:
    """The app with the quick classifier, loaded once for all tests."""
    return quick(app, classifier)


def quick(app: Flask, classifier: Classifier) -> Flask:
    app.extensions["moderation"] = replace(app.extensions["moderation"], classifier=lambda: classifier)
    return app


@pytest.fixture
def call(client: FlaskClient, site: Site) -> Call:
    """Posts a form with the site's key, blog and address; a value None leaves a field out."""

    def post(name: str, content: str | None = None, **fields: str | None) -> TestResponse:
        form = {"api_key": site[1], "blog": BLOG, "user_ip": "203.0.113.9", "comment_content": content, **fields}
        return client.post(f"/1.1/{name}", data={name: value for name, value in form.items() if value is not None})

    return post


def choose(store: Store, site: Site, **choices: bool) -> None:
    with store.write() as session:
        options.set_options(session, session.get_one(SiteRow, site[0]), choices)


def follow(store: Store, site: Site, rules: str) -> None:
    with store.write() as session:
        policies.apply(session, site[0], policies.parse(f"rules:\n{rules}"))


def rows(app: Flask, store: Store, table: Any = Check) -> list[Any]:
    """What is stored, once all that waits is written."""
    app.extensions["moderation"].checks.flush()
    with store.read() as session:
        return list(session.scalars(select(table).order_by(table.id)))


def said(answer: TestResponse) -> str:
    """The body of an answer that has the contract's shape."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert [name for name, _ in answer.headers if name.lower().startswith("x-akismet-alert")] == []
    known = answer.text in ("true", "false", "valid", THANKS)
    assert ("X-akismet-debug-help" in answer.headers) is not known
    assert ("X-akismet-guid" in answer.headers) is (answer.text in ("true", "false"))
    return answer.text


def test_the_key_in_all_its_places(client: FlaskClient, site: Site) -> None:
    key = site[1]
    form = {"blog": BLOG, "user_ip": "", "comment_content": CIVIL}
    check = "/1.1/comment-check"
    answers = [
        client.post(check, data=form | {"api_key": key}),
        client.post(check, data=form | {"key": key}),
        client.post(check, data=form, headers={"Host": f"{key}.rest.akismet.com"}),
        client.post(check, data=form, headers={"Host": f"{key.upper()}.moderation.example:8000"}),
        client.post(f"/s/{key}{check}", data=form),
        client.post(check, data=form | {"api_key": "old", "key": key}),
    ]
    assert [said(answer) for answer in answers] == ["false"] * 6
    assert said(client.post("/1.1/verify-key", data={"key": key, "blog": BLOG})) == "valid"


@pytest.mark.parametrize("key", ["", "wrong", "x" * 5_000, "ключ", "\0"])
@pytest.mark.parametrize("name", ["verify-key", "comment-check", "submit-spam", "submit-ham"])
def test_a_wrong_key(call: Call, name: str, key: str) -> None:
    answer = call(name, CIVIL, api_key=key)
    assert said(answer) == "invalid"
    assert answer.headers["X-akismet-debug-help"] == "there is no such key"


def test_a_key_that_may_not_score(store: Store, site: Site, call: Call) -> None:
    with store.write() as session:
        key = sites.create_key(session, site[0], ("read",))
    answer = call("comment-check", CIVIL, api_key=key)
    assert (said(answer), "scope" in answer.headers["X-akismet-debug-help"]) == ("invalid", True)


def test_a_site_for_calls_without_a_key(settings: Settings, classifier: Classifier, site: Site) -> None:
    app = quick(create_app(settings.model_copy(update={"akismet_site": site[0]})), classifier)
    client, form = app.test_client(), {"blog": BLOG, "user_ip": "", "comment_content": CIVIL}
    assert said(client.post("/1.1/comment-check", data=form)) == "false"
    assert said(client.post("/1.1/comment-check", data=form | {"key": "wrong"})) == "invalid"
    host = {"Host": f"sk{'a' * 40}.rest.akismet.com"}
    assert said(client.post("/1.1/comment-check", data=form, headers=host)) == "invalid"
    astray = quick(create_app(settings.model_copy(update={"akismet_site": "nowhere"})), classifier).test_client()
    assert said(astray.post("/1.1/comment-check", data=form)) == "This was not done: there is no such site"


@pytest.mark.parametrize("field", ["blog", "user_ip"])
@pytest.mark.parametrize("name", ["comment-check", "submit-spam", "submit-ham"])
def test_what_has_to_be_there(call: Call, name: str, field: str) -> None:
    answer = call(name, CIVIL, **{field: None})
    assert said(answer) == "invalid"
    assert answer.headers["X-akismet-debug-help"] == f'Empty "{field}" value'


def test_an_empty_address_and_strange_fields_are_taken(call: Call) -> None:
    strange = {"HTTP_X_THING": "1", "POST_comment": "x", "comment_date_gmt": "", "comment_context[0]": "war"}
    assert said(call("comment-check", CIVIL, user_ip="", **strange)) == "false"


def test_the_policy_says_what_is_spam(store: Store, site: Site, call: Call) -> None:
    assert said(call("comment-check", CIVIL)) == "false"
    assert said(call("comment-check", LINKS)) == "true"
    assert said(call("comment-check", BLATANT)) == "true"
    follow(store, site, "  - {name: spam, kind: score, attribute: SPAM, reject: 0.000001}\n")
    assert said(call("comment-check", CIVIL)) == "true"
    follow(store, site, "  - {name: language, kind: language, allow: [de]}\n")
    assert [said(call("comment-check", body)) for body in (CIVIL, LINKS, BLATANT, GERMAN)] == ["false"] * 4


def test_what_is_held_for_other_reasons_is_the_sites_choice(store: Store, site: Site, call: Call) -> None:
    assert said(call("comment-check", ABUSE)) == "false"
    choose(store, site, held_is_spam=True)
    assert said(call("comment-check", ABUSE)) == "true"
    assert said(call("comment-check", CIVIL)) == "false"


def test_what_the_policy_rejects_is_not_published(store: Store, site: Site, call: Call) -> None:
    follow(store, site, "  - {name: insult, kind: score, attribute: INSULT, reject: 0.2}\n")
    assert said(call("comment-check", ABUSE)) == "true"


def test_a_website_in_a_bad_domain_is_spam(store: Store, site: Site, call: Call) -> None:
    bad_domains.load(store, iter(["evil.example"]), None)
    website = "https://shop.evil.example/"
    assert said(call("comment-check", CIVIL, comment_author_url=website)) == "false"
    follow(store, site, "  - {name: bad, kind: bad_domain}\n")
    assert said(call("comment-check", CIVIL, comment_author_url=website)) == "true"
    assert said(call("comment-check", CIVIL, comment_author_url="https://notevil.example/")) == "false"


def test_blatant_spam_is_thrown_away_only_where_the_site_wants_it(store: Store, site: Site, call: Call) -> None:
    assert "X-akismet-pro-tip" not in call("comment-check", BLATANT).headers
    choose(store, site, discard_blatant=True)
    assert call("comment-check", BLATANT).headers["X-akismet-pro-tip"] == "discard"
    for other in (call("comment-check", LINKS), call("comment-check", CIVIL)):
        assert "X-akismet-pro-tip" not in other.headers
    assert "X-akismet-pro-tip" not in call("comment-check", BLATANT, user_role="administrator").headers


def test_a_language_that_is_not_scored_is_neither(call: Call) -> None:
    answer = call("comment-check", GERMAN)
    assert said(answer).startswith("This was not done: comments in this language (de) are not scored")
    assert answer.headers["X-akismet-error"] == "not-done"
    assert said(call("comment-check", f"{GERMAN} {LINKS}")) == "true"


def test_markup_is_read_as_readers_see_it(call: Call) -> None:
    hidden = "".join(f'<a href="http://{name}.example/win">here</a> ' for name in "abc")
    assert said(call("comment-check", f"<p>Please look {hidden}</p>")) == "true"
    assert said(call("comment-check", f"<script>{LINKS}</script>")) == "true"


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"comment_author": "akismet-guaranteed-spam"}, "true"),
        ({"comment_author": "viagra-test-123"}, "true"),
        ({"comment_author_email": "akismet-guaranteed-spam@example.com"}, "true"),
        ({"honeypot_field_name": "trap", "trap": "http://x.example"}, "true"),
        ({"honeypot_field_name": "trap", "trap": ""}, "false"),
        ({"honeypot_field_name": "trap"}, "false"),
        ({"user_role": "administrator"}, "false"),
        ({"user_role": "administrator", "comment_author": "viagra-test-123"}, "false"),
    ],
)
def test_answers_that_are_given_whatever_the_text(call: Call, fields: dict[str, str], answer: str) -> None:
    assert said(call("comment-check", CIVIL, **fields)) == answer


def test_an_administrator_is_no_spammer(call: Call) -> None:
    assert said(call("comment-check", LINKS, user_role="administrator")) == "false"


def test_without_a_classifier_nothing_is_made_up(settings: Settings, site: Site, tmp_path: Path) -> None:
    client = create_app(settings.model_copy(update={"artefacts": str(tmp_path)})).test_client()
    form = {"api_key": site[1], "blog": BLOG, "user_ip": "", "comment_content": LINKS}
    assert said(client.post("/1.1/verify-key", data=form)) == "valid"
    answer = client.post("/1.1/comment-check", data=form)
    assert said(answer).startswith("This was not done: the classifier")
    assert answer.headers["X-akismet-error"] == "not-done"
    assert said(client.post("/1.1/submit-spam", data=form)) == THANKS


def test_without_a_database_nothing_is_made_up(settings: Settings, tmp_path: Path) -> None:
    gone = settings.model_copy(update={"database_url": f"sqlite:///{tmp_path}/no/such.sqlite3"})
    client = create_app(gone).test_client()
    for path in ("/1.1/verify-key", "/1.1/comment-check", "/1.1/submit-ham", "/1.2/key-sites"):
        answer = client.post(path, data={"api_key": "k", "blog": BLOG, "user_ip": "", "comment_content": CIVIL})
        assert said(answer) == "This was not done: the database can't be used now; try again"
        assert answer.headers["X-akismet-error"] == "not-done"


def test_what_is_kept_of_a_check(app: Flask, store: Store, site: Site, call: Call) -> None:
    call("comment-check", CIVIL, **PERSON)
    choose(store, site, keep_checked_text=True)
    call("comment-check", f"<b>{LINKS}</b>", **PERSON)
    first, second = rows(app, store)
    assert (first.interface, first.blog, first.answer, first.outcome, first.text) == (
        "akismet", BLOG, "ham", "approve", None,
    )  # fmt: skip
    assert 0 <= first.scores["SPAM"] <= 1
    assert (second.answer, second.outcome, second.text) == ("spam", "hold", LINKS)


def test_a_try_leaves_no_trace(app: Flask, store: Store, call: Call) -> None:
    assert said(call("comment-check", LINKS, is_test="1")) == "true"
    assert said(call("submit-spam", LINKS, is_test="true")) == THANKS
    assert rows(app, store) == rows(app, store, Example) == []


def test_no_person_is_kept(app: Flask, store: Store, site: Site, call: Call) -> None:
    choose(store, site, keep_checked_text=True)
    for name in ("comment-check", "submit-spam"):
        call(name, CIVIL, **PERSON)
        call(name, None, **PERSON)
    assert len(rows(app, store)) == 2
    with store.read() as session:
        # An index of trigrams has nothing to be read; it is of comments, and none was made.
        names = [n for n in inspect(session.connection()).get_table_names() if n != "comment_trigrams"]
        kept = "\n".join(str(row) for name in names for row in session.execute(text(f'SELECT * FROM "{name}"')))
    assert CIVIL in kept
    assert [value for value in PERSON.values() if value in kept] == []


def test_feedback_is_kept_once_and_the_newest_word_stands(app: Flask, store: Store, site: Site, call: Call) -> None:
    call("comment-check", CIVIL, permalink=f"{BLOG}a")
    for name in ("submit-spam", "submit-spam", "submit-ham"):
        assert said(call(name, f" {CIVIL}\n", permalink=f"{BLOG}a", content_type="reply")) == THANKS
    (example,) = rows(app, store, Example)
    assert (example.labels, example.text) == ({"SPAM": 0.0}, CIVIL)
    assert example.context == {"blog": BLOG, "permalink": f"{BLOG}a", "type": "reply"}
    call("submit-spam", CIVIL, permalink=f"{BLOG}b")
    with store.read() as session:
        first, second = examples.exported(session, site[0])
    assert (first["checked"]["outcome"], second["checked"]) == ("approve", None)
    assert second["labels"] == {"SPAM": 1.0}


def test_feedback_as_coral_sends_it(app: Flask, client: FlaskClient, store: Store, site: Site) -> None:
    host = {"Host": f"{site[1]}.rest.akismet.com"}
    body = {"comment_content": CIVIL, "user_ip": "203.0.113.9", "comment_author": "Canary Author"}
    assert said(client.post("/1.1/submit-ham", json=body, headers=host)) == THANKS
    (example,) = rows(app, store, Example)
    assert (example.labels, example.context) == ({"SPAM": 0.0}, {})


def test_feedback_without_a_text_is_no_example(app: Flask, store: Store, call: Call) -> None:
    assert said(call("submit-ham", " ")).startswith("This was not done: comment_content is empty")
    assert rows(app, store, Example) == []


def test_counts(app: Flask, store: Store, client: FlaskClient, site: Site, call: Call) -> None:
    other = "https://other.example/"
    for body in (CIVIL, CIVIL, LINKS):
        call("comment-check", body)
    call("comment-check", CIVIL, blog=other)
    call("submit-spam", CIVIL)
    call("submit-ham", LINKS)
    rows(app, store)
    query = f"?api_key={site[1]}"
    usage = client.get(f"/1.2/usage-limit{query}").get_json()
    assert usage == {"limit": "none", "usage": 4, "percentage": "0.00", "throttled": False}

    answer = client.post("/1.2/key-sites", data={"api_key": site[1]}).get_json()
    month = next(iter(answer))
    news = {"site": BLOG, "api_calls": "3", "spam": "1", "ham": "2", "missed_spam": "1", "false_positives": "1",
            "is_revoked": False}  # fmt: skip
    assert answer[month][0] == news
    assert {name: answer[name] for name in ("limit", "offset", "total")} == {"limit": 500, "offset": 0, "total": 2}

    def shown(more: str) -> list[str]:
        return [row["site"] for row in client.get(f"/1.2/key-sites{query}{more}").get_json()[month]]

    assert shown("&filter=other") == [other]
    assert shown("&limit=1") == [BLOG]
    assert shown("&limit=1&offset=1") == [other]
    assert client.get(f"/1.2/key-sites{query}&month=2020-02").get_json()["2020-02"] == []
    table = client.get(f"/1.2/key-sites{query}&format=csv&order=spam")
    assert table.mimetype == "text/csv"
    assert table.text.splitlines()[1:3] == [
        "Site,Total API Calls,Spam,Ham,Missed Spam,False Positives,Is Revoked", f"{BLOG},3,1,2,1,1,false",
    ]  # fmt: skip


def test_counts_need_a_key_and_a_month(client: FlaskClient, site: Site) -> None:
    assert said(client.get("/1.2/key-sites")) == "invalid"
    for month in ("2026", "2026-13", "0000-01", "9999-12", "١-1", "x" * 5_000):
        answer = client.get("/1.2/key-sites", query_string={"api_key": site[1], "month": month})
        assert (said(answer), answer.headers["X-akismet-debug-help"]) == ("invalid", "month: write YYYY-MM")


def test_a_blog_is_no_formula_in_a_spreadsheet(app: Flask, store: Store, client: FlaskClient, site: Site,
                                               call: Call) -> None:  # fmt: skip
    call("comment-check", CIVIL, blog="=1+1")
    rows(app, store)
    assert "'=1+1,1,0,1" in client.get(f"/1.2/key-sites?api_key={site[1]}&format=csv").text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/1.1/token", 404), ("GET", "/1.1/comment-check/x", 404), ("POST", "/s/k/1.2/x", 404),
        ("GET", "/1.1/verify-key", 405), ("PUT", "/s/k/1.1/comment-check", 405), ("DELETE", "/1.2/key-sites", 405),
    ],
)  # fmt: skip
def test_calls_that_do_not_exist(client: FlaskClient, method: str, path: str, status: int) -> None:
    answer = client.open(path, method=method, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.mimetype) == (status, "text/plain")
    assert ("POST" in answer.headers.get("Allow", "")) is (status == 405)


@pytest.mark.parametrize("host", ["x" * 3_000, "..", "a b", "[::1", "ключ.example", ""])
def test_a_host_that_is_no_name(client: FlaskClient, site: Site, host: str) -> None:
    form = {"api_key": site[1], "blog": BLOG, "user_ip": "", "comment_content": CIVIL}
    answer = client.post("/1.1/comment-check", data=form, headers={"Host": host.encode().decode("latin-1")})
    assert said(answer) in ("false", "This was not done: Bad Request")


def test_a_body_that_is_too_large(client: FlaskClient) -> None:
    answer = client.post("/1.1/comment-check", data=b"a=" + b"b" * 2**20)
    assert (answer.status_code, answer.mimetype, answer.headers["Connection"]) == (413, "text/plain", "close")


def test_the_key_of_an_address_is_not_logged(client: FlaskClient, site: Site, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    for path in (f"/s/{site[1]}/1.1/comment-check", f"/s/{site[1]}/1.1/nothing", f"/s/{site[1]}/nothing"):
        client.post(path, data={"blog": BLOG, "user_ip": "", "comment_content": CIVIL})
    client.get(f"/1.2/usage-limit?api_key={site[1]}")
    assert "/s/<key>/1.1/comment-check" in caplog.text
    assert site[1] not in caplog.text


KINDS = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain",
         "charset=utf-8", "application/x-www-form-urlencoded; charset=utf-16", "\xff", ""]  # fmt: skip
NAMES = ["comment-check", "submit-spam", "submit-ham", "verify-key", "nothing", "%00", "comment-check/../x"]
_values = st.one_of(
    st.text(max_size=60), st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")),
    st.sampled_from(["true", "<a href=", "&#x;", "0", "akismet-guaranteed-spam", "koi8-r", "idna", "trap"]),
)  # fmt: skip
_forms = st.dictionaries(
    st.sampled_from([
        "blog", "user_ip", "comment_content", "comment_author", "permalink", "honeypot_field_name", "trap", "is_test",
        "blog_charset", "comment_type", "month", "limit", "offset", "format", "order", "user_role", "comment_context[]",
    ]), _values,
)  # fmt: skip


@pytest.fixture
def sound(caplog: pytest.LogCaptureFixture) -> Callable[[TestResponse], None]:
    """Checks that an answer has the contract's shape, and that nothing was logged as a fault of ours."""

    def check(answer: TestResponse) -> None:
        assert answer.status_code in (200, 404, 405, 413)
        assert answer.mimetype in ("text/plain", "application/json", "text/csv")
        assert answer.mimetype != "application/json" or {"limit"} <= set(json.loads(answer.text))
        assert "\n" not in answer.text or answer.mimetype == "text/csv"
        assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []

    return check


def test_fields_of_any_kind(client: FlaskClient, site: Site, sound: Callable[[TestResponse], None]) -> None:
    @fuzz(max_examples=150)
    @given(st.sampled_from([*NAMES, "usage-limit", "key-sites"]), _forms, st.booleans(), st.booleans())
    def fuzzed(name: str, form: dict[str, str], as_json: bool, keyed: bool) -> None:
        path = f"/1.2/{name}" if name in ("usage-limit", "key-sites") else f"/1.1/{name}"
        form = form | {"api_key": site[1] if keyed else form.get("blog", "")}
        sound(client.post(path, json=form) if as_json else client.post(path, data=form))

    fuzzed()


def test_bodies_of_any_kind(client: FlaskClient, site: Site, sound: Callable[[TestResponse], None]) -> None:
    host = {"Host": f"{site[1]}.rest.akismet.com"}

    @fuzz(max_examples=150)
    @given(st.sampled_from(NAMES), st.binary(max_size=400), st.sampled_from(KINDS), st.sampled_from([b"", b"blog=b&"]))
    def fuzzed(name: str, body: bytes, kind: str, start: bytes) -> None:
        environ = {"CONTENT_TYPE": kind}
        sound(client.post(f"/1.1/{name}", data=start + body, headers=host, environ_overrides=environ))

    fuzzed()


def test_hosts_and_paths_of_any_kind(client: FlaskClient, sound: Callable[[TestResponse], None]) -> None:
    @fuzz(max_examples=100)
    @given(st.text(max_size=80), st.binary(max_size=40), st.sampled_from(["GET", "POST", "PATCH", "X", "OPTIONS"]))
    def fuzzed(host: str, key: bytes, method: str) -> None:
        path = f"/s/{key.decode('latin-1').replace('/', '')}k/1.1/comment-check"
        environ = {"HTTP_HOST": host.encode().decode("latin-1"), "PATH_INFO": path, "REQUEST_METHOD": method}
        answer = client.post("/", data={"blog": "b", "user_ip": ""}, environ_overrides=environ)
        if method != "OPTIONS":
            sound(answer)
        assert answer.status_code < 500

    fuzzed()


@pytest.mark.parametrize(
    "content",
    [
        "a" * 900_000, "http://a.b/ " * 20_000, "<a " * 100_000, "<!--" * 50_000, "&" * 100_000, "</" * 100_000,
        "1-" * 100_000, "a@b." * 50_000, "v.i.a.g.r.a " * 20_000, "sʜit " * 20_000, "\u0301" * 50_000,
    ],
    ids=lambda content: content[:6].encode("ascii", "replace").decode(),
)  # fmt: skip
def test_huge_fields(call: Call, content: str) -> None:
    assert said(call("comment-check", content)) in ("true", "false")
