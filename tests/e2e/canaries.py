"""Unique words for every private field, and faults whose errors quote what the program had in hand."""

import html
import json
import os
import re
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from tests.services import Running

# Loaded by every Python process of the service (sitecustomize). Errors here quote the comment, as real ones do.
FAULTS = """
import os
from moderation.services import leases, intake
from models.cascade import CascadeScorer

score, submit, lease = CascadeScorer.score, intake.submit, leases.lease

def broken_score(self, texts):
    if any("BREAK-SCORER" in text for text in texts):
        raise ValueError(f"can't score {texts}")
    return score(self, texts)

def broken_submit(session, site_id, comments, now, **more):
    if any("BREAK-INTAKE" in comment.body for comment in comments):
        raise KeyError(comments)
    return submit(session, site_id, comments, now, **more)

def broken_lease(session, *rest, **more):
    leased = lease(session, *rest, **more)
    if leased and os.path.exists(os.environ["BREAK_JOBS"]):
        raise RuntimeError(f"can't work on {leased}")
    return leased

CascadeScorer.score, intake.submit, leases.lease = broken_score, broken_submit, broken_lease
"""


@dataclass
class Canaries:
    """Makes canaries and remembers them by field."""

    made: dict[str, list[str]] = field(default_factory=dict)

    def new(self, kind: str) -> str:
        """A word that is nowhere else."""
        words = self.made.setdefault(kind, [])
        words.append(f"2001:db8:cafe:{len(words) + 0x1000:x}" if kind == "ip" else f"kanari{kind}{len(words):03d}vogel")
        return words[-1]

    def comment(self, external_id: str, text: str = "A fair point,") -> dict[str, Any]:
        """A comment with a canary in each field that nobody may see, and in name and body, which no log may have."""
        return {
            "external_id": external_id, "body": f"{text} {self.new('body')}",
            "author": {"name": self.new("name"), "email": f"{self.new('email')}@example.org"},
            "article": {"url": "https://news.example/a"},
            "ip": f"{self.new('ip')}::7", "user_agent": self.new("agent"),
        }  # fmt: skip

    def found(self, kinds: tuple[str, ...], text: str) -> list[str]:
        """Those of these fields that are in the text."""
        text = text.lower()
        return [word for kind in kinds for word in self.made.get(kind, []) if word in text]


def fault_environment(folder: Path) -> dict[str, str]:
    """Variables that load the faults into each process; jobs break while the file at BREAK_JOBS exists."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(FAULTS)
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    return {"PYTHONPATH": path, "BREAK_JOBS": str(folder / "break-jobs")}


def refusals(canaries: Canaries) -> list[tuple[int, str, str, bytes, dict[str, str]]]:
    """(status, method, path, body, headers) of requests that are refused, each with canaries in it."""
    new, kind = canaries.new, {"Content-Type": "application/json"}
    whole = lambda **change: json.dumps(canaries.comment("refused") | change).encode()
    return [
        (400, "POST", "/v1/comments", whole()[:-3], kind),
        (409, "POST", "/v1/comments", whole(external_id="first"), kind),
        (413, "POST", "/v1/comments", whole(body=f"{new('body')} " * 20_000), kind),
        (415, "POST", "/v1/comments", whole(), {"Content-Type": "text/plain"}),
        (422, "POST", "/v1/comments", whole(author={"name": new("name"), "email": new("email")}), kind),
        (422, "POST", "/v1/comments", whole(ip=f"{new('ip')}::{'0' * 60}"), kind),
        (422, "POST", "/v1/comments", whole(user_agent=[new("agent")]), kind),
        (422, "POST", "/v1/comments", whole(body=f"{new('body')}\0"), kind),
        (422, "POST", "/v1/comments", whole(format=new("agent")), kind),
        (422, "POST", "/v1/comments", whole(**{new("agent"): new("email")}, article={}), kind),
        (401, "POST", "/v1/comments", whole(), kind | {"Authorization": f"Bearer {new('agent')}"}),
        (404, "GET", f"/v1/comments/{new('agent')}", b"", {"User-Agent": new("agent")}),
        (404, "GET", f"/{new('name')}?email={new('email')}", b"", {"X-Forwarded-For": f"{new('ip')}::1"}),
        (404, "GET", f"/v1/comments?external_id={new('email')}", b"", {"X-Request-Id": new("agent")}),
        (422, "GET", f"/v1/events?after={new('email')}", b"", {"Referer": f"http://a.example/{new('agent')}"}),
        (405, "PATCH", f"/v1/comments?email={new('email')}", b"{}", kind),
        (500, "POST", "/v1/comments", json.dumps(canaries.comment("fault", "BREAK-INTAKE")).encode(), kind),
    ]


def all_of_redis(running: Running) -> str:
    """Every key with its value, as Redis holds them now and as its files do."""
    redis = Redis.from_url(f"unix://{running.folder / 'redis' / 'redis.sock'}")
    held = [b"%s %s" % (key, redis.dump(key) or b"") for key in redis.scan_iter(count=1000)]
    files = [path.read_bytes() for path in (running.folder / "redis").rglob("*") if path.is_file()]
    return b"\n".join(held + files).decode("latin-1")


class Overheard:
    """All that the service's Redis is told from now on, command by command: also what is gone again a moment later."""

    def __init__(self, running: Running) -> None:
        self.commands: list[str] = []
        self._redis = Redis.from_url(f"unix://{running.folder / 'redis' / 'redis.sock'}")
        begun = threading.Event()
        threading.Thread(target=self._listen, args=(begun,), daemon=True).start()
        assert begun.wait(30)

    def _listen(self, begun: threading.Event) -> None:
        with suppress(RedisError), self._redis.monitor() as monitor:  # it ends with its server
            begun.set()
            for heard in monitor.listen():
                self.commands.append(heard["command"])

    def told(self, word: str) -> list[str]:
        """The commands that have this in them."""
        return [command for command in self.commands if word in command]


def attribute(page: str, name: str) -> str:
    """The value of the first attribute of this name in a page; empty when there is none."""
    found = re.search(rf'{name}="([^"]+)"', page)
    return html.unescape(found[1]) if found else ""
