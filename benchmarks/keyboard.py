"""`python -m benchmarks.keyboard`: how long from a key press until the next comment can be read, over 200 held ones?

It needs Playwright and Chromium. The service is `moderation up` as it ships: SQLite, its own Valkey, a worker running.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from playwright.sync_api import sync_playwright

from benchmarks.accepts import free_port
from benchmarks.texts import texts
from moderation.processes import dying_with

COMMENTS = 200
_ABUSE = "You are a stupid idiot, shut up, you worthless moron."
_BATCH = 100

# The page itself takes the times: from the key's own time stamp to after the frame that shows another comment.
_WATCH = """() => {
  let pressed = 0, id = document.querySelector("#item").dataset.id;
  window.shown = [];
  addEventListener("keydown", (event) => { pressed = event.timeStamp; }, true);
  new MutationObserver(() => {
    const now = document.querySelector("#item")?.dataset.id ?? "";
    if (now === id) return;
    id = now;
    const began = pressed;
    requestAnimationFrame(() => {
      const painted = new MessageChannel();
      painted.port1.onmessage = () => window.shown.push(performance.now() - began);
      painted.port2.postMessage(null);
    });
  }).observe(document.body, { childList: true, subtree: true });
}"""


def measure(folder: Path, chromium: str, pause: float) -> list[float]:
    """Milliseconds for each of the comments; `pause` is how long, in seconds, the walker looks at each."""
    with _service(folder) as (base, credentials), sync_playwright() as playwright:
        _fill(base, credentials["site_key"])
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(base_url=base)
        page.goto("/review?sort=oldest")
        page.fill("#email", credentials["moderator"]["email"])
        page.fill("#password", credentials["moderator"]["password"])
        page.press("#password", "Enter")
        page.wait_for_selector("html[data-keys=on]")
        page.wait_for_load_state("load")
        page.wait_for_timeout(1000)
        page.evaluate(_WATCH)
        for n in range(COMMENTS):
            # Every fourth is rejected: the time is that of the key that decides, not of the one that asks for a reason.
            for key in ("r", "i") if n % 4 == 3 else ("a",):
                page.keyboard.press(key)
            page.wait_for_function("n => window.shown.length > n", arg=n)
            page.wait_for_timeout(pause * 1000)
        times: list[float] = page.evaluate("window.shown")
        _until(lambda: _held(base, credentials) == 0, "all to be decided")
        browser.close()
    return times


@contextmanager
def _service(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    command = [sys.executable, "-P", "-m", "moderation", "up", "--port", str(free_port()), "--data", str(folder)]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet, preexec_fn=dying_with(os.getpid()))
    try:
        _until((folder / "credentials.json").exists, "credentials")
        credentials = json.loads((folder / "credentials.json").read_text("utf-8"))
        _until(lambda: _ready(credentials["base_url"]), "the service")
        yield credentials["base_url"], credentials
    finally:
        process.terminate()
        process.wait(30)


def _fill(base: str, key: str) -> None:
    """Comments that are held, each another text."""
    comments = [
        {"external_id": f"held-{n}", "body": f"{text} {_ABUSE}", "article": {"url": f"https://news.example/{n % 10}"},
         "author": {"name": f"Reader {n % 60}", "email": f"reader{n % 60}@example.org"}}
        for n, text in enumerate(islice(texts(), COMMENTS))
    ]  # fmt: skip
    for begin in range(0, COMMENTS, _BATCH):
        _call(f"{base}/v1/comments/batch", key, {"comments": comments[begin : begin + _BATCH]})
    ids = [comment["external_id"] for comment in comments]
    _until(lambda: all(_status(base, key, id) == "held" for id in (ids[0], ids[-1])), "the comments to be held")


def _status(base: str, key: str, external_id: str) -> str:
    return str(_call(f"{base}/v1/comments?external_id={external_id}", key)["status"])


def _held(base: str, credentials: dict[str, Any]) -> int:
    token = _call(f"{base}/v1/auth/tokens", "", credentials["moderator"])["token"]
    return int(_call(f"{base}/v1/review/count", token)["count"])


def _call(url: str, token: str, body: dict[str, Any] | None = None) -> Any:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(url, json.dumps(body).encode() if body else None, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def _ready(base: str) -> bool:
    try:
        urllib.request.urlopen(f"{base}/readyz", timeout=5).close()
    except OSError:
        return False
    return True


def _until(condition: Any, what: str) -> None:
    end = time.monotonic() + 120
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"waited too long for {what}")
        time.sleep(0.1)


def main() -> None:
    """Measures with and without a pause, and prints a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.keyboard", description=__doc__)
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="the browser (default /usr/bin/chromium)")
    parser.add_argument(
        "--pauses", type=float, nargs="+", default=[0.0, 0.5], help="seconds that each one is looked at"
    )
    options = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, {platform.system()}\n")
    print("| looked at each for | comments | median / p95 / p99 ms | slowest ms |\n| --- | --- | --- | --- |")
    for pause in options.pauses:
        with tempfile.TemporaryDirectory(prefix="keyboard-") as name:
            times = measure(Path(name) / "data", options.chromium, pause)
        cuts = quantiles(times, n=100)
        print(
            f"| {pause:g} s | {len(times)} | {median(times):.0f} / {cuts[94]:.0f} / {cuts[98]:.0f} | {max(times):.0f} |"
        )


if __name__ == "__main__":
    main()
