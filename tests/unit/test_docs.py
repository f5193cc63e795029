"""The docs name what there is: commands, settings, rules, events, jobs, codes, routes."""

import base64
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from flask import Flask

from moderation.app import create_app
from moderation.cli import main
from moderation.config import Settings
from moderation.domain.policy import RULES
from moderation.http import _CODES
from moderation.queueing import JOBS
from moderation.services.policies import RuleDocument, parse
from moderation.services.record import _EVENT_OF
from moderation.services.webhooks import signed
from moderation.store.tables import Event, Site

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")])

# Routes for people's browsers, for programs that read the document itself, and those that other systems have defined.
NOT_IN_OPENAPI = (
    "/openapi.json", "/static/", "/docs", "/embed/", "/login", "/logout", "/people", "/account", "/join", "/forgot",
    "/reset", "/site", "/review", "/demo", "/examples", "/keys", "/domains",
    "/audit", "/by-score", "/dashboard", "/policy", "/authors", "/articles",
    "/settings",
    "/reports", "/appeals", "/statement/",
    "/v1alpha1/", "/$discovery/", "/batch", "/1.1/", "/1.2/", "/s/", "/integrations/",
)  # fmt: skip


def _read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def _commands(group: click.Group, path: str = "moderation") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}"


@pytest.mark.parametrize("command", sorted(_commands(main)))
def test_every_command_is_in_the_docs(command: str) -> None:
    assert re.search(rf"`{command}[` ]", _read("docs/operate.md"))


def test_the_settings_table_is_what_the_settings_say() -> None:
    rows = []
    for name, field in Settings.model_fields.items():
        default = "none" if field.default == "" else f"`{field.default}`"
        rows.append(f"| `MODERATION_{name.upper()}` | {default} | {field.description} |")
    assert re.findall(r"^\| `MODERATION_.*$", _read("docs/operate.md"), re.M) == rows


@pytest.mark.parametrize("kind", RULES)
def test_every_rule_kind_is_explained_with_an_example_that_works(kind: str) -> None:
    section = re.search(rf"^### {kind}\n(.*?)(?=^##|\Z)", _read("docs/policy.md"), re.M | re.S)
    assert section
    (example,) = re.findall(r"```yaml\n(.*?)```", section[1], re.S)
    assert parse("rules:\n" + example)["rules"][0]["kind"] == kind


def test_every_field_of_a_rule_is_explained() -> None:
    text = _read("docs/policy.md")
    assert [name for name in RuleDocument.model_fields if f"`{name}`" not in text and f"{name}:" not in text] == []


def test_every_event_type_is_in_the_docs() -> None:
    text = _read("docs/api.md")
    assert [type for type in (*_EVENT_OF.values(), "comment.withdrawn") if f"`{type}`" not in text] == []


def test_every_job_is_in_the_docs() -> None:
    text = _read("docs/operate.md")
    assert [job for queue, job in JOBS.items() if f"| `{queue}` | `{job}` |" not in text] == []


def test_every_error_code_is_in_the_docs() -> None:
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "moderation").rglob("*.py"))
    codes = {*_CODES.values(), *re.findall(r'code(?:: str)? ?= ?"([a-z_]+)"', sources)}
    codes |= set(re.findall(r'status, code = \d+, "([a-z_]+)"', sources))
    text = _read("docs/api.md")
    assert sorted(code for code in codes if f"`{code}`" not in text) == []


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app(Settings(database_url="sqlite:///unused.sqlite3", secret_key="k" * 32, demo=True))


def test_every_route_is_in_the_openapi_document(app: Flask) -> None:
    paths = app.api_doc["paths"]  # type: ignore[attr-defined]
    missing = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if not rule.rule.startswith(NOT_IN_OPENAPI) and re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule) not in paths
    ]
    assert [route for route in missing if route != "/"] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_decision_stands_in_the_list_with_its_title() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    titles = [(page, page.read_text("utf-8").partition("\n")[0].removeprefix("# ")) for page in pages]
    rows = [f"| [{title[:4]}]({page.name}) | {title[5:]} |" for page, title in titles]
    assert re.findall(r"^\| \[.*$", _read("docs/decisions/README.md"), re.M) == rows


def test_files_that_the_walk_names_exist() -> None:
    places = (ROOT, ROOT / "moderation")
    named = re.findall(r"`([\w/]+\.py)[`:]", _read("docs/walk.md"))
    assert named
    assert [name for name in named if not any((place / name).exists() for place in places)] == []


FOLDERS = (".ci", "benchmarks", "docs", "integrations", "models", "moderation", "tests", "workers")
BINARY = (".safetensors", ".png", ".pyc")


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    place = re.compile(r"(?<![\w.~)}/-])/(?:home|root|work|Users|mnt|tmp)/\w")
    files = [*ROOT.iterdir(), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))]
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in files
        if path.is_file() and path.suffix not in BINARY and path.name != ".git"
        for match in place.finditer(path.read_text("utf-8", "replace"))
    ]
    assert found == []


def test_the_webhook_example_takes_what_we_sign_and_refuses_the_rest() -> None:
    published: list[str] = []
    (example,) = re.findall(r"```python\n(.*?)```", _read("docs/api.md"), re.S)
    site = Site(id="s", name="n", webhook_secret="whsec_" + base64.b64encode(b"k" * 32).decode())
    names: dict[str, Any] = {"__name__": "hook", "publish": published.append}
    exec(example.replace("whsec_…", site.webhook_secret or ""), names)
    event = Event(id="e1", type="comment.approved", occurred_at=0, data={"external_id": "wp-123"})
    headers, body = signed(site, event, datetime.now(UTC))
    client = names["app"].test_client()
    assert client.post("/hook", data=body, headers=headers).status_code == 204
    assert client.post("/hook", data=body.replace(b"123", b"124"), headers=headers).status_code == 400
    assert published == ["wp-123"]
