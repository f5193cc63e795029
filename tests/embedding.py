"""A news site on a server of its own, whose pages carry the comments of a running service."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from tests.services import Running

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
