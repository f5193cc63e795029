"""What is read off a text: links, addresses, numbers, word lists, HTML, positions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.domain.text import Span, from_utf16, merge, to_utf16
from moderation.services import facts, policies
from moderation.services.plain_text import plain_text


def cut(text: str, spans: list[Span]) -> list[str]:
    return [text[span.begin : span.end] for span in spans]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://a.example/x and www.b.org.", ["https://a.example/x", "www.b.org"]),
        ("buy at cheap-pills.com now", ["cheap-pills.com"]),
        ("no link. Here neither.Nor here", []),
        ("write to a@b.example", []),
        ("1.5 million shells", []),
    ],
)
def test_links(text: str, found: list[str]) -> None:
    assert cut(text, facts.find_links(text)) == found


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("see http://good.example@evil.example:8080/x", ["evil.example"]),
        ("see http://evil.example\\@good.example/", ["evil.example"]),
        ("see http://good.example/?u=http://evil.example", ["good.example"]),
        ("see http://evil\u3002example and http://\uff45vil.example", ["evil.example"] * 2),
        ("see http://evil\u2024example", ["evil.example"]),
        ("see http://ev\u00adil.example and http://ev\u200bil.example", ["evil.example"] * 2),
        ("see http://evil%2eexample./", ["evil.example"]),
        ("evil.example, or www.evil.xyz/a", ["evil.example", "www.evil.xyz"]),
        ("a sentence.Another one", ["sentence.another"]),  # a name that no list has
        ("x@evil.example", []),
        ("http://3232235777/ http://0x7f.1/ http://0300.0250.1/", ["192.168.1.1", "127.0.0.1", "192.168.0.1"]),
        ("http://4294967296/ 256.1.1.1", []),
    ],
)
def test_hosts_as_a_browser_would_ask_them(text: str, hosts: list[str]) -> None:
    assert [host for _, host in facts.Reading(text).link_hosts] == hosts


@pytest.mark.parametrize(
    "html",
    [
        '<a href="http://evil.example">x',
        '<a href="http://evil.example">x<a href="/here">y</a>',
        '<a href="http://evil.example" href="/here">x</a>',
        '<a href="ht&#9;tp://ev&#10;il.example">x</a>',
        '<a href="https:/evil.example/x">x</a>',
        '<a href="https:evil.example/x">x</a>',
        '<a href="https:\\\\evil.example">x</a>',
        '<a href="/\\evil.example">x</a>',
        '<a/href=" https://evil.example">x</a>',
        '<a href="http://evil.example"><template>x',
    ],
)
def test_a_link_of_html_leads_where_a_browser_would_go(html: str) -> None:
    shown = plain_text(html, "html")
    assert [host for _, host in facts.Reading(shown.text).link_hosts] == ["evil.example"]
    assert shown.origin is not None
    assert all(0 <= span.begin < span.end <= len(html) for span in shown.origin)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mail ann.lee+x@mail.example.org!", ["ann.lee+x@mail.example.org"]),
        ("meet me @ noon", []),
        ("@reader said so", []),
    ],
)
def test_email_addresses(text: str, found: list[str]) -> None:
    assert cut(text, facts.find_email_addresses(text)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("call 212-555-0147 now", ["212-555-0147"]),
        ("ring +44 20 7946 0958", ["+44 20 7946 0958"]),
        ("15,000 shells on 2022-09-06 at 10:00, 1,200,000 rockets, 2022 2023", []),
    ],
)
def test_phone_numbers(text: str, found: list[str]) -> None:
    assert cut(text, facts.find_phone_numbers(text, "US")) == found


@pytest.mark.parametrize(
    ("words", "text", "found"),
    [
        (["foo"], "Foo, food foo!", ["Foo", "foo"]),
        (["foo*"], "food foo barfoo", ["food", "foo"]),
        (["très méchant"], "il est TRÈS MÉCHANT.", ["TRÈS MÉCHANT"]),
        (["a.b"], "axb a.b", ["a.b"]),
        (["дурак"], "Дурак! дураки", ["Дурак"]),
    ],
)
def test_word_lists(words: list[str], text: str, found: list[str]) -> None:
    document = policies.parse(policies.show({"rules": [{"name": "list", "kind": "words", "words": words}]}))
    rule = policies.compile_policy(document, 1).rules[0]
    assert rule.matcher is not None
    assert cut(text, list(rule.matcher(text))) == found


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*a){20}"])
def test_no_pattern_can_hang_the_queue(pattern: str) -> None:
    document = {"rules": [{"name": "p", "kind": "pattern", "pattern": pattern}]}
    rule = policies.compile_policy(document, 1).rules[0]
    assert rule.matcher is not None
    rule.matcher("a" * 20_000 + "b")  # on a backtracking engine this would not end


HOSTILE = [
    "http://" * 2_900, "a@" * 10_000, "1 2" * 6_800, "." * 20_000, "a.b" * 6_800, "<" * 20_000, "&" * 20_000,
    "a." * 10_000, "a.co " * 4_000, "a" * 20_000, "-" * 20_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_end(text: str) -> None:
    facts.find_links(text)
    assert facts.Reading(text).link_hosts is not None
    facts.find_email_addresses(text)
    facts.find_phone_numbers(text, "US")
    plain_text(text, "html")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a<br>b", "a\nb"),
        ("<p>a</p><p>b</p>", "\na\n\nb\n"),
        ("x &lt;b&gt; &#233; &amp;c", "x <b> é &c"),
        ("<script>alert(1)</script>ok<style>p{}</style>", "ok"),
        ('<a href="https://a.example">here</a>', "here <https://a.example>"),
        ("an <unfinished", "an <unfinished"),
        ("5 < 6 & 7", "5 < 6 & 7"),
    ],
)
def test_html_as_its_text(html: str, text: str) -> None:
    assert plain_text(html, "html").text == text


@given(st.text(st.sampled_from("ab <>&;/p#1\"'=\n🎯é"), max_size=80))
def test_each_character_of_the_text_knows_its_place_in_the_html(html: str) -> None:
    found = plain_text(html, "html")
    assert found.origin is not None
    assert len(found.origin) == len(found.text)
    assert all(0 <= span.begin < span.end <= len(html) for span in found.origin)


@given(st.text(max_size=60), st.data())
def test_positions_go_to_utf16_and_back(text: str, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(text)))
    span = Span(begin, data.draw(st.integers(begin, len(text))))
    (units,) = to_utf16(text, [span])
    raw = text.encode("utf-16-le", "surrogatepass")
    assert raw[2 * units.begin : 2 * units.end].decode("utf-16-le", "surrogatepass") == text[span.begin : span.end]
    assert from_utf16(text, [units]) == [span]


def test_touching_spans_are_joined() -> None:
    assert merge([Span(4, 6), Span(0, 2), Span(2, 3), Span(5, 9)]) == [Span(0, 3), Span(4, 9)]


@pytest.mark.parametrize("piece", ["<a ", '<a b="', "<", "</", "<!--", "&", "<script>"])
def test_markup_that_never_ends_is_read_in_one_go(piece: str) -> None:
    """Read again from each piece on, this would take longer than a test may."""
    html = f"<b>Look</b> {piece * 60_000}"
    found = plain_text(html, "html")
    assert found.text.startswith("Look ")
    assert found.in_body(Span(0, 4)) == Span(3, 7)
