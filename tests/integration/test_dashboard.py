"""/dashboard and its API twin without a browser: who sees them, that both say the same, and what CSV holds."""

import csv
import io
import re
from dataclasses import asdict

import pytest
from flask import Flask
from flask.testing import FlaskClient

from moderation.domain.lifecycle import Role
from moderation.services import dashboard
from moderation.services.accounts import Person as Moderator
from moderation.store.session import Store, now_ms
from moderation.web.dashboard import TABLES
from tests.integration.pages import HTML, Person
from tests.past import Past, a_past
from tests.services import PASSWORD, bearer, make_moderator


@pytest.fixture
def past(store: Store) -> Past:
    return a_past(store, 900, now_ms(), 20, seed=6, moderators=("a" * 32, "b" * 32))


@pytest.fixture
def ann(store: Store, past: Past) -> Moderator:
    return make_moderator(store, past.site_id, "ann@example.org", Role.SENIOR)


@pytest.fixture
def senior(app: Flask, ann: Moderator) -> Person:
    return Person(app.test_client()).sign_in()


def token(client: FlaskClient, email: str = "ann@example.org") -> dict[str, str]:
    answer = client.post("/v1/auth/tokens", json={"email": email, "password": PASSWORD})
    return bearer(answer.json["token"])  # type: ignore[index]


def test_only_seniors_and_admins_see_it(app: Flask, store: Store, past: Past) -> None:
    make_moderator(store, past.site_id, "eve@example.org")
    eve = Person(app.test_client()).sign_in("eve@example.org")
    for path in ("/dashboard", "/dashboard/flow.csv"):
        assert eve.see(path).status_code == 403
        assert app.test_client().get(path, headers=HTML).status_code == 303
    answer = app.test_client().get("/v1/review/dashboard", headers=token(app.test_client(), "eve@example.org"))
    assert (answer.status_code, answer.json["code"]) == (403, "role_needed")  # type: ignore[index]
    assert app.test_client().get("/v1/review/dashboard").status_code == 401


@pytest.mark.parametrize("span", list(dashboard.SPANS))
def test_page_csv_and_api_say_the_same(
    senior: Person, client: FlaskClient, past: Past, store: Store, ann: Moderator, span: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    now = now_ms()
    for module in ("moderation.web.dashboard", "moderation.api.dashboard"):  # or a bar may be over in between
        monkeypatch.setattr(f"{module}.now_ms", lambda: now)
    answer = client.get(f"/v1/review/dashboard?span={span}", headers=token(client))
    assert answer.status_code == 200
    told = dict(answer.json)  # type: ignore[arg-type]
    with store.read() as session:
        own = asdict(dashboard.dashboard(session, past.site_id, ann.id, dashboard.span(span, now)))
    for name in ("waits", "pace", "reasons", "automatic", "statuses", "reports", "appeals"):
        assert told[name] == own[name]
    assert [bar["decided"] for bar in told["flow"]] == [bar["decided"] for bar in own["flow"]]
    flow = list(csv.DictReader(io.StringIO(senior.see(f"/dashboard/flow.csv?span={span}").text)))
    assert [(row["begin"], row["held"], row["decided"]) for row in flow] == [
        (bar["at"].replace("Z", ".000Z"), str(bar["held"]), str(bar["decided"])) for bar in told["flow"]
    ]
    page = senior.see(f"/dashboard?span={span}").text
    table = page.partition('id="t-flow"')[2].partition("</table>")[0]
    assert re.findall(r"<td>(\d+)</td><td>(\d+)</td>", table) == [(row["held"], row["decided"]) for row in flow]
    rules = list(csv.DictReader(io.StringIO(senior.see(f"/dashboard/rules.csv?span={span}").text)))
    assert [(row["rule"], int(row["ruled"]), int(row["overturned"])) for row in rules] == [
        (rule["rule"], rule["overturned"]["of"], rule["overturned"]["count"]) for rule in told["rules"]
    ]


@pytest.mark.parametrize("figure", list(TABLES))
def test_each_figure_is_a_table(senior: Person, figure: str) -> None:
    answer = senior.see(f"/dashboard/{figure}.csv?span=30d")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{figure}-30d.csv"'
    names, *rows = csv.reader(io.StringIO(answer.text))
    assert all(len(row) == len(names) for row in rows)
    assert len(set(names)) == len(names)
    assert f"/dashboard/{figure}.csv?span=30d" in senior.see("/dashboard?span=30d").text


def test_what_there_is_not_is_said(senior: Person, client: FlaskClient, ann: Moderator) -> None:
    assert senior.see("/dashboard?span=1y").status_code == 422
    assert senior.see("/dashboard/flow.csv?span=").status_code == 422
    assert senior.see("/dashboard/secrets.csv").status_code == 404
    answer = client.get("/v1/review/dashboard?span=1y", headers=token(client))
    assert (answer.status_code, answer.json["field"]) == (422, "span")  # type: ignore[index]


def test_an_empty_site_is_told_so(app: Flask, store: Store, site: tuple[str, str], past: Past) -> None:
    make_moderator(store, site[0], "bob@example.org", Role.ADMIN)
    bob = Person(app.test_client()).sign_in("bob@example.org")
    page = bob.see("/dashboard").text
    for words in ("nothing waits", "nothing was decided", "No rule held anything", "The site has no webhook",
                  "No worker has shown itself", "no session of yours yet"):  # fmt: skip
        assert words in page
    assert "not enough yet (0)" in page


def test_the_page_holds_no_style_and_no_names(senior: Person, store: Store, past: Past) -> None:
    page = senior.see("/dashboard?span=30d").text
    assert " style=" not in page
    assert "<style" not in page
    assert "a" * 32 not in page
    assert "“Approved after all”" in page
