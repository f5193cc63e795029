"""Our plugin in a real WordPress beside a real service: readers write, either side's moderators rule."""

import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.databases import until
from tests.e2e.wordpress_pair import (
    A_MINUTE_LATER,
    A_USER,
    FROM_THE_BEGINNING,
    LATE,
    NOT_DECIDED,
    OLD_ANSWER,
    SOON,
    Pair,
    send_event,
)
from tests.e2e.wordpress_site import ADMIN_EMAIL, PLUGIN, Form
from tests.ports import free_port
from tests.services import ABUSE

pytestmark = pytest.mark.wordpress


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    made = Pair(tmp_path_factory.mktemp("wordpress"))
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


def test_what_fills_the_hidden_field_is_held(pair: Pair) -> None:
    assert Form(pair.wordpress.article(), "commentform").fields["comment_topic"] == ""
    trapped = pair.wordpress.comment("Thank you for the timetable of the trams.", comment_topic="pills")
    pair.becomes(trapped, "hold")
    pair.is_told(trapped, "held", "policy")
    assert [one["rule"] for one in pair.at_service(trapped)["decision"]["reasons"]] == ["honeypot"]
    assert "timetable of the trams" not in pair.wordpress.article()
    blank = pair.wordpress.comment("Thank you for the timetable of the buses.", comment_topic=" ")
    pair.becomes(blank, "approved")


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_meets_the_hidden_field(pair: Pair, browser: Browser, scheme: Any) -> None:
    page = browser.new_page(color_scheme=scheme)
    page.goto(f"{pair.wordpress.url}/hello-world/")
    field = page.locator("#commentform #comment_topic")
    box = field.locator("xpath=..").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (1, 1)
    assert page.get_by_label("Leave this field empty").count() == 1
    assert page.get_by_role("textbox", name="Leave this field empty").count() == 0
    page.get_by_label("Comment").last.focus()
    for _ in range(12):  # past the end of the form
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") != "comment_topic"
    found = [one["id"] for one in Axe().run(page, context="#commentform").response["violations"]]
    assert found == []
    page.close()


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
    pair.wordpress.press("catch-up")
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
    all_of_them = [("held", "policy"), ("approved", "site"), ("rejected", "site"), ("held", "site")]
    until(lambda: pair.events(comment) == all_of_them, SOON, "the feed")
    pair.wordpress.press("catch-up")  # follows the feed
    assert pair.wordpress.status(comment) == "hold"
    assert pair.events(comment) == all_of_them


def test_an_edit_makes_a_revision_and_a_deletion_withdraws(pair: Pair) -> None:
    comment = pair.wordpress.comment("The bridge was opened in 1911, as far as I know.")
    pair.becomes(comment, "approved")
    answer = pair.wordpress.rest("POST", f"/wp/v2/comments/{comment}", {"content": f"Shortened by the editor. {ABUSE}"})
    assert answer.ok
    pair.is_told(comment, "approved", "site")
    assert pair.at_service(comment)["revision"] == 2
    assert pair.wordpress.status(comment) == "approved"
    assert pair.wordpress.rest("DELETE", f"/wp/v2/comments/{comment}?force=true").ok
    pair.wordpress.press("catch-up")
    pair.is_told(comment, "withdrawn", "")


def test_an_authors_edit_is_hidden_until_it_is_decided(pair: Pair) -> None:
    comment = pair.wordpress.comment("The ferry ran every hour in those days.")
    pair.becomes(comment, "approved")
    edit = "<?php require __DIR__ . '/wp-load.php'; wp_update_comment( array( 'comment_ID' => (int) $argv[1], "
    edit += "'comment_content' => $argv[2] ) ); echo wp_get_comment_status( (int) $argv[1] );"
    assert pair.wordpress.php(edit, str(comment), "The ferry ran every half hour.").strip() == "unapproved"
    pair.becomes(comment, "approved")
    pair.wordpress.php(edit, str(comment), ABUSE)
    pair.is_told(comment, "held", "policy")
    assert pair.at_service(comment)["revision"] == 3
    assert pair.wordpress.status(comment) == "hold"


