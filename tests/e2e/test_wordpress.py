"""Our plugin in a real WordPress beside a real service: readers write, either side's moderators rule."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, expect
from standardwebhooks import Webhook

from tests.databases import until
from tests.e2e.wordpress_site import ADMIN_EMAIL, PLUGIN, WordPress, free_port
from tests.services import ABUSE, Running

pytestmark = pytest.mark.wordpress

ENV = {"MODERATION_WEBHOOK_ALLOW_PRIVATE": "1", "MODERATION_GRACE_SECONDS": "0"}
SOON = 90

# WordPress's own moderation holds what has the word; the rest it publishes. And a past: 130 comments in all statuses.
PAST = """<?php
$_SERVER['HTTP_HOST'] = '127.0.0.1';
require __DIR__ . '/wp-load.php';
update_option( 'moderation_keys', 'lighthouse' );
for ( $i = 0; $i < 130; $i++ ) {
    wp_insert_comment( wp_slash( array(
        'comment_post_ID' => 1, 'comment_author' => "Old $i", 'comment_author_email' => "old$i@readers.example",
        'comment_content' => 7 === $i ? $argv[1] : "Old comment number $i, it's \\\\ fine & short",
        'comment_approved' => array( 120 => 'spam', 121 => 'trash', 122 => '0' )[ $i ] ?? '1',
        'comment_parent' => 5 === $i ? 1 : 0,
    ) ) );
}
"""


class Pair:
    """A WordPress and its service; `down` and `up` are the service's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "data"
        self._port = str(free_port())
        self.wordpress = WordPress(folder)
        self.wordpress.php(PAST, ABUSE)
        self.secret = ""
        self.up()

    def up(self) -> None:
        self.service = Running(self._folder, "--port", self._port, env=ENV)

    def down(self) -> None:
        self.service.stop()

    def webhook(self, *options: str) -> str:
        """Tells the service where to send events; returns the secret."""
        ran = subprocess.run(
            [sys.executable, "-P", "-m", "moderation", "site", "webhook",
             *(options or [f"{self.wordpress.url}/wp-json/comment-moderation/v1/webhook"])],
            env={"MODERATION_DATABASE_URL": f"sqlite:///{self._folder / 'moderation.sqlite3'}"},
            cwd=self._folder, capture_output=True, text=True, check=True,
        )  # fmt: skip
        found = re.search(r"whsec_[\w+/=]+", ran.stdout)
        return found[0] if found else ""

    def at_service(self, comment: int) -> dict[str, Any]:
        status, found = self.service.call("GET", f"/v1/comments?external_id=wp-1-{comment}")
        return dict(found) if status == 200 else {}

    def rule(self, comment: int, action: str, reason: str | None = None) -> str:
        """A moderator in our queue; returns their token."""
        token = self.service.token()
        id = self.at_service(comment)["id"]
        item = self.service.call("GET", f"/v1/review/items/{id}", key=token)[1]
        status, answer = self.service.call("POST", f"/v1/review/items/{id}/actions", {
            "action": action, "version": item["version"], "reason": reason}, key=token)  # fmt: skip
        assert status == 200, answer
        return token

    def events(self, comment: int) -> list[tuple[str, str]]:
        """(status, source) of each decision on a comment, in the order of the feed."""
        found, cursor = [], ""
        while page := self.service.call("GET", f"/v1/events?limit=1000&after={cursor}")[1]:
            if not page["events"]:
                break
            found += [event["data"] for event in page["events"]]
            cursor = page["next"]
        return [(data["status"], (data["decision"] or {}).get("source", "")) for data in found
                if data["external_id"] == f"wp-1-{comment}"]  # fmt: skip

    def becomes(self, comment: int, status: str) -> None:
        """Waits until WordPress has the comment so."""
        until(lambda: self.wordpress.status(comment) == status, SOON, f"comment {comment} {status}")

    def is_told(self, comment: int, status: str, source: str) -> None:
        """Waits until the service has the comment so, by a decision of this source."""

        def told() -> bool:
            found = self.at_service(comment)
            return found["status"] == status and (found["decision"] or {}).get("source", "") == source

        until(told, SOON, f"comment {comment} {status} by {source}")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    made = Pair(tmp_path_factory.mktemp("wordpress"))
    made.wordpress.activate()
    made.secret = made.webhook()
    made.wordpress.set(url=made.service.base_url, key=made.service.credentials["site_key"], secret=made.secret)
    yield made
    made.down()
    made.wordpress.stop()


