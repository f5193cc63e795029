"""Every audit action that the code records has words, and the words say who did what."""

import ast
import re
from pathlib import Path

import pytest
from flask import Flask

from moderation.app import create_app
from moderation.config import Settings
from moderation.domain.lifecycle import STATUS_AFTER
from moderation.store.audit import AuditEvent
from moderation.web import audit_words
from moderation.web.audit_words import ACTION_WORDS

ROOT = Path(__file__).resolve().parents[2]
_ACTION = re.compile(r"[a-z]+\.[a-z_]+")
# Dotted words in files that record audit events and are none themselves.
_OTHERS = {"comment.submitted"}


def recorded() -> dict[str, str]:
    """Action -> the file that records it: the dotted words of every file that records audit events."""
    found: dict[str, str] = {}
    for path in sorted([*ROOT.glob("moderation/**/*.py"), *ROOT.glob("workers/*.py")]):
        source = path.read_text("utf-8")
        if not re.search(r"\b(record_audit|audit_row)\(", source):
            continue
        if 'f"comment.{STATUS_AFTER' in source:
            found |= {f"comment.{status}": path.name for status in STATUS_AFTER.values()}
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _ACTION.fullmatch(node.value):
                found[node.value] = path.name
    found |= {"audit.chain_broken": "audit_chain.py", "audit.erased": "audit_chain.py"}
    return {action: name for action, name in found.items() if action not in _OTHERS}


def test_every_action_has_words() -> None:
    found = recorded()
    assert "comment.rejected" in found
    assert "policy.applied" in found
    assert {action: where for action, where in found.items() if action not in ACTION_WORDS} == {}


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app(Settings(database_url="sqlite:///unused.sqlite3", secret_key="k" * 32))


def says(app: Flask, action: str, actor: str | None = None, subject: str | None = None, **data: object) -> str:
    with app.test_request_context():
        event = AuditEvent(action=action, actor=actor, subject_id=subject, data=data)
        return audit_words.sentence(event, {"a" * 32: "Ann", "b" * 32: "Bob"})


@pytest.mark.parametrize("action", sorted(ACTION_WORDS))
def test_a_sentence_can_be_made_of_little(app: Flask, action: str) -> None:
    said = says(app, action)
    assert "%" not in said
    assert action not in said
    assert audit_words.name_of(action) != action


def test_sentences_name_people_and_reasons(app: Flask) -> None:
    ann, bob = "a" * 32, "b" * 32
    assert says(app, "comment.rejected", ann, reason="insult", source="moderator") == "Ann rejected a comment: Insult"
    assert says(app, "comment.held", ann, reason="escalate") == "Ann held a comment: Escalated"
    assert says(app, "comment.held", source="policy") == "The policy held a comment"
    assert says(app, "comment.approved", "jo@paper.example", source="site") == "The site approved a comment"
    assert says(app, "comment.held", ann, undoes="d") == "Ann took a ruling back: a comment is held again"
    assert says(app, "moderator.role_set", ann, bob, **{"from": "moderator", "to": "senior"}) == (
        "Ann changed the role of Bob: from Moderator to Senior"
    )
    assert says(app, "comment.assigned", ann, to=bob) == "Ann assigned a comment: to Bob"
    assert says(app, "moderator.signed_in", "c" * 32) == "Somebody signed in"


def test_what_has_no_words_is_shown_by_its_code(app: Flask) -> None:
    assert says(app, "comment.frobnicated", "a" * 32) == "comment.frobnicated"
    with app.test_request_context():
        assert audit_words.name_of("comment.frobnicated") == "comment.frobnicated"