def test_a_comment_waits_while_the_decision_does(pair: Pair) -> None:
    with pair.no_worker():
        comment = pair.wordpress.comment("A good day for a walk along the harbour wall.")
        assert pair.wordpress.status(comment) == "hold"
        assert "Waiting for the decision" in pair.wordpress.page("edit-comments.php")
        assert f'id="comment-{comment}"' not in pair.wordpress.article()
    pair.becomes(comment, "approved")


def test_an_answer_later_than_its_webhook_changes_nothing(pair: Pair) -> None:
    comment = pair.wordpress.comment(f"Ferret. {ABUSE}")
    pair.becomes(comment, "hold")
    pair.is_told(comment, "held", "policy")
    decided = "Held by policy"
    until(lambda: decided in pair.wordpress.page("edit-comments.php?s=Ferret"), SOON, decided)
    assert pair.wordpress.php(LATE, str(comment), pair.at_service(comment)["id"]) == "unapproved"


def test_what_is_left_to_wordpress_and_what_no_service_takes(pair: Pair) -> None:
    lines = pair.wordpress.php(NOT_DECIDED).strip().split("\n")
    ids, statuses = [int(line.split()[0]) for line in lines], [line.split()[1:] for line in lines]
    assert statuses == [["1"], ["trash"], ["1"], ["0"]]
    assert [pair.at_service(id) for id in ids] == [{}] * 4
    assert "did not take it: invalid_field" in pair.wordpress.page("edit-comments.php?comment_status=moderated")


def test_a_webhook_and_a_moderator_who_meet_agree_in_the_end(pair: Pair) -> None:
    comment = pair.wordpress.comment(f"Marmot. {ABUSE}")
    pair.is_told(comment, "held", "policy")
    with ThreadPoolExecutor(4) as threads:
        for number, action in enumerate(("approved", "hold") * 4):
            event = threads.submit(send_event, pair, comment, pair.secret, id=f"meeting-{number}", status="rejected")
            pair.wordpress.rule(comment, action)
            assert event.result() == 204
            settled = {"approved": "approved", "hold": "held", "spam": "rejected"}
            until(lambda: pair.nothing_to_do(comment), SOON, "the end of the meeting")
            there, here = pair.at_service(comment)["status"], settled[pair.wordpress.status(comment)]
            # The event is made up, so the service knows nothing of it: either it came last, or the ruling stands.
            assert here in ("rejected", there)


def test_without_the_service_wordpress_decides_and_catches_up_later(pair: Pair) -> None:
    pair.down()
    try:
        abusive = pair.wordpress.comment(f"Otter. {ABUSE}")
        watched = pair.wordpress.comment("The lighthouse was painted again this spring.")
        ruled = pair.wordpress.comment("The old lighthouse keeper told me so himself.")
        trapped = pair.wordpress.comment("A lighthouse is a fine thing.", comment_topic="pills")
        assert pair.wordpress.status(trapped) == "hold"
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
    pair.is_told(trapped, "held", "policy")
    assert pair.wordpress.status(ruled) == "spam"


def test_a_late_decision_comes_by_webhook_and_without_webhooks_by_cron(pair: Pair) -> None:
    comment = pair.wordpress.comment(f"Stoat. {ABUSE}")
    pair.is_told(comment, "held", "policy")
    pair.webhook("--remove")
    pair.rule(comment, "approve")
    until(lambda: ("approved", "moderator") in pair.events(comment), SOON, "the feed")
    assert pair.wordpress.status(comment) == "hold"
    pair.wordpress.php(A_MINUTE_LATER)

    def followed() -> bool:
        pair.wordpress.cron()
        return pair.wordpress.status(comment) == "approved"

    until(followed, SOON, "cron to follow the feed")
    pair.secret = pair.webhook()
    pair.wordpress.set(secret=pair.secret)
    pair.rule(comment, "reject", "insult")
    pair.becomes(comment, "spam")


