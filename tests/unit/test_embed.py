"""The script for static pages: how much is sent, how it is sent, and what the docs say of it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from moderation.app import create_app
from moderation.config import Settings
from moderation.web.embed import squeeze

ROOT = Path(__file__).parents[2]
SOURCE = (ROOT / "moderation" / "web" / "static" / "comments.js").read_text("utf-8")
REPORT = (ROOT / "moderation" / "web" / "static" / "report.js").read_text("utf-8")
TEXTS = {
    name: text
    for source, end in ((SOURCE, "const say ="), (REPORT, "const REASONS ="))
    for name, text in re.findall(r'(?:^ {2,4}|, )"?([a-z_-]+)"?: "([^"]+)"', source[: source.index(end)], re.M)
}
PATH, REPORT_PATH = "/embed/comments.js", "/embed/report.js"


@pytest.fixture(scope="module")
def client() -> Iterator[FlaskClient]:
    app: Flask = create_app(Settings(database_url="sqlite:///unused.sqlite3", secret_key="k" * 32))
    yield app.test_client()
    app.extensions["moderation"].store.close()


@pytest.mark.parametrize(("path", "least", "most"), [(PATH, 5_000, 10_000), (REPORT_PATH, 3_000, 5_000)])
def test_it_is_as_small_as_the_docs_say(client: FlaskClient, path: str, least: int, most: int) -> None:
    answer = client.get(path, headers={"Accept-Encoding": "gzip, br"})
    assert "Content-Encoding" not in answer.headers
    assert least < len(answer.data) < most


@pytest.mark.parametrize("path", [PATH, REPORT_PATH])
def test_any_page_may_load_it_and_keep_it_for_a_while(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers={"Origin": "https://news.example"})
    assert (answer.status_code, answer.content_type) == (200, "text/javascript; charset=utf-8")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "max-age=3600" in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers
    again = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_squeezing_leaves_text_alone() -> None:
    source = """(() => {
      // "a" said
      const a = "x , y // z"; // why
      /** What. */
      if (a) {
        b(a ?? 1);
      }
    })();
    """
    assert squeeze(source) == '(()=>{const a="x , y // z";if(a){b(a??1)}})();'
    sent = squeeze(SOURCE) + squeeze(REPORT)
    assert [text for text in TEXTS.values() if f'"{text}"' not in sent] == []


def test_constants_become_one_statement_and_nothing_else_does() -> None:
    source = """{
  const a = 1;
  const b = () => {
    const c = 2;
    const d = c;
    return d;
  };

  const e = f(a,
    b);
  const g = "x;";
  const h = 3;
  if (a) b();
  const i = 4;
}
"""
    assert squeeze(source) == (
        '{const a=1,b=()=>{const c=2,d=c;return d},e=f(a,b);const g="x;";const h=3;if(a)b();const i=4}'
    )  # fmt: skip


def test_it_parses_nobodys_text_and_stores_nothing() -> None:
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "DOMParser",
        "eval",
        "cookie",
        "Storage",
        "indexedDB",
        "style=",
    ):
        assert word not in SOURCE + REPORT


def test_the_docs_name_every_text_attribute_and_colour() -> None:
    page = (ROOT / "docs" / "embed.md").read_text("utf-8")
    assert len(TEXTS) > 45
    assert [name for name, text in TEXTS.items() if f"| `{name}` | {text} |" not in page] == []
    assert len(re.findall(r"^\| `", page, re.M)) == len(TEXTS) + 8
    chosen = set(re.findall(r"\bset\.(\w+)", SOURCE))
    assert [name for name in chosen if f"| `data-{name}` |" not in page] == []
    assert [name for name in re.findall(r"var\((--comments-\w+)", SOURCE) if f"`{name}`" not in page] == []


def test_the_link_beside_the_example_leads_to_what_is_served() -> None:
    assert (ROOT / "integrations" / "embed" / "comments.js").read_text("utf-8") == SOURCE
