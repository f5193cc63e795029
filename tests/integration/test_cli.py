"""The commands, on both databases."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from moderation.cli import main
from moderation.services import accounts, sites
from moderation.store.session import Store
from tests.services import ABUSE, PASSWORD

Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str) -> Run:
    def invoke(*arguments: str, text: str | None = None) -> Result:
        env = {"MODERATION_DATABASE_URL": database_url}
        return CliRunner().invoke(main, list(arguments), input=text, env=env, catch_exceptions=False)

    return invoke


def test_a_new_site_can_be_used_at_once(run: Run, store: Store) -> None:
    made = json.loads(run("site", "create", "Herald").output)
    with store.read() as session:
        assert sites.holder_of(session, made["site_key"]).site_id == made["site_id"]
    assert run("policy", "show", "--site", "Herald").output.startswith("# version 1\n")


def test_a_moderator_with_a_password_from_standard_input(run: Run, store: Store, site: tuple[str, str]) -> None:
    answer = run(
        "moderator", "create", "Eve@Example.org", "--site", site[0], "--role", "senior", "--password-stdin",
        text=PASSWORD + "\n",
    )  # fmt: skip
    assert (answer.exit_code, answer.output) == (0, "created Eve@Example.org\n")
    with store.read() as session:
        assert accounts.check_password(session, "eve@example.org", PASSWORD).role == "senior"
    again = run("moderator", "create", "eve@example.org", "--password-stdin", text=PASSWORD + "\n")
    assert again.exit_code == 1
    assert "Error: there is a moderator with this e-mail address" in again.output
    short = run("moderator", "create", "bob@example.org", "--password-stdin", text="short\n")
    assert "at least 10 characters" in short.output


def test_a_list_of_domains_says_where_no_rule_asks_for_it(run: Run, site: tuple[str, str], tmp_path: Path) -> None:
    file = tmp_path / "domains"
    file.write_text("evil.example\n||Worse.example^\nno domain\n")
    loaded = run("domains", "load", str(file))
    assert json.loads(loaded.stdout) == {"added": 2, "known": 0, "not_understood": 1}
    assert "the first of them: 3" in loaded.stderr
    assert "No bad_domain rule yet" in loaded.stderr
    assert run("domains", "list").output == "evil.example\nworse.example\n"
    assert json.loads(run("domains", "check", "https://a.evil.example:8080/x").output) == {
        "host": "a.evil.example", "bad": True,
    }  # fmt: skip
    policy = tmp_path / "policy.yaml"
    policy.write_text("rules: [{name: bad, kind: bad_domain}]")
    run("policy", "apply", str(policy))
    assert "No bad_domain rule" not in run("domains", "load", str(file)).stderr
    assert json.loads(run("domains", "remove", "evil.example").output) == {"removed": 1}
    assert json.loads(run("domains", "check", "evil.example").output)["bad"] is False


def test_policies_are_versions(run: Run, site: tuple[str, str], tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("rules: [{name: all_links, kind: links, action: reject}]")
    assert run("policy", "apply", str(file)).output == "applied as version 2\n"
    assert "all_links" in run("policy", "show").output
    assert "toxicity" in run("policy", "show", "--version", "1").output
    assert run("policy", "rollback", "1").output == "version 1 applied as version 3\n"
    assert "toxicity" in run("policy", "show").output
    assert "no such policy version" in run("policy", "rollback", "9").output


def test_a_bad_policy_is_refused_in_one_line(run: Run, site: tuple[str, str], tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("rules: [{name: x, kind: links, at_least: many}]")
    answer = run("policy", "apply", str(file))
    assert answer.exit_code == 1
    assert answer.output.startswith("Error: rules.0.at_least: ")
    assert "# version 1" in run("policy", "show").output


def test_an_unknown_or_unnamed_site(run: Run, site: tuple[str, str]) -> None:
    assert "no such site" in run("policy", "show", "--site", "Nobody").output
    run("site", "create", "Second")
    assert "name one" in run("policy", "show").output


def test_a_webhook_is_set_and_removed(run: Run, site: tuple[str, str]) -> None:
    made = json.loads(run("site", "webhook", "https://news.example/hook").output)
    assert made["secret"].startswith("whsec_")
    assert run("site", "webhook", "ftp://news.example").exit_code == 1
    assert json.loads(run("site", "webhook", "--remove").output)["secret"] is None


def scored(text: str) -> list[dict[str, Any]]:
    answer = CliRunner().invoke(main, ["score"], input=text, catch_exceptions=False)
    assert answer.exit_code == 0
    assert answer.stdout.isascii()
    return [json.loads(line) for line in answer.stdout.splitlines()]


def test_score_answers_each_line_in_order() -> None:
    lines = [
        json.dumps({"text": ABUSE, "id": 1}), "not json", json.dumps({"text": 5}), "", json.dumps({"text": ""}),
        json.dumps({"text": "Ein ruhiger Tag 🎯", "id": "é", "scores": "mine"}), json.dumps({"text": "a" * 200_000}),
        '{"text": "\\ud800"}', "[" * 100_000,
    ]  # fmt: skip
    answers = scored("\n".join(lines))
    assert len(answers) == len(lines)
    assert [set(answer) == {"error"} for answer in answers] == [
        False, True, True, True, False, False, False, True, True,
    ]  # fmt: skip
    assert (answers[0]["id"], answers[0]["action"]) == (1, "hold")
    assert any(reason["attribute"] == "INSULT" for reason in answers[0]["reasons"])
    assert (answers[5]["id"], answers[5]["text"]) == ("é", "Ein ruhiger Tag 🎯")
    assert isinstance(answers[5]["scores"], dict)


def test_a_comment_in_a_language_that_is_not_served_has_no_scores() -> None:
    lines = [json.dumps({"text": text}) for text in ("Das ist doch völliger Unsinn, was da steht.", ABUSE, "😀")]
    german, english, wordless = scored("\n".join(lines))
    assert (german["language"], german["scores"], german["action"]) == ("de", {}, "hold")
    assert german["reasons"] == [{"rule": "language_not_served", "language": "de", "spans": []}]
    assert [english["language"], wordless["language"]] == ["en", "und"]
    assert english["scores"]
    assert wordless["scores"]


def test_a_score_does_not_depend_on_its_neighbours() -> None:
    line = json.dumps({"text": ABUSE})
    many = "\n".join([json.dumps({"text": f"Filler {n}"}) for n in range(300)] + [line])
    assert scored(many)[-1]["scores"] == pytest.approx(scored(line)[0]["scores"], abs=1e-6)


@pytest.mark.parametrize(("name", "value"), [("MODERATION_SECRET_KEY", "short"), ("MODERATION_REDIS_URL", "localhost")])
def test_the_web_server_says_at_once_what_it_can_not_work_with(name: str, value: str, tmp_path: Path) -> None:
    env = {
        "MODERATION_DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3", "MODERATION_SECRET_KEY": "k" * 32, name: value,
    }  # fmt: skip
    command = [sys.executable, "-P", "-m", "moderation", "web", "--bind", "127.0.0.1:0"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: {name}")
    assert len(done.stderr.splitlines()) == 1


def test_a_further_key_may_do_only_what_was_said(run: Run, site: tuple[str, str], store: Store) -> None:
    def made(*options: str) -> frozenset[str]:
        printed = json.loads(run("site", "key", *options).output)
        with store.read() as session:
            holder = sites.holder_of(session, printed["site_key"])
        assert holder.site_id == printed["site_id"] == site[0]
        return holder.scopes

    assert made("--scope", "score") == {"score"}
    assert made("--scope", "score", "--scope", "read") == {"score", "read"}
    assert made() == set(sites.SCOPES)