def test_readers_hear_of_reports_appeals_and_rejections_if_the_site_says_so(pair: Pair) -> None:
    letters = pair.catch_letters()
    quiet = pair.wordpress.comment(f"Wolverine. {ABUSE}", email="quiet@readers.example")
    pair.is_told(quiet, "held", "policy")
    pair.rule(quiet, "reject", "insult")
    pair.becomes(quiet, "spam")
    assert letters() == []
    pair.wordpress.set(letters="1")
    comment = pair.wordpress.comment(f"Pangolin. {ABUSE}", email="author@readers.example")
    pair.is_told(comment, "held", "policy")
    user = pair.wordpress.php(A_USER).strip()
    report = {"reason": "insult", "reporter": {"id": f"wp-user-{user}"}}
    assert pair.service.call("POST", f"/v1/comments/{pair.at_service(comment)['id']}/reports", report)[0] == 202
    pair.rule(comment, "reject", "insult")
    until(lambda: len(letters()) == 2, SOON, "letters to the author and to who reported")
    told = {letter["to"]: letter for letter in letters()}
    assert "was taken down" in told["reporter@readers.example"]["message"]
    assert "author@readers.example" not in told["reporter@readers.example"]["message"]
    reasons = re.search(rf"{pair.service.base_url}/\S+", told["author@readers.example"]["message"])
    assert reasons is not None
    page = requests.get(reasons[0], timeout=60)
    assert "Pangolin" in page.text
    assert requests.post(reasons[0], {"text": "I meant the animal."}, timeout=60).ok
    # The author's appeal is granted by an admin who works alone.
    token = pair.service.token()
    (appeal,) = pair.service.call("GET", "/v1/review/appeals", key=token)[1]["appeals"]
    decided = {"outcome": "overturn", "answer": "You are right, and we are sorry."}
    assert pair.service.call("POST", f"/v1/review/appeals/{appeal['id']}", decided, key=token)[0] == 200
    pair.becomes(comment, "approved")
    until(lambda: len(letters()) == 3, SOON, "a letter about the appeal")
    assert letters()[-1]["to"] == "author@readers.example"
    assert "It is published now.\n\nYou are right, and we are sorry." in letters()[-1]["message"]
    listed = pair.wordpress.page("edit-comments.php?s=Pangolin")
    assert "Reports upheld: 1" in listed
    assert "After an appeal: published" in listed
    # Read again from the beginning, the feed changes nothing and writes to nobody; nor does what is old.
    pair.wordpress.php(FROM_THE_BEGINNING)
    pair.wordpress.press("catch-up")
    assert pair.wordpress.php(OLD_ANSWER, str(comment)) == "noted"
    assert len(letters()) == 3
    pair.wordpress.set(letters="")


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
    # The same message with its right signature is taken, once; also while the service signs with two secrets.
    other = {"webhook-signature": "v1,AAAA v1," + "A" * 43 + "="}
    assert send_event(pair, comment, pair.secret, headers=other) == 401
    assert send_event(pair, comment, pair.secret, id="event-1", beside="whsec_" + "A" * 44) == 204
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
        pair.is_there(number, status)
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


def test_uninstalling_leaves_the_comments_and_nothing_else(pair: Pair) -> None:
    remove = """<?php
    require __DIR__ . '/wp-load.php';
    require_once ABSPATH . 'wp-admin/includes/plugin.php';
    $before = wp_count_comments();
    deactivate_plugins( $argv[1] );
    uninstall_plugin( $argv[1] );
    global $wpdb;
    echo $wpdb->get_var( "SELECT GROUP_CONCAT(option_name) FROM $wpdb->options
            WHERE option_name LIKE 'comment\\_moderation\\_%'" ), ' ',
        $wpdb->get_var( "SELECT COUNT(*) FROM $wpdb->commentmeta WHERE meta_key LIKE '_comment_moderation%'" ), ' ',
        strpos( serialize( _get_cron_array() ), 'comment_moderation' ) === false ? 0 : 1, ' ',
        wp_count_comments() == $before ? 'same' : 'changed';
    """
    assert pair.wordpress.php(remove, f"{PLUGIN.name}/{PLUGIN.name}.php") == " 0 0 same"
