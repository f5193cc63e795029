"""A real WordPress with our plugin beside a real service that it is set up for."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from standardwebhooks import Webhook

from moderation.processes import dying_with
from tests.databases import end, until
from tests.e2e.wordpress_site import WordPress
from tests.ports import free_port
from tests.services import ABUSE, Running

ENV = {"MODERATION_WEBHOOK_ALLOW_PRIVATE": "1", "MODERATION_GRACE_SECONDS": "0"}
# Seconds that a busy machine may need.
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


TODO = "<?php require __DIR__ . '/wp-load.php'; echo get_comment_meta( $argv[1], '_comment_moderation_todo', true );"

A_MINUTE_LATER = "<?php require __DIR__ . '/wp-load.php'; wp_clear_scheduled_hook( 'comment_moderation_catch_up' );"

# Keeps letters instead of sending them.
LETTERS = """<?php
add_filter( 'pre_wp_mail', function ( $sent, $letter ) {
    if ( false !== strpos( $letter['to'], '@readers.example' ) ) {
        file_put_contents( __DIR__ . '/letters', wp_json_encode( $letter ) . "\\n", FILE_APPEND | LOCK_EX );
    }
    return true;
}, 10, 2 );
"""

A_USER = """<?php
require __DIR__ . '/wp-load.php';
echo wp_insert_user( array( 'user_login' => 'reporter', 'user_pass' => wp_generate_password(),
    'user_email' => 'reporter@readers.example' ) );
"""

FROM_THE_BEGINNING = "<?php require __DIR__ . '/wp-load.php'; delete_option( Comment_Moderation\\CURSOR );"

# An answer of last week, of which there was no word yet.
OLD_ANSWER = """<?php
require __DIR__ . '/wp-load.php';
echo Comment_Moderation\\apply_event( array(
    'id' => 'old', 'type' => 'appeal.decided', 'occurred_at' => gmdate( 'c', time() - WEEK_IN_SECONDS ),
    'data' => array(
        'comment' => array( 'external_id' => Comment_Moderation\\external_id( (int) $argv[1] ) ),
        'appeal' => array( 'id' => 'a0', 'outcome' => 'uphold', 'answer' => 'No.' ) ) ) ) ? 'noted' : 'known';