def test_every_file_is_php() -> None:
    for file in sorted(PLUGIN.rglob("*.php")):
        ran = subprocess.run(["php", "-l", str(file)], capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout


def test_a_civil_comment_is_published_and_an_abusive_one_is_not(pair: Pair) -> None:
    civil = pair.wordpress.comment("Thank you for this careful summary of the briefing.")
    pair.becomes(civil, "approved")
    assert pair.at_service(civil)["status"] == "approved"
    assert "careful summary of the briefing" in pair.wordpress.article()
    abusive = pair.wordpress.comment(f"Marten. {ABUSE}")
    pair.becomes(abusive, "hold")
    pair.is_told(abusive, "held", "policy")
    assert "Marten" not in pair.wordpress.article()
    assert "Held by policy" in pair.wordpress.page("edit-comments.php?comment_status=moderated")


def test_our_moderators_have_the_last_word_there(pair: Pair) -> None:
    comment = pair.wordpress.comment(f"Polecat. {ABUSE}")
    pair.is_told(comment, "held", "policy")
    pair.rule(comment, "approve")
    pair.becomes(comment, "approved")
    assert "Polecat" in pair.wordpress.article()
    token = pair.rule(comment, "reject", "insult")
    pair.becomes(comment, "spam")
    assert "Polecat" not in pair.wordpress.article()
    assert pair.service.call("POST", "/v1/review/undo", {}, key=token)[0] == 200
    pair.becomes(comment, "approved")
    pair.wordpress.set(rejected="trash")
    pair.rule(comment, "reject", "insult")
    pair.becomes(comment, "trash")
    pair.wordpress.set(rejected="spam")
    pair.wordpress.cron()
    assert pair.events(comment) == [
        ("held", "policy"), ("approved", "moderator"), ("rejected", "moderator"), ("approved", "moderator"),
        ("rejected", "moderator"),
    ]  # fmt: skip


def test_what_moderators_do_in_wordpress_is_told_and_does_not_come_back(pair: Pair) -> None:
    comment = pair.wordpress.comment(f"Badger. {ABUSE}")
    pair.is_told(comment, "held", "policy")
    pair.wordpress.rule(comment, "approved")
    pair.is_told(comment, "approved", "site")
    pair.wordpress.rule(comment, "spam")
    pair.is_told(comment, "rejected", "site")
    pair.wordpress.rule(comment, "hold")
    pair.is_told(comment, "held", "site")
    pair.wordpress.cron()  # it follows the feed, which has all of these
    assert pair.wordpress.status(comment) == "hold"
    assert pair.events(comment) == [("held", "policy"), ("approved", "site"), ("rejected", "site"), ("held", "site")]


def test_an_edit_makes_a_revision_and_a_deletion_withdraws(pair: Pair) -> None:
    comment = pair.wordpress.comment("The bridge was opened in 1911, as far as I know.")
    pair.becomes(comment, "approved")
    answer = pair.wordpress.rest("POST", f"/wp/v2/comments/{comment}", {"content": f"Shortened by the editor. {ABUSE}"})
    assert answer.ok
    pair.is_told(comment, "approved", "site")
    assert pair.at_service(comment)["revision"] == 2
    assert pair.wordpress.status(comment) == "approved"
    assert pair.wordpress.rest("DELETE", f"/wp/v2/comments/{comment}?force=true").ok
    pair.wordpress.cron()
    pair.is_told(comment, "withdrawn", "")


def test_without_the_service_wordpress_decides_and_catches_up_later(pair: Pair) -> None:
    pair.down()
    try:
        abusive = pair.wordpress.comment(f"Otter. {ABUSE}")
        watched = pair.wordpress.comment("The lighthouse was painted again this spring.")
        ruled = pair.wordpress.comment("The old lighthouse keeper told me so himself.")
        assert pair.wordpress.status(abusive) == "approved"
        assert pair.wordpress.status(watched) == pair.wordpress.status(ruled) == "hold"
        assert "WordPress decided" in pair.wordpress.page("edit-comments.php")
        pair.wordpress.rule(ruled, "spam")
    finally:
        pair.up()

    def caught_up() -> bool:
        pair.wordpress.cron()
        return all(pair.at_service(comment).get("status") not in (None, "pending") for comment in (abusive, watched))

    until(caught_up, SOON, "cron to send what was not sent")
    pair.becomes(abusive, "hold")
    pair.becomes(watched, "approved")
    pair.is_told(ruled, "rejected", "site")
    assert pair.wordpress.status(ruled) == "spam"


def test_a_late_decision_comes_by_webhook_and_without_webhooks_by_cron(pair: Pair) -> None:
    comment = pair.wordpress.comment(f"Stoat. {ABUSE}")
    pair.is_told(comment, "held", "policy")
    pair.webhook("--remove")
    pair.rule(comment, "approve")
    until(lambda: ("approved", "moderator") in pair.events(comment), SOON, "the feed")
    assert pair.wordpress.status(comment) == "hold"
    until(
        lambda: pair.wordpress.cron() or pair.wordpress.status(comment) == "approved", SOON, "cron to follow the feed"
    )
    pair.secret = pair.webhook()
    pair.wordpress.set(secret=pair.secret)
    pair.rule(comment, "reject", "insult")
    pair.becomes(comment, "spam")


def send_event(pair: Pair, comment: int, secret: str, **changes: Any) -> int:
    """The status that our webhook's receiver answers to an event that approves a comment."""
    at = changes.get("at", datetime.now(UTC))
    id = changes.get("id", f"event-{datetime.now(UTC).timestamp()}")
    decided = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    event = {"id": id, "type": "comment.approved", "occurred_at": decided, "data": pair.at_service(comment) | {
        "status": "approved",
        "decision": {"action": "approve", "source": "moderator", "decided_at": decided, "reasons": []},
    }}  # fmt: skip
    body = json.dumps(event)
    headers = {"webhook-id": id, "webhook-timestamp": str(int(at.timestamp())), "Content-Type": "application/json",
               "webhook-signature": Webhook(secret).sign(id, at, body)} | changes.get("headers", {})  # fmt: skip
    url = f"{pair.wordpress.url}/wp-json/comment-moderation/v1/webhook"
    return requests.post(url, body + changes.get("more", ""), headers=headers, timeout=60).status_code


def test_forged_and_old_messages_are_refused(pair: Pair) -> None:
    comment = pair.wordpress.comment(f"Weasel. {ABUSE}")
    pair.becomes(comment, "hold")
    pair.is_told(comment, "held", "policy")
    now = datetime.now(UTC)
    assert send_event(pair, comment, "whsec_" + "A" * 44) == 401
    assert send_event(pair, comment, pair.secret, at=now - timedelta(seconds=400)) == 401
    assert send_event(pair, comment, pair.secret, at=now + timedelta(seconds=400)) == 401
    assert send_event(pair, comment, pair.secret, more=" ") == 401
    for header in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        assert send_event(pair, comment, pair.secret, headers={header: ""}) == 401
    assert pair.wordpress.status(comment) == "hold"
    # The same message with its right signature is taken, once.
    assert send_event(pair, comment, pair.secret, id="event-1") == 204
    assert pair.wordpress.status(comment) == "approved"
    assert send_event(pair, comment, pair.secret, id="event-2", headers={"webhook-id": "event-1"}) == 401
    pair.rule(comment, "reject", "insult")
    pair.becomes(comment, "spam")
    assert send_event(pair, comment, pair.secret, id="event-1") == 204
    assert pair.wordpress.status(comment) == "spam"


def test_the_settings_page_tests_the_connection_and_shows_no_key(pair: Pair) -> None:
    key = pair.service.credentials["site_key"]
    page = pair.wordpress.press("test")
    for words in ("The service is reached.", "may send comments", "may read decisions", "The clocks agree.",
                  "The last webhook arrived"):  # fmt: skip
        assert words in page
    assert key[-4:] in page
    assert key not in page
    assert pair.secret not in page
    assert "must begin with https" in pair.wordpress.set(url="ftp://x.example")
    assert "only lower-case letters" in pair.wordpress.set(key="Not a key")
    pair.wordpress.set(key="a" * 40)
    assert "does not know the site key" in pair.wordpress.press("test")
    pair.wordpress.set(url=f"http://127.0.0.1:{free_port()}", key=key)
    assert "The service is not reached" in pair.wordpress.press("test")
    pair.wordpress.set(url=pair.wordpress.url)
    assert "The service is not reached" in pair.wordpress.press("test")
    pair.wordpress.set(url=pair.service.base_url)
    assert "may send comments" in pair.wordpress.press("test")


@pytest.mark.browser
def test_old_comments_are_sent_and_nothing_changes(pair: Pair, browser: Browser) -> None:
    shown = re.compile(r'<(?:li|article) id="(?:div-)?comment-\d+"|Old comment number \d+|' + re.escape(ABUSE))
    before = shown.findall(pair.wordpress.article())
    assert len(before) > 250
    assert ABUSE in before
    counts = "<?php require __DIR__ . '/wp-load.php'; echo json_encode( wp_count_comments() );"
    statuses = pair.wordpress.php(counts)
    context = browser.new_context()
    context.add_cookies([{"name": str(cookie.name), "value": str(cookie.value), "url": pair.wordpress.url}
                         for cookie in pair.wordpress.admin.cookies])  # fmt: skip
    page = context.new_page()
    page.goto(f"{pair.wordpress.url}/wp-admin/options-general.php?page=comment-moderation")
    page.get_by_role("button", name="Send existing comments").click()
    expect(page.locator("#comment-moderation-said")).to_contain_text(" 0 refused, 0 left.", timeout=SOON * 1000)
    page.reload()
    expect(page.get_by_role("button", name="Send existing comments")).to_be_disabled()
    context.close()
    # Comment 1 is WordPress's own; those of the past begin with 2.
    assert [pair.at_service(number)["external_id"] for number in (1, 2, 9, 131)]
    assert pair.at_service(124) == {}  # it was pending
    for number, status in ((2, "approved"), (9, "approved"), (122, "rejected"), (123, "rejected")):
        until(lambda number=number, status=status: pair.at_service(number)["status"] == status, SOON, status)
        assert pair.events(number) == []
    pair.wordpress.cron()
    assert shown.findall(pair.wordpress.article()) == before
    assert pair.wordpress.php(counts) == statuses
    # From now on it is a comment like others: a moderator of ours may take it down.
    pair.rule(9, "reject", "insult")
    pair.becomes(9, "spam")


def test_no_address_of_a_reader_is_published_or_logged(pair: Pair) -> None:
    feeds = [f"{pair.wordpress.url}{path}" for path in ("/comments/feed/", "/wp-json/wp/v2/comments?per_page=100")]
    published = [pair.wordpress.article(), *(requests.get(feed, timeout=60).text for feed in feeds)]
    logged = [file.read_text(errors="replace") for file in (pair.wordpress.log, pair.wordpress.output, pair.service.log)
              if file.exists()]  # fmt: skip
    assert all("readers.example" not in text for text in published + logged)
    assert all(ADMIN_EMAIL not in text for text in published + logged)
    assert "Accepted" in pair.wordpress.output.read_text(), "the server's log is there"
    faults = [line for text in logged[:-1] for line in text.splitlines() if "PHP " in line]
    assert [line for line in faults if f"plugins/{PLUGIN.name}/" in line or "Fatal" in line] == []
