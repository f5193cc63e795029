"""Reading Coral's export, in all the spellings of mongoexport, and when it is broken."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.services.coral_export import Bad, OldComment, Skipped, Story, comments, stories


def exported(id: str = "c1", **more: Any) -> dict[str, Any]:
    """A document of the collection `comments` as relaxed extended JSON."""
    score = more.pop("score", 0.25)
    body = more.pop("body", "<div>Thank you.</div>")
    return {
        "_id": {"$oid": "5f0c1d2e3a4b5c6d7e8f9a0b"}, "id": id, "tenantID": "t1", "siteID": "site", "authorID": "u1",
        "storyID": "s1", "parentID": None, "status": "APPROVED", "tags": [], "actionCounts": {"FLAG": 1},
        "revisions": [
            {"id": "r1", "body": "<div>Older.</div>", "metadata": {"perspective": {"model": "X", "score": 1}}},
            {"id": "r2", "body": body, "metadata": {"perspective": {"model": "TOXICITY", "score": score}}},
        ],
        "createdAt": {"$date": "2024-05-01T12:00:00.123Z"},
    } | more  # fmt: skip


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "comments.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


DOCUMENTS = [exported("c1"), exported("c2", body="<p>Grüße 🙂</p>\n")]
SPELLINGS = {
    "lines": "\n".join(map(json.dumps, DOCUMENTS)) + "\n",
    "lines, unescaped, CRLF": "\r\n".join(json.dumps(one, ensure_ascii=False) for one in DOCUMENTS),
    "with a BOM and blank lines": "\ufeff" + "\n\n".join(map(json.dumps, DOCUMENTS)),
    "array": json.dumps(DOCUMENTS),
    "array, pretty": json.dumps(DOCUMENTS, indent=2),
    "array, one a line": "[" + ",\n".join(map(json.dumps, DOCUMENTS)) + "]\n",
    "pretty": "\n".join(json.dumps(one, indent="\t") for one in DOCUMENTS),
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_every_spelling_gives_the_same(spelling: str, tmp_path: Path) -> None:
    first, second = comments(write(tmp_path, spelling))
    assert first == OldComment(
        id="c1", body="<div>Thank you.</div>", status="APPROVED", created_at=1_714_564_800_123, author_id="u1",
        story_id="s1", parent_id=None, model="TOXICITY", score=0.25,
    )  # fmt: skip
    assert isinstance(second, OldComment)
    assert second.body == "<p>Grüße 🙂</p>\n"


@pytest.mark.parametrize("date", [
    {"$date": "2024-05-01T12:00:00.123Z"}, {"$date": {"$numberLong": "1714564800123"}}, {"$date": 1714564800123},
    "2024-05-01T12:00:00.123Z", "2024-05-01T12:00:00.123", "2024-05-01T14:00:00.123+02:00", 1714564800123,
])  # fmt: skip
def test_every_spelling_of_a_time(date: Any, tmp_path: Path) -> None:
    (one,) = comments(write(tmp_path, json.dumps(exported(createdAt=date))))
    assert isinstance(one, OldComment)
    assert one.created_at == 1_714_564_800_123


@pytest.mark.parametrize("score", [0.25, {"$numberDouble": "0.25"}, {"$numberDecimal": "0.25"}, "0.25"])
def test_every_spelling_of_a_score(score: Any, tmp_path: Path) -> None:
    (one,) = comments(write(tmp_path, json.dumps(exported(score=score))))
    assert isinstance(one, OldComment)
    assert one.score == 0.25


@pytest.mark.parametrize("revision", [{}, {"metadata": None}, {"metadata": {}}, {"metadata": {"perspective": None}}])
def test_a_comment_without_a_score(revision: dict[str, Any], tmp_path: Path) -> None:
    document = exported(revisions=[{"id": "r", "body": "<div>x</div>"} | revision])
    (one,) = comments(write(tmp_path, json.dumps(document)))
    assert isinstance(one, OldComment)
    assert (one.model, one.score) == (None, None)


def test_what_says_nothing_any_more_is_skipped(tmp_path: Path) -> None:
    documents = [exported(revisions=[]), exported(deletedAt={"$date": "2024-05-01T12:00:00Z"}), exported(body=" ")]
    found = list(comments(write(tmp_path, "\n".join(map(json.dumps, documents)))))
    assert found == [Skipped("deleted"), Skipped("deleted"), Skipped("no_text")]


BROKEN = {
    b"{": "not_json", b"nil": "not_json", b"[1]": "not_a_comment", b"7": "not_a_comment", b'"x"': "not_a_comment",
    b"{}": "not_a_comment", b'{"id": "c", "revisions": 1}': "not_a_comment", b'{"id": "c", "revisions": [1]}':
    "not_a_comment", b'{"a": "\xff"}': "not_utf8", b'{"a":' * 100_000: "not_json",
}  # fmt: skip


@pytest.mark.parametrize("line", BROKEN, ids=lambda line: repr(line)[:24])
def test_a_bad_line_is_named_and_costs_no_other(line: bytes, tmp_path: Path) -> None:
    good = json.dumps(exported()).encode()
    first, bad, last = comments(write(tmp_path, b"\n".join([good, b"", line, good])))
    assert bad == Bad(3, BROKEN[line])
    assert first == last == next(comments(write(tmp_path, good)))


@pytest.mark.parametrize(("field", "document"), [
    ("id", exported("x" * 201)), ("status", exported(status="SEEN")), ("status", exported(status=None)),
    ("created_at", exported(createdAt="yesterday")), ("created_at", exported(createdAt=1e400)),
    ("created_at", exported(createdAt={"$date": [1]})), ("author_id", exported(authorID=7)),
    ("story_id", exported(storyID=None)), ("parent_id", exported(parentID={"a": 1})), ("score", exported(score=1.5)),
    ("score", exported(score=float("nan"))), ("score", exported(score="high")), ("body", exported(body="x" * 20_481)),
    ("body", exported(body="a\0b")), ("body", exported(body="lone \ud800")), ("id", exported("lone \ud800")),
])  # fmt: skip
def test_a_bad_field_is_named(field: str, document: dict[str, Any], tmp_path: Path) -> None:
    (bad,) = comments(write(tmp_path, json.dumps(document)))
    assert bad == Bad(1, "bad_field", field)
    assert str(bad) == f"line 1: bad_field ({field})"


def test_a_line_without_end_is_too_long(tmp_path: Path) -> None:
    good = json.dumps(exported()).encode()
    found = list(comments(write(tmp_path, good + b"\n" + b"x" * 9_000_000 + b"\n" + good)))
    assert [type(one) for one in found] == [OldComment, Bad, OldComment]
    assert found[1] == Bad(2, "too_long")


def test_an_array_that_breaks_off_ends_with_the_line_of_it(tmp_path: Path) -> None:
    text = json.dumps(DOCUMENTS, indent=2)
    found = list(comments(write(tmp_path, text[:-200])))
    assert [type(one) for one in found] == [OldComment, Bad]
    assert found[1] == Bad(json.dumps(DOCUMENTS[:1], indent=2).count("\n") + 1, "not_json")


@given(st.binary(max_size=300))
def test_no_bytes_raise(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = write(tmp_path_factory.getbasetemp(), content)
    for one in [*comments(path), *stories(path)]:
        assert isinstance(one, Bad | Skipped | OldComment | Story)


@pytest.mark.parametrize("array", [False, True])
def test_a_large_file_takes_little_memory(array: bool, tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with open(path, "w") as file:
        file.write("[" if array else "")
        for number in range(6_000):
            file.write(
                (",\n" if array else "\n") * bool(number) + json.dumps(exported(f"c{number}", body="word " * 900))
            )
        file.write("]" if array else "")
    assert path.stat().st_size > 25_000_000
    tracemalloc.start()
    assert sum(isinstance(one, OldComment) for one in comments(path)) == 6_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16_000_000


def test_stories(tmp_path: Path) -> None:
    lines = [
        {"id": "s1", "url": "https://news.example/a", "metadata": {"title": "A", "section": "City", "publishedAt": {}}},
        {"id": "s2", "url": "https://news.example/b"}, {"id": "s3", "url": "not one"}, {"id": "s4"}, [],
    ]  # fmt: skip
    assert list(stories(write(tmp_path, "\n".join(map(json.dumps, lines))))) == [
        Story(id="s1", url="https://news.example/a", title="A", section="City"),
        Story(id="s2", url="https://news.example/b"),
        Bad(3, "bad_field", "url"), Bad(4, "bad_field", "url"), Bad(5, "not_a_comment"),
    ]  # fmt: skip
