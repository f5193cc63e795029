"""The functional test sentences keep the shape and the rules that models/evaluation/README.md states."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[3] / "models" / "evaluation"
KEYS = {"id", "text", "label", "kind", "swear", "target"}
README_ROW = re.compile(r"^\| `(\w+)` \| [^|]+ \| (\d+) \| (\d+) \| (\d+) \|$", re.MULTILINE)


def rows_of(name: str) -> list[dict[str, Any]]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def bare(text: str) -> str:
    """The words alone: letter case, width, punctuation and spacing do not make a new sentence."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return rows_of("functional.jsonl")


def test_every_line_has_the_keys_and_their_types(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        assert set(row) == KEYS, row["id"]
        assert row["label"] in {"civil", "abusive"}, row["id"]
        assert isinstance(row["swear"], bool), row["id"]
        assert row["target"] is None or (isinstance(row["target"], str) and row["target"]), row["id"]
        assert row["text"] == row["text"].strip(), row["id"]
        assert 4 <= len(row["text"].split()) <= 80, row["id"]


def test_ids_count_up_without_gaps(rows: list[dict[str, Any]]) -> None:
    assert [row["id"] for row in rows] == [f"fn-{number:03d}" for number in range(1, len(rows) + 1)]


def test_enough_lines_and_kinds_of_each_label(rows: list[dict[str, Any]]) -> None:
    assert len(rows) >= 600
    kinds = Counter(row["kind"] for row in rows)
    assert len(kinds) >= 20
    assert min(kinds.values()) >= 20
    assert 0.45 <= sum(row["label"] == "abusive" for row in rows) / len(rows) <= 0.55


def test_a_kind_has_one_label(rows: list[dict[str, Any]]) -> None:
    labels = {(row["kind"], row["label"]) for row in rows}
    assert len(labels) == len({kind for kind, _ in labels})


def test_every_group_is_met_in_abuse_and_in_harmless_text(rows: list[dict[str, Any]]) -> None:
    """A group that only abuse names would teach nothing of false holds, and the other way round."""
    met = Counter((row["target"], row["label"]) for row in rows if row["target"])
    groups = {target for target, _ in met}
    assert len(groups) >= 20
    for group in groups:
        assert min(met[group, "abusive"], met[group, "civil"]) >= 4, group


def test_no_text_twice_nor_shared_with_the_war_stories(rows: list[dict[str, Any]]) -> None:
    texts = [bare(row["text"]) for row in rows + rows_of("war_stories.jsonl")]
    assert [text for text, times in Counter(texts).items() if times > 1] == []


def test_the_readme_counts_are_those_of_the_file(rows: list[dict[str, Any]]) -> None:
    section = (FOLDER / "README.md").read_text(encoding="utf-8").split("# Functional tests")[1]
    stated = {kind: (int(lines), int(swear), int(target)) for kind, lines, swear, target in README_ROW.findall(section)}
    counted = {}
    for kind in {row["kind"] for row in rows}:
        of_kind = [row for row in rows if row["kind"] == kind]
        named = sum(row["target"] is not None for row in of_kind)
        counted[kind] = (len(of_kind), sum(row["swear"] for row in of_kind), named)
    assert stated == counted
