"""A news site on a server of its own, whose pages carry the comments of a running service."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page

from moderation.store.session import new_id
from tests.browser import pages
from tests.databases import until
from tests.services import Running

Open = Callable[..., Page]
EXAMPLE = (Path(__file__).parents[1] / "integrations" / "embed" / "example.html").read_text("utf-8")


class NewsSite:
    """A static web server. `pages` is path -> HTML; each is sent with the strictest policy under which it can work.

    It answers under two names, and so at two origins: `origin` and `other_origin`.
    """

    def __init__(self, service: Running) -> None:
        self.service = service
        self.pages: dict[str, str] = {}
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = site.pages.get(self.path.partition("?")[0])
                self.send_response(200 if page else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Security-Policy", site.policy)
                self.end_headers()
                self.wfile.write((page or "").encode())

            def log_message(self, *args: object) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        port = self.server.server_address[1]
        self.origin, self.other_origin = f"http://127.0.0.1:{port}", f"http://localhost:{port}"
        self.key = list_origin(service, self.origin)

    @property
    def policy(self) -> str:
        """Nothing from anywhere, except the script and its calls; and no string may become HTML."""
        return (
            f"default-src 'none'; script-src {self.service.base_url}; connect-src {self.service.base_url}; "
            "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
        )

    def page(self, path: str, *, attributes: str = "", canonical: bool = False, target: bool = True) -> str:
        """Puts the example page at this path of the site; returns its address."""
        text = EXAMPLE.replace("https://moderation.example", self.service.base_url)
        text = text.replace("SITE_ID", self.service.credentials["site_id"]).replace("PUBLISHABLE_KEY", self.key)
        text = text.replace(" defer></script>", f" {attributes} defer></script>")
        if not canonical:
            text = text.replace('<link rel="canonical" href="https://news.example/river">', "")
        if not target:
            text = re.sub('<div id="comments">.*?</div>', "", text, flags=re.S)
        self.pages[path] = text
        return self.origin + path

    def publish(self, address: str, *comments: tuple[str, str, str, str | None]) -> None:
        """Puts these (id, body, name, parent's id) under an article as old comments, a minute apart."""
        run = new_id()
        sent = [
            {"external_id": run + id, "body": body, "author": {"name": name, "email": "canary-11@example.org"},
             "article": {"url": address}, "parent_external_id": parent and run + parent,
             "created_at": f"2026-11-20T10:{minute:02}:00Z", "imported_status": "approved"}
            for minute, (id, body, name, parent) in enumerate(comments)
        ]  # fmt: skip
        assert self.service.call("POST", "/v1/comments/batch", {"comments": sent})[0] == 200
        thread = f"/v1/threads?article_url={address}"
        until(lambda: len(self.service.call("GET", thread)[1]["comments"]) == len(sent), 60, "the old comments")

    def status(self, comment_id: str) -> str:
        """Where a comment stands in the service."""
        return str(self.service.call("GET", f"/v1/comments/{comment_id}")[1]["status"])


def list_origin(service: Running, *origins: str) -> str:
    """Lists these origins as the site's, by the command that operators use; returns the publishable key."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "moderation", "site", "origins", *origins], check=True, capture_output=True,
        env=os.environ | {"MODERATION_DATABASE_URL": f"sqlite:///{service.folder / 'moderation.sqlite3'}"},
        cwd=service.folder.parent,
    )  # fmt: skip
    return str(json.loads(done.stdout)["publishable_key"])


@contextmanager
def news_site(service: Running) -> Iterator[NewsSite]:
    """A news site while the block lasts."""
    site = NewsSite(service)
    Thread(target=site.server.serve_forever, daemon=True).start()
    yield site
    site.server.shutdown()
    site.server.server_close()


@pytest.fixture(scope="module")
def news(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewsSite]:
    """A news site that a service of its own lists."""
    running = Running(tmp_path_factory.mktemp("embed") / "data", env={"MODERATION_PUBLIC_RATE": "1000 per minute"})
    with news_site(running) as site:
        yield site
    running.stop()


@pytest.fixture
def open_article(browser: Browser, news: NewsSite) -> Iterator[Open]:
    """Opens the example page, at a path that no other test uses unless one is given, in a browser of its own."""
    with pages(browser, news.origin) as begin:

        def open_at(path: str = "", *, origin: str = "", page: dict[str, Any] | None = None, **options: Any) -> Page:
            path = path or f"/{new_id()}"
            if path not in news.pages:
                news.page(path, **(page or {}))
            opened = begin(**options)
            opened.goto((origin or news.origin) + path)
            return opened

        yield open_at


def write(page: Page, body: str) -> None:
    """Fills the form in."""
    page.get_by_label("Name *").fill("Ann Reader")
    page.get_by_label("E-mail *").fill("canary-11@example.org")
    page.get_by_label("Comment *").fill(body)


def send(page: Page) -> str:
    """Sends what is written; returns the comment's id."""
    with page.expect_response("**/v1/public/comments") as sent:
        page.get_by_role("button", name="Send comment").click()
    assert sent.value.status == 202
    return str(sent.value.json()["id"])


def state(page: Page) -> Locator:
    """What the form says of the last try."""
    return page.locator(".state")
