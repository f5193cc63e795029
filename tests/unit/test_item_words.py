"""What the desk says of one comment: marks, their legend, each check's line, what is blurred, what an edit changed."""

import pytest

from moderation.domain.lifecycle import Source, Status
from moderation.store.tables import Comment, Decision, Revision
from moderation.web import changes, evidence
from moderation.web.marks import legend, pieces
from moderation.web.veil import veil, veil_of_labels, veiled

Signal = dict[str, object]


def signal(
    attribute: str | None, score: float | None, limit: float | None, *spans: tuple[int, int],
    kind: str = "score", rule: str | None = None, outcome: str | None = "hold", **more: object,
) -> Signal:  # fmt: skip
    return {
        "rule": rule or (attribute or kind).lower(), "kind": kind, "attribute": attribute, "score": score,
        "threshold": limit, "outcome": outcome, "decided": outcome is not None,
        "spans": [{"begin": begin, "end": end} for begin, end in spans],
    } | more  # fmt: skip


def verdict(*signals: Signal, scorer: str | None = "linear@1", **scores: float) -> Decision:
    return Decision(action="hold", source=Source.POLICY, scorer=scorer, signals=list(signals), scores=scores)


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def test_strength_grows_with_the_distance_from_the_limit() -> None:
    body = "aa bb cc dd"
    shown, _ = pieces(body, "plain", [
        signal("INSULT", 0.55, 0.5, (0, 2)), signal("THREAT", 0.8, 0.5, (3, 5)), signal("SPAM", 0.99, 0.5, (6, 8)),
        signal(None, None, None, (9, 11), kind="words"),
    ])  # fmt: skip
    assert [(p.text, p.marks[0].strength) for p in shown if p.marks] == [("aa", 1), ("bb", 2), ("cc", 3), ("dd", 2)]


def test_reasons_that_overlap_lie_in_each_other_and_the_strongest_three_are_shown() -> None:
    body = "0123456789"
    shown, _ = pieces(body, "plain", [
        signal("INSULT", 0.99, 0.5, (0, 10)), signal("THREAT", 0.9, 0.5, (2, 8)), signal("SPAM", 0.8, 0.5, (4, 6)),
        signal("PROFANITY", 0.6, 0.5, (4, 6), (7, 9)),
    ])  # fmt: skip
    assert [(piece.text, [mark.name for mark in piece.marks]) for piece in shown] == [
        ("01", ["Insult"]), ("23", ["Insult", "Threat"]), ("45", ["Insult", "Threat", "Spam"]),
        ("6", ["Insult", "Threat"]), ("7", ["Insult", "Threat", "Profanity"]), ("8", ["Insult", "Profanity"]),
        ("9", ["Insult"]),
    ]  # fmt: skip
    assert [mark.name for mark in legend(shown)] == ["Insult", "Threat", "Spam", "Profanity"]


@pytest.mark.parametrize(
    ("before", "word"),
    [("👩‍👩‍👧‍👦 ", "idiot"), ("أنت ", "غبي"), ("שלום 😀 ", "טיפש"), ("é\u0301 ", "naïve"), ("\u202eabc ", "𝓲𝓭𝓲𝓸𝓽")],
    ids=["family", "arabic", "hebrew", "combining", "override"],
)  # fmt: skip
def test_spans_fall_on_the_word_whatever_stands_before_it(before: str, word: str) -> None:
    body = f"{before}{word} 🙂"
    begin = units(before)
    shown, quoted = pieces(body, "plain", [signal("INSULT", 0.9, 0.5, (begin, begin + units(word)))])
    assert "".join(piece.text for piece in shown) == body
    assert quoted["insult"] == [word]
    assert [piece.text for piece in shown if piece.marks] == [word]


def test_spans_in_html_with_entities_and_emoji() -> None:
    body = "<p>😀 &quot;you <b>idi</b>ot&quot;</p>"
    begin, end = units(body[: body.index("idi")]), units(body[: body.index("ot&") + 2])
    shown, quoted = pieces(body, "html", [signal("INSULT", 0.9, 0.5, (begin, end))])
    assert quoted["insult"] == ["idiot"]
    assert '"you idiot"' in "".join(piece.text for piece in shown)


@pytest.mark.parametrize("body", ["<img src=x>", "<p></p>", "<!-- nothing -->", "<p>\n</p>"])
def test_html_that_shows_nothing_has_no_pieces(body: str) -> None:
    assert pieces(body, "html", [signal("INSULT", 0.9, 0.5, (0, 3))])[0] == []


def test_blocks_of_html_leave_no_empty_lines_at_the_ends() -> None:
    shown, _ = pieces("<p>one</p><p>two</p>", "html", [])
    assert "".join(piece.text for piece in shown) == "one\n\ntwo"


def test_spans_that_reach_beyond_the_text_or_into_a_pair_break_nothing() -> None:
    body = "a😀b"
    for span in ((0, 99), (2, 3), (1, 2), (50, 60), (3, 1)):
        shown, _ = pieces(body, "plain", [signal("INSULT", 0.9, 0.5, span)])
        assert "".join(piece.text for piece in shown) == body


def test_a_body_full_of_marks_gives_each_piece_once() -> None:
    body = "bad " * 5000
    spans = [(4 * at, 4 * at + 3) for at in range(5000)]
    shown, _ = pieces(body, "plain", [signal("INSULT", 0.9, 0.5, *spans), signal("PROFANITY", 0.8, 0.5, *spans)])
    assert "".join(piece.text for piece in shown) == body
    assert sum(len(piece.marks) for piece in shown) == 10_000


