"""What the desk says and underlines, without a page around it."""

from urllib.parse import parse_qsl

import pytest

from moderation.store.tables import Decision
from moderation.web import words
from moderation.web.marks import pieces
from moderation.web.place import Place
from moderation.web.session import local


def signal(rule: str, attribute: str | None, score: float | None, limit: float | None, *spans: tuple[int, int],
           kind: str = "score", decided: bool = True) -> dict[str, object]:  # fmt: skip
    return {
        "rule": rule, "kind": kind, "attribute": attribute, "score": score, "threshold": limit, "decided": decided,
        "outcome": "hold" if decided else None, "spans": [{"begin": begin, "end": end} for begin, end in spans],
    }  # fmt: skip


def test_the_sentence_names_the_clearest_reason_first() -> None:
    tone, insult = signal("tox", "TOXICITY", 0.99, 0.7), signal("insult", "INSULT", 0.91, 0.13)
    links, low = signal("l", None, None, None, kind="links"), signal("threat", "THREAT", 0.05, 0.063, decided=False)
    verdict = Decision(action="hold", signals=[tone, low, links, insult])
    assert words.sentence(verdict) == (
        "Held because it looks like an insult (0.91, your limit is 0.13), has an abusive tone "
        "(0.99, your limit is 0.70), and holds many links"
    )
    assert [one["rule"] for one in words.strongest_first(verdict.signals)] == ["insult", "tox", "l", "threat"]
    assert words.sentence(Decision(action="approve", signals=[low])) == "Nothing in your policy spoke against it"


def test_spans_are_utf16_and_pieces_give_the_text_back() -> None:
    body = "😀 you idiot\n  — 😀 idiot"
    at = len("😀 you ".encode("utf-16-le")) // 2
    shown, quoted = pieces(body, "plain", [signal("i", "INSULT", 0.9, 0.5, (at, at + 5)),
                                           signal("t", "TOXICITY", 0.9, 0.8, (at - 4, at + 5))])  # fmt: skip
    assert "".join(piece.text for piece in shown) == body
    assert quoted == {"i": ["idiot"], "t": ["you idiot"]}
    assert [[mark.style for mark in piece.marks] for piece in shown] == [
        [], ["r-toxicity"], ["r-insult", "r-toxicity"], []
    ]  # fmt: skip


def test_spans_of_html_land_on_what_a_reader_sees() -> None:
    body = "<p>an <b>id</b>iot &amp; <i>more</i></p>"
    begin, end = body.index("id"), body.index("iot") + 3
    shown, quoted = pieces(body, "html", [signal("i", "INSULT", 0.9, 0.5, (begin, end))])
    assert quoted == {"i": ["idiot"]}
    assert "an idiot & more" in "".join(piece.text for piece in shown)


@pytest.mark.parametrize(
    ("number", "said"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (112, "112th"), (23, "23rd")]
)
def test_ordinals(number: int, said: str) -> None:
    assert words.ordinal(number) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(3, "now"), (40, "40 s"), (61, "1 min"), (7_300, "2 h"), (200_000, "2 d"), (-5, "now")]
)
def test_times_are_short(seconds: int, said: str) -> None:
    assert words.ago(1_000_000_000_000 - seconds * 1000, 1_000_000_000_000) == said


def test_a_place_says_only_what_differs() -> None:
    from werkzeug.datastructures import MultiDict

    place = Place.of(MultiDict({"status": "held", "sort": "oldest", "q": " a&b ", "nonsense": "x"}))
    assert place.url() == "/review?sort=oldest&q=a%26b"
    assert place.url("id", "approve", q=None) == "/review/id/approve?sort=oldest"
    assert Place.of(MultiDict({})).url() == "/review"


@pytest.mark.parametrize("target", ["//x", "https://x", "/\\x", "javascript:x", "x", "", None, "/a\nb", "/\t/x"])
def test_only_local_paths_are_led_to(target: str | None) -> None:
    assert local(target) == "/review"
    assert local("/review/1?q=a") == "/review/1?q=a"


def test_a_language_is_named() -> None:
    assert words.because({"kind": "language", "language": "de", "rule": "language_not_served"}) == (
        "seems to be in German, which this service does not score"
    )
    assert "seems to be in xx," in words.because({"kind": "language", "language": "xx", "rule": "r"})


def test_a_place_with_several_values_goes_into_an_address_and_back() -> None:
    from werkzeug.datastructures import MultiDict

    given = [("section", "World"), ("section", "Sport & more"), ("section", "World"), ("article", "https://n.example/a?b=c"),
             ("language", "uk"), ("assigned", "nobody"), ("escalated", "no"), ("report", "any"), ("after", "x"),
             ("section", " "), ("q", "\0")]  # fmt: skip
    place = Place.of(MultiDict(given))
    assert place.all("section") == ("World", "Sport & more")
    assert place.get("section") == "World"
    address = place.url()
    query = address.partition("?")[2]
    again = Place.of(MultiDict(parse_qsl(query)))
    assert again == place
    assert "after" not in place.saved
    assert place.saved["section"] == ["World", "Sport & more"]
    assert Place.of(MultiDict(parse_qsl(place.without("section", "World").partition("?")[2]))).all("section") == (
        "Sport & more",
    )
    assert "after" not in place.without("language", "uk")


def test_there_is_one_way_to_go_on() -> None:
    place = Place({"sort": "oldest", "after": "a"})
    assert place.url(before="b") == "/review?sort=oldest&before=b"
    assert Place({"before": "b"}).url("id", after="a") == "/review/id?after=a"


def test_the_form_names_an_order_by_score_in_one_field() -> None:
    from werkzeug.datastructures import MultiDict

    place = Place.of(MultiDict({"sort": "attribute-INSULT", "attribute": "THREAT"}))
    assert place.chosen == {"sort": "attribute", "attribute": "INSULT"}
    assert place.without("sort", "attribute") == "/review"
    assert not place.order_gives_way
    assert not place.narrow
    assert Place({"sort": "attribute", "attribute": "INSULT", "status": "any"}).order_gives_way
    assert Place({"sort": "attribute"}).order_gives_way


def test_a_place_takes_only_so_many_values() -> None:
    from werkzeug.datastructures import MultiDict

    place = Place.of(MultiDict([("section", str(n)) for n in range(100)]))
    assert len(place.all("section")) == 20
