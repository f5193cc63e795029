"""Keys: what may be one, what two may not share, and that the defaults are fit to be used."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.domain.keys import KEYS, BadKey, Scope, canonical, chosen, refusals, shown
from moderation.domain.lifecycle import ACTIONS, REJECT_REASONS


@pytest.mark.parametrize(
    ("typed", "key", "read"),
    [
        ("a", "a", "a"), (" a ", "a", "a"), ("J", "J", "Shift+J"), ("shift+j", "J", "Shift+J"), ("?", "?", "?"),
        ("+", "+", "+"), ("alt++", "alt++", "Alt++"), ("Alt+A", "alt+A", "Alt+Shift+A"), ("alt+a", "alt+a", "Alt+a"),
        ("ENTER", "Enter", "Enter"), ("ctrl+enter", "ctrl+Enter", "Ctrl+Enter"), ("ф", "ф", "ф"),
        ("Shift+Alt+x", "alt+X", "Alt+Shift+X"), ("shift+home", "shift+Home", "Shift+Home"),
    ],
)  # fmt: skip
def test_a_key_is_known_however_it_is_written(typed: str, key: str, read: str) -> None:
    assert canonical(typed) == key
    assert shown(key) == read
    assert canonical(read) == key


@pytest.mark.parametrize(
    "typed", ["", " ", "ab", "tab", "escape", "ArrowDown", "space", "shift+1", "meta+a", "a+b", "\n"]
)
def test_what_belongs_to_the_browser_or_is_no_key_is_none(typed: str) -> None:
    assert canonical(typed) is None


@given(st.text(max_size=12))
def test_whatever_is_typed_a_key_reads_back_as_itself(typed: str) -> None:
    key = canonical(typed)
    if key is not None and key.isascii():
        assert canonical(shown(key)) == key


def test_the_defaults_do_one_thing_each() -> None:
    assert refusals({}, KEYS) == {}
    assert len({row.name for row in KEYS}) == len(KEYS)
    assert all(canonical(key) for row in KEYS for key in row.default.split())


def test_every_action_and_every_reason_has_a_key() -> None:
    keys = chosen({}, KEYS)
    assert all(keys[name] for name in ACTIONS)
    assert all(keys[f"reject_{code}"] for code in REJECT_REASONS)


def test_two_on_one_key_are_both_named_and_other_scopes_do_not_count() -> None:
    assert refusals({"approve": "q", "undo": "q"}, KEYS) == {
        "undo": BadKey("q", "approve"), "approve": BadKey("q", "undo"),
    }  # fmt: skip
    assert refusals({"approve": "i"}, KEYS) == {}  # an insult has it while the reasons are offered
    assert {row.scope for row in KEYS if row.default == "a"} == {Scope.DESK, Scope.REASON}


def test_a_new_key_may_take_one_that_was_given_up_and_none_is_a_choice() -> None:
    own = {"approve": "e", "escalate": "a", "claim": ""}
    assert refusals(own, KEYS) == {}
    assert (chosen(own, KEYS)["claim"], chosen(own, KEYS)["approve"]) == ([], ["e"])


def test_what_is_no_key_is_named() -> None:
    assert refusals({"note": "n space"}, KEYS) == {"note": BadKey("space")}