def test_every_check_has_a_line_the_weakest_last() -> None:
    lines = evidence.lines(
        verdict(signal("THREAT", 0.02, 0.06, outcome=None), signal("INSULT", 0.93, 0.7, (0, 2)),
                signal("TOXICITY", 0.72, 0.7, place="section"), TOXICITY=0.72, INSULT=0.93, THREAT=0.02, SPAM=0.4),
        {"insult": ["xx"]},
    )  # fmt: skip
    assert [(line.name, line.effect, line.score, line.limit) for line in lines] == [
        ("Insult", "decided", 0.93, 0.7), ("Abusive tone", "decided", 0.72, 0.7), ("Threat", "none", 0.02, 0.06),
        ("Spam", "no_rule", 0.4, None),
    ]  # fmt: skip
    assert (lines[0].style, lines[0].words, lines[1].style, lines[1].place) == ("r-insult", ("xx",), None, "section")


def test_a_check_that_did_not_run_is_no_score() -> None:
    (line,) = evidence.lines(verdict(signal(None, None, None, kind="not_scored"), scorer=None), {})
    assert (line.name, line.ran, line.score, line.effect) == ("Classifier", False, None, "decided")
    language = signal(None, None, None, kind="language", language="de")
    (line,) = evidence.lines(verdict(language), {})
    assert (line.name, line.ran, line.score) == ("Language: German is not scored", False, None)
    hidden = evidence.lines(verdict(signal(None, None, None, kind="honeypot"), scorer=None), {})
    assert [(line.name, line.ran) for line in hidden] == [("Classifier", False), ("Hidden field", True)]


def test_what_a_trusted_author_is_forgiven_did_not_decide() -> None:
    muted = signal(None, None, None, kind="links", muted=True, decided=False)
    assert evidence.lines(verdict(muted), {})[0].effect == "muted"


THREAT, MILD = signal("THREAT", 0.6, 0.5), signal("INSULT", 0.6, 0.5)
STRONG, LINKS = signal("INSULT", 0.99, 0.5), signal(None, None, None, kind="links")


@pytest.mark.parametrize(
    ("blur", "status", "signals", "said"),
    [
        ("off", Status.HELD, [THREAT], None),
        ("severe", Status.HELD, [MILD, LINKS], None),
        ("severe", Status.HELD, [MILD, THREAT], "Hidden because it looks like a threat."),
        ("severe", Status.HELD, [STRONG, THREAT], "Hidden because it looks like a threat."),
        ("severe", Status.HELD, [STRONG], "Hidden because it looks like an insult."),
        ("severe", Status.REJECTED, [STRONG], "Hidden because it looks like an insult."),
        ("severe", Status.APPROVED, [THREAT], None),
        ("all", Status.HELD, [LINKS], "Hidden because it holds many links."),
        ("all", Status.HELD, [], "Hidden because it is held."),
        ("all", Status.APPROVED, [], None),
    ],
)
def test_what_is_blurred(blur: str, status: Status, signals: list[Signal], said: str | None) -> None:
    assert veil(blur, status, signals) == said


@pytest.mark.parametrize(
    ("blur", "signals", "statuses"),
    [
        ("off", [THREAT], set()),
        ("severe", [MILD, LINKS], {"rejected"}),
        ("severe", [MILD, THREAT], {"rejected", "held"}),
        ("all", [], {"rejected", "held"}),
    ],
)
def test_what_is_blurred_in_passing(blur: str, signals: list[Signal], statuses: set[str]) -> None:
    assert {status for status in Status if veiled(blur, status, signals)} == statuses


@pytest.mark.parametrize(
    ("blur", "labels", "said"),
    [
        ("off", {"THREAT": 1.0}, None),
        ("severe", {"INSULT": 1.0, "THREAT": 0.4}, None),
        ("severe", {"INSULT": 1.0, "THREAT": 0.5}, "Hidden because it looks like a threat."),
        ("all", {"INSULT": 1.0, "THREAT": 0.4}, "Hidden because it looks like an insult."),
        ("all", {"UNSUBSTANTIAL": 1.0}, "Hidden because of its label."),
        ("all", {"INSULT": 0.0}, None),
    ],
)
def test_which_labelled_examples_are_blurred(blur: str, labels: dict[str, float], said: str | None) -> None:
    assert veil_of_labels(blur, labels) == said


def test_an_edit_shows_what_went_and_what_came() -> None:
    found = changes.changes("You are an idiot, truly.", "You are a nice person, truly.")
    assert found is not None
    assert "".join(c.text for c in found if c.kind != "new") == "You are an idiot, truly."
    assert "".join(c.text for c in found if c.kind != "gone") == "You are a nice person, truly."
    assert "idiot" in "".join(c.text for c in found if c.kind == "gone")


def test_edits_go_back_revision_by_revision_and_long_ones_are_not_compared() -> None:
    comment = Comment(body="three", format="plain", revision=3)
    older = [Revision(revision=2, body="two", format="plain", replaced_at=2),
             Revision(revision=1, body="one " * 2000, format="plain", replaced_at=1)]  # fmt: skip
    newest, first = changes.edits(comment, older)
    assert newest.changes is not None
    assert [(c.kind, c.text) for c in newest.changes] == [("gone", "two"), ("new", "three")]
    assert (first.number, first.changes, first.before[:4]) == (1, None, "one ")
