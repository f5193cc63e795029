"""What differs between two policies, as data; and a policy's form, whatever a browser sends."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from moderation.errors import Invalid
from moderation.services import policies
from moderation.services.policy_changes import FieldChange, changes, text_diff
from moderation.services.policy_document import check
from moderation.web import policy_form

BEFORE = policies.parse("""
rules:
  - {name: insult, kind: score, attribute: INSULT, hold: 0.5}
  - {name: slurs, kind: words, words: [one, two]}
  - {name: links, kind: links}
sections: {World: [{name: insult, enabled: false}]}
""")


def test_each_change_is_named_once_with_its_place() -> None:
    after = policies.parse("""
    rules:
      - {name: insult, kind: score, attribute: INSULT, hold: 0.7, reject: 0.9}
      - {name: slurs, kind: words, words: [two, three]}
      - {name: mail, kind: email_address}
    articles: {"https://news.example/a": [{name: slurs, enabled: false}]}
    """)
    found = [(one.what, one.scope, one.place, one.rule["name"], one.fields) for one in changes(BEFORE, after)]
    assert found == [
        ("changed", "rules", "", "insult", [FieldChange("hold", 0.5, 0.7), FieldChange("reject", None, 0.9)]),
        ("changed", "rules", "", "slurs", [FieldChange("words", ["one"], ["three"])]),
        ("added", "rules", "", "mail", []),
        ("removed", "rules", "", "links", []),
        ("removed", "sections", "World", "insult", []),
        ("added", "articles", "https://news.example/a", "slurs", []),
    ]
    lines = text_diff(BEFORE, after)
    assert "-  hold: 0.5" in lines
    assert "+  hold: 0.7" in lines


def test_the_same_document_has_no_changes_and_its_form_gives_it_back() -> None:
    assert changes(BEFORE, BEFORE) == []
    assert text_diff(BEFORE, BEFORE) == []
    assert check(policy_form.to_data(policy_form.of_document(BEFORE))) == BEFORE


names = st.sampled_from([
    "rules.0.name", "rules.0.kind", "rules.0.hold", "rules.0.enabled", "rules.0.words", "rules.7.name", "rules.7.kind",
    "s0.place", "s0.0.name", "s0.0.kind", "s0.0.at_least", "a3.place", "a3.0.name", "rules.0.attribute", "x.y.z", "",
    "rules.0.allow", "rules.99999.name", "s0.new", "rules.0.region",
])  # fmt: skip
values = st.one_of(
    st.sampled_from([*policy_form.FIELDS_OF, "INSULT", "a", "0.5", "1e999", "nan", "=a", "\0", "https://x/", "on", ""]),
    st.text(max_size=20),
)


@given(st.lists(st.tuples(names, values), max_size=25), st.text(max_size=12))
def test_no_form_is_a_fault(typed: list[tuple[str, str]], which: str) -> None:
    groups = policy_form.of_form(MultiDict(typed))
    policy_form.add_rule(groups, which, "=a")
    policy_form.add_place(groups, "sections", which)
    policy_form.remove(groups, which)
    try:
        document: dict[str, Any] = check(policy_form.to_data(groups))
    except Invalid as error:
        policy_form.place_problems(groups, error.extra["problems"])
    else:
        policies.compile_policy(document, 1)
        assert check(policy_form.to_data(policy_form.of_document(document))) == document
