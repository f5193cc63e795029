"""/policy: drafts, previews, versions, who may what, and two admins at once, on both databases."""

import html
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from moderation.domain.lifecycle import Outcome, Role
from moderation.services import policies, policy_preview, sites
from moderation.store.audit import AuditEvent
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Decision
from tests.integration.pages import Person
from tests.services import ABUSE, a_comment, bearer, make_moderator

Site = tuple[str, str]


def person_of(app: Flask, store: Store, site: Site, name: str, role: Role) -> Person:
    make_moderator(store, site[0], f"{name}@example.org", role)
    return Person(app.test_client()).sign_in(f"{name}@example.org")


@pytest.fixture
def admin(app: Flask, store: Store, site: Site) -> Person:
    return person_of(app, store, site, "ada", Role.ADMIN)


def status(store: Store, comment_id: str) -> str:
    with store.read() as session:
        return session.get_one(Comment, comment_id).status


def fields(page: TestResponse) -> dict[str, str]:
    """What the form of the rules would post as it stands, without its buttons."""
    form = page.text.partition('class="policy"')[2].partition("</form>")[0]
    found: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        about = {name: html.unescape(value) for name, value in re.findall(r'([a-z-]+)="([^"]*)"', tag)}
        if about.get("type") == "checkbox":
            if "checked" in tag:
                found[about["name"]] = "on"
        elif about.get("name") and about["name"] != "csrf_token":
            found[about["name"]] = about.get("value", "")
    for name, text in re.findall(r'<textarea[^>]* name="([^"]*)"[^>]*>\n?(.*?)</textarea>', form, re.S):
        found[name] = html.unescape(text)
    for name, options in re.findall(r'<select[^>]* name="([^"]*)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return found


def document(page: TestResponse) -> str:
    (found,) = re.findall(r'name="document" value="([^"]*)"', page.text)
    return html.unescape(found)


def field_of(typed: dict[str, str], name: str) -> str:
    """The beginning of the fields of the rule with this name."""
    (found,) = [key for key, value in typed.items() if value == name and key.endswith(".name")]
    return found.removesuffix("name")


def newest(store: Store, site: Site) -> policies.Policy:
    with store.read() as session:
        return policies.stored(session, site[0])


def test_the_form_as_it_stands_is_the_policy(admin: Person) -> None:
    page = admin.send("/policy/preview", **fields(admin.see("/policy")))
    assert page.status_code == 200
    assert "Nothing is different" in page.text
    assert "Save as version" not in page.text


def test_a_policy_of_every_kind_survives_the_form(admin: Person, store: Store, site: Site) -> None:
    source = """
    rules:
      - {name: insult, kind: score, attribute: INSULT, hold: 0.016, reject: 0.98}
      - {name: slurs, kind: words, words: [jabber*, "a b", "<b>\\"&"], action: reject}
      - {name: numbers, kind: pattern, pattern: '\\bNO-\\d{6}\\b <"&'}
      - {name: links, kind: links, at_least: 3, enabled: false}
      - {name: mail, kind: email_address}
      - {name: phone, kind: phone_number, region: "NO", at_least: 2}
      - {name: newcomer, kind: first_time_author, at_least: 2}
      - {name: offender, kind: repeat_offender, at_least: 3, share: 0.5, action: reject}
      - {name: regulars, kind: trusted_author, at_least: 50}
      - {name: tongues, kind: language, allow: [de, "no"], action: approve}
      - {name: unscored, kind: not_scored}
    sections:
      World: [{name: links, kind: links}, {name: insult, enabled: false}]
      "A & <b>": [{name: own, kind: links, at_least: 4}]
    articles:
      https://news.example/a?b=c&d=e: [{name: insult, kind: score, attribute: INSULT, hold: 0.5}]
    """
    with store.write() as session:
        policies.apply(session, site[0], policies.parse(source))
    page = admin.send("/policy/preview", **fields(admin.see("/policy")))
    assert page.status_code == 200, page.text
    assert "Nothing is different" in page.text


def test_preview_names_what_would_change_and_saving_decides_by_it(
    admin: Person, store: Store, site: Site, post: Callable[..., str]
) -> None:
    insult, fine = post("c1"), post("c2", "Thank you, a clear summary.")
    typed = fields(admin.see("/policy"))
    for name in ("insult", "toxicity", "severe_toxicity", "profanity", "threat", "identity_attack"):
        del typed[field_of(typed, name) + "enabled"]
    typed[field_of(typed, "spam") + "hold"] = "0.7"
    page = admin.send("/policy/preview", **typed)
    assert "This 1 comment of the last 2 would be decided otherwise" in page.text
    assert "approved instead of held" in page.text
    assert f"/review/{insult}" in page.text
    assert f"/review/{fine}" not in page.text
    assert "switched off" in page.text
    assert "Hold from: 0.668 → 0.7" in page.text
    answer = admin.send("/policy", base="1", document=document(page), note="quieter <b>")
    assert answer.location == "/policy"
    assert "Saved as version 2" in admin.see("/policy").text
    assert status(store, post("c3")) == "approved"
    assert (status(store, insult), status(store, fine)) == ("held", "approved")  # what is decided stays
    kept = newest(store, site)
    assert (kept.version, kept.note) == (2, "quieter <b>")
    assert kept.actor is not None
    history = admin.see("/policy/history").text
    assert "ada" in history
    assert "quieter &lt;b&gt;" in history
    assert "Hold from: 0.668 → 0.7" in admin.see("/policy/history?from=1&to=2").text

    back = admin.send("/policy/preview", version="1", base="2")
    assert "held instead of approved" in back.text
    assert "Version 1 again" in back.text
    admin.send("/policy", base="2", document=document(back), note="")
    assert newest(store, site).version == 3
    assert status(store, post("c4")) == "held"


def test_of_two_who_save_the_second_is_told_and_loses_nothing(
    admin: Person, app: Flask, store: Store, site: Site
) -> None:
    other = person_of(app, store, site, "bea", Role.ADMIN)
    typed = fields(admin.see("/policy"))
    mine = document(admin.send("/policy/preview", **typed | {field_of(typed, "insult") + "hold": "0.5"}))
    other.see("/policy")
    theirs = document(other.send("/policy/preview", **typed | {field_of(typed, "threat") + "hold": "0.9"}))
    assert other.send("/policy", base="1", document=theirs, note="threats").status_code == 303
    answer = admin.send("/policy", base="1", document=mine, note="my note")
    assert answer.status_code == 409
    assert "Version 2 by bea" in answer.text
    assert "Threat: Hold from: 0.147 → 0.9" in answer.text
    assert "Hold from: 0.226 → 0.5" in answer.text
    assert "my note" in answer.text
    assert newest(store, site).version == 2
    assert admin.send("/policy", base="2", document=document(answer), note="my note").status_code == 303
    assert newest(store, site).version == 3
    stale = admin.send("/policy/preview", **typed | {"base": "1"})
    assert stale.status_code == 409


MISFITS = [
    ("insult", "hold", "lots", "Enter a number from 0 to 1"),
    ("insult", "hold", "1.5", "Enter a number from 0 to 1"),
    ("insult", "hold", "nan", "Enter a number from 0 to 1"),
    ("insult", "hold", "", "Enter at least one limit"),
    ("insult", "reject", "0.1", "must not be below"),
    ("many_links", "at_least", "0", "Enter a whole number"),
    ("phone_number", "region", "usa", "Enter two capital letters"),
    ("language_not_served", "allow", "German", "Enter language codes"),
    ("many_links", "name", "Many Links!", "Use small letters"),
    ("many_links", "action", "explode", "Choose what happens"),
]


def test_what_does_not_fit_is_said_beside_its_field_and_kept(admin: Person, store: Store, site: Site) -> None:
    stands = fields(admin.see("/policy"))
    for name, field, typed, says in MISFITS:
        form = stands | {field_of(stands, name) + field: typed}
        page = admin.send("/policy/preview", **form)
        assert page.status_code == 422, typed
        assert says in html.unescape(page.text)
        assert "Nothing was saved" in page.text
        assert field == "action" or fields(page) == form
    assert newest(store, site).version == 1


def test_a_bad_pattern_and_an_empty_list_keep_their_text(admin: Person) -> None:
    form = fields(admin.see("/policy"))
    page = admin.send("/policy/form", **form | {"rules.new": "pattern", "do": "add:rules"})
    form = fields(page)
    form[field_of(form, "pattern") + "pattern"] = "(unclosed <b>"
    page = admin.send("/policy/preview", **form)
    assert page.status_code == 422
    assert "not a regular expression that RE2 takes" in page.text
    assert "(unclosed &lt;b&gt;" in page.text


def test_rows_and_places_come_and_go_without_a_save(admin: Person, store: Store, site: Site) -> None:
    form = fields(admin.see("/policy"))
    form = fields(admin.send("/policy/form", **form | {"new.sections": "Sport & more", "do": "place:sections"}))
    assert form["s0.place"] == "Sport & more"
    form = fields(admin.send("/policy/form", **form | {"s0.new": "=insult", "do": "add:s0"}))
    assert (form["s0.0.name"], form["s0.0.hold"]) == ("insult", "0.226")
    form = fields(admin.send("/policy/form", **form | {"s0.new": "words", "do": "add:s0"}))
    form |= {"s0.0.hold": "0.9", "s0.1.words": "offside*\r\n\r\nred card"}
    page = admin.send("/policy/preview", **form)
    assert page.status_code == 200
    assert "In the section Sport &amp; more" in page.text
    again = admin.send("/policy/form", base="1", document=document(page))  # back to the form
    assert fields(again)["s0.1.words"] == "offside*\nred card"
    assert admin.send("/policy", base="1", document=document(page), note="").status_code == 303
    assert newest(store, site).document["sections"]["Sport & more"][1]["words"] == ["offside*", "red card"]
    form = fields(admin.see("/policy"))
    form = fields(admin.send("/policy/form", **form | {"do": "remove:s0.0"}))
    assert form["s0.0.kind"] == "words"
    twice = admin.send("/policy/form", **form | {"new.sections": "SPORT & MORE", "do": "place:sections"})
    assert "not there yet" in twice.text
    form = fields(admin.send("/policy/form", **form | {"do": "remove:s0"}))
    assert "s0.place" not in form
    assert newest(store, site).version == 2


def test_a_strange_deed_changes_nothing(admin: Person) -> None:
    form = fields(admin.see("/policy"))
    for deed in ("", "add", "add:nowhere", "remove:rules", "remove:rules.999", "place:users", "x:y"):
        assert fields(admin.send("/policy/form", **form | {"do": deed})) == form, deed


def test_the_file_says_what_is_wrong_and_keeps_the_text(admin: Person, store: Store, site: Site) -> None:
    page = admin.send("/policy/preview", file="rules: [{name: x, kind: nonsense}] # <b>", base="1")
    assert page.status_code == 422
    assert "rules.0.kind" in page.text
    assert "# &lt;b&gt;" in page.text
    good = admin.send("/policy/preview", file="rules:\r\n  - {name: links, kind: links}\r\n", base="1")
    assert good.status_code == 200
    admin.send("/policy", base="1", document=document(good), note="")
    assert newest(store, site).document == {"rules": [{"name": "links", "kind": "links"}]}


def test_seniors_read_and_moderators_do_not(app: Flask, store: Store, site: Site, admin: Person) -> None:
    senior = person_of(app, store, site, "sue", Role.SENIOR)
    moderator = person_of(app, store, site, "mo", Role.MODERATOR)
    for path in ("/policy", "/policy/file", "/policy/history"):
        page = senior.see(path)
        assert page.status_code == 200
        assert 'class="primary"' not in page.text
        assert moderator.see(path).status_code == 403
    for path in ("/policy", "/policy/preview", "/policy/form"):
        senior.see("/policy")
        answer = senior.send(path, base="1", document="{rules: []}", file="rules: []")
        assert answer.status_code == 403
    assert newest(store, site).version == 1


def test_another_sites_policy_is_out_of_reach(app: Flask, store: Store, site: Site, admin: Person) -> None:
    with store.write() as session:
        other, key = sites.create_site(session, "other")
        policies.apply(session, other.id, policies.parse("rules: [{name: secret_rule, kind: links}]"))
    assert "secret_rule" not in admin.see("/policy/history").text
    assert admin.see("/policy/history?from=1&to=2").status_code == 404
    assert admin.send("/policy/preview", version="2", base="1").status_code == 404
    assert key


def test_a_strange_base_is_refused(admin: Person) -> None:
    admin.see("/policy")
    for base in ("", "x", "-1", "٣", "9" * 30):
        assert admin.send("/policy", base=base, document="{rules: []}").status_code == 422, base


def test_a_note_and_a_document_with_nul_reach_no_database(admin: Person, store: Store, site: Site) -> None:
    admin.see("/policy")
    answer = admin.send("/policy", base="1", document='{"rules": [{"name": "l", "kind": "links"}]}', note="a\0b")
    assert answer.status_code == 303
    assert newest(store, site).note == "ab"
    bad = admin.send("/policy", base="2", document='{"rules": [{"name": "l", "kind": "words", "words": ["\\u0000"]}]}')
    assert bad.status_code == 422


def test_without_the_forms_token_nothing_is_saved(admin: Person, store: Store, site: Site) -> None:
    admin.token = "x"
    assert admin.send("/policy", base="1", document="{rules: []}").status_code == 400
    assert newest(store, site).version == 1


def test_each_version_is_in_the_audit_trail_without_its_text(admin: Person, store: Store, site: Site) -> None:
    admin.see("/policy")
    document = "{rules: [{name: words_here, kind: words, words: [canary]}]}"
    admin.send("/policy", base="1", document=document, note="canary")
    with store.read() as session:
        events = session.query(AuditEvent).filter_by(action="policy.applied").order_by(AuditEvent.id).all()
        assert [event.data for event in events] == [{"version": 1}, {"version": 2}]
        assert events[1].actor is not None


def test_the_preview_is_what_the_decision_says(
    store: Store, site: Site, client: FlaskClient, work: Callable[[], int]
) -> None:
    """The comments are decided anew, after the draft was saved, and come out as the preview had said."""
    bodies = [ABUSE, "Fine words.", "Write to me at a@example.org please.", "See www.example.com and www.example.org",
              "A jabberwock came.", "Du bist ein dummer Idiot, verschwinde endlich aus unserem Land."]  # fmt: skip
    draft = policies.parse("""
    rules:
      - {name: insult, kind: score, attribute: INSULT, hold: 0.99}
      - {name: toxicity, kind: score, attribute: TOXICITY, reject: 0.5}
      - {name: links, kind: links, at_least: 2}
      - {name: beasts, kind: words, words: [jabber*], action: reject}
      - {name: tongues, kind: language, allow: [de]}
    sections:
      World: [{name: beasts, enabled: false}]
    """)

    def send(prefix: str) -> list[str]:
        comments = [
            a_comment(f"{prefix}{n}-{name}", body, article={"url": f"https://news.example/{name}", "section": name})
            for n, body in enumerate(bodies)
            for name in ("World", "Sport")
        ]
        answer = client.post("/v1/comments/batch", json={"comments": comments}, headers=bearer(site[1]))
        work()
        return [one["id"] for one in answer.json["results"]]  # type: ignore[index]

    first = send("a")
    with store.read() as session:
        seen = policy_preview.preview(session, site[0], draft, now_ms())
    assert (seen.compared, seen.unsure) == (12, 0)
    said = {one.comment.id: one.after for one in seen.changed}
    assert said
    with store.write() as session:
        policies.apply(session, site[0], draft)
    second = send("b")
    with store.read() as session:
        for old, new in zip(first, second, strict=True):
            was, now = (session.get_one(Decision, session.get_one(Comment, id).decision_id) for id in (old, new))
            assert said.get(old, Outcome(was.action)) == now.action


def test_what_can_not_be_told_is_counted(store: Store, site: Site, client: FlaskClient) -> None:
    from moderation.scoring import Classifier
    from moderation.services import decide

    client.post("/v1/comments", json=a_comment("c1", "Fine."), headers=bearer(site[1]))
    decide.drain(store, Classifier("linear", None, "broken"), "t", lease_ms=9_000, until=lambda: True,
                 after_batch=lambda: None)  # fmt: skip
    with store.read() as session:
        seen = policy_preview.preview(session, site[0], policies.parse("rules: []"), now_ms())
    assert (seen.compared, seen.unsure, len(seen.changed)) == (0, 1, 0)