"""

# The answer to a comment gets lost, or comes late, after the webhook has brought the decision.
LATE = """<?php
require __DIR__ . '/wp-load.php';
Comment_Moderation\\fall_back( (int) $argv[1] );
$view = array( 'id' => $argv[2], 'revision' => 1, 'status' => 'pending', 'decision' => null );
Comment_Moderation\\take_answer( get_comment( (int) $argv[1] ), 202, $view );
echo wp_get_comment_status( (int) $argv[1] ), Comment_Moderation\\todo( (int) $argv[1] );
"""

# By an editor; one that WordPress's own list puts into the trash; a pingback; one that the service never takes.
NOT_DECIDED = """<?php
require __DIR__ . '/wp-load.php';
update_option( 'disallowed_keys', 'quagga' );
remove_action( 'check_comment_flood', 'check_comment_flood_db', 10 ); // all from one address
$tries = array(
    array( 'user_id' => 1, 'comment_content' => 'Written by the editor.' ),
    array( 'comment_content' => 'Nothing but quagga.' ),
    array( 'comment_type' => 'pingback', 'comment_content' => 'They wrote about it.' ),
    array( 'comment_content' => str_repeat( 'Very long. ', 2500 ) ),
);
foreach ( $tries as $try ) {
    $id = wp_new_comment( $try + array( 'comment_post_ID' => 1, 'comment_author' => 'Ann', 'user_id' => 0,
        'comment_type' => 'comment', 'comment_author_email' => '', 'comment_author_url' => '', 'comment_parent' => 0,
        'comment_author_IP' => '127.0.0.1', 'comment_agent' => '' ) );
    $todo = get_comment_meta( $id, '_comment_moderation_todo', true );
    echo $id, ' ', get_comment( $id )->comment_approved, ' ', $todo, "\\n";
}
"""


class Pair:
    """A WordPress and its service; `down` and `up` are the service's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "data"
        self._port = str(free_port())
        self.wordpress = WordPress(folder)
        self.wordpress.php(PAST, ABUSE)
        self.up()
        self.wordpress.activate()
        self.secret = self.webhook()
        self.wordpress.set(url=self.service.base_url, key=self.service.credentials["site_key"], secret=self.secret)

    def up(self) -> None:
        self.service = Running(self._folder, "--port", self._port, env=ENV)

    def down(self) -> None:
        self.service.stop()

    @contextmanager
    def no_worker(self) -> Iterator[None]:
        """The service answers, and nobody decides meanwhile: the web part alone, on the same data and port."""
        self.down()
        data = self._folder
        env = os.environ | ENV | {
            "MODERATION_DATABASE_URL": f"sqlite:///{data / 'moderation.sqlite3'}",
            "MODERATION_SECRET_KEY": (data / "secret_key").read_text().strip(),
            "MODERATION_REDIS_URL": f"unix://{data / 'no-redis.sock'}",
        }  # fmt: skip
        command = [sys.executable, "-P", "-m", "moderation", "web", "--bind", f"127.0.0.1:{self._port}"]
        web = subprocess.Popen(command, env=env, cwd=data, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               preexec_fn=dying_with(os.getpid()))  # fmt: skip
        try:
            until(self._answers, SOON, "the web part")
            yield
        finally:
            end(web, signal.SIGTERM)
            self.up()

    def _answers(self) -> bool:
        try:
            return bool(self.service.call("GET", "/healthz", key=None)[0] == 200)
        except OSError:
            return False

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

    def catch_letters(self) -> Callable[[], list[dict[str, Any]]]:
        """From now on letters to readers are kept; what it returns gives them."""
        folder = self.wordpress.root / "wp-content" / "mu-plugins"
        folder.mkdir(exist_ok=True)
        (folder / "letters.php").write_text(LETTERS)
        kept = folder / "letters"
        return lambda: [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []

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
                if data.get("external_id") == f"wp-1-{comment}"]  # fmt: skip

    def becomes(self, comment: int, status: str) -> None:
        """Waits until WordPress has the comment so."""
        until(lambda: self.wordpress.status(comment) == status, SOON, f"comment {comment} {status}")

    def is_there(self, comment: int, status: str) -> None:
        """Waits until the service has the comment so, whoever decided."""
        until(lambda: self.at_service(comment)["status"] == status, SOON, f"comment {comment} {status}")

    def nothing_to_do(self, comment: int) -> bool:
        """Whether the plugin has told all that there is to tell of a comment."""
        return self.wordpress.php(TODO, str(comment)) == ""

    def is_told(self, comment: int, status: str, source: str) -> None:
        """Waits until the service has the comment so, by a decision of this source."""

        def told() -> bool:
            found = self.at_service(comment)
            return (found["status"], (found["decision"] or {}).get("source", "")) == (status, source)

        until(told, SOON, f"comment {comment} {status} by {source}")


def send_event(pair: Pair, comment: int, secret: str, **changes: Any) -> int:
    """The status that our webhook's receiver answers to an event that approves a comment."""
    at = changes.get("at", datetime.now(UTC))
    id = changes.get("id", f"event-{datetime.now(UTC).timestamp()}")
    decided = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    event = {"id": id, "type": "comment.approved", "occurred_at": decided, "data": pair.at_service(comment) | {
        "status": changes.get("status", "approved"),
        "decision": {"action": "approve", "source": "moderator", "decided_at": decided, "reasons": []},
    }}  # fmt: skip
    body = json.dumps(event)
    # While a secret is changed there are two signatures; the one that counts here comes last.
    secrets = [changes["beside"], secret] if "beside" in changes else [secret]
    headers = {"webhook-id": id, "webhook-timestamp": str(int(at.timestamp())), "Content-Type": "application/json",
               "webhook-signature": " ".join(Webhook(one).sign(id, at, body) for one in secrets)}  # fmt: skip
    headers |= changes.get("headers", {})
    url = f"{pair.wordpress.url}/wp-json/comment-moderation/v1/webhook"
    return requests.post(url, body + changes.get("more", ""), headers=headers, timeout=60).status_code
