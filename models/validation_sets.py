"""Sets that are only ever measured: their licences forbid or do not settle a use in a shipped artefact.

A look from outside: none of them was made for our attributes, so each check says what its labels mean. Rows that also
stand in the train or tune split, in whatever spelling, are left out.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from models.datasets import DataError
from models.normalise import normalise_all
from models.sources import Row

MOST = 1000  # rows of one check, so that a slow scorer is done in minutes
NATURAL = "noncommercial/unhealthy-comments"  # real comments under news, at their natural mix

Label = Callable[[Row], float | None]


@dataclass(frozen=True)
class Check:
    """`label` gives 1 (the attribute applies), 0 (it does not) or None (the row is left out).

    `civil`: zeros are comments that a moderator would let stand, so the share that would be held means something.
    """

    name: str
    folder: str
    attribute: str
    label: Label
    meaning: str
    civil: bool = False
    most: int = MOST


@dataclass(frozen=True)
class Pair:
    """The same thought, rude and civil."""

    rude: str
    civil: str


def _is(column: str) -> Label:
    return lambda row: float(row[column])


def _against(column: str, other: str) -> Label:
    """1 where `column` is set, 0 where `other` is, else left out."""
    return lambda row: 1.0 if row[column] == "1" else 0.0 if row[other] == "1" else None


def _zero(column: str) -> Label:
    return lambda row: 0.0 if row[column] == "1" else None


def _healthy(row: Row) -> float | None:
    if row["hostile"] == "1" or row["antagonize"] == "1":
        return 1.0
    return 0.0 if row["healthy"] == "1" else None


def _steps(row: Row) -> float | None:
    return {"1": 0.0, "3": 1.0, "4": 1.0}.get(row["is_toxic_popular_answer_1"])


def _aggressive(kind: str) -> Label:
    return lambda row: {kind: 1.0, "NAG": 0.0}.get(row["label"])


def _share(row: Row) -> float:
    return float(float(row["isHate"]) >= 0.5)


def _nation(row: Row) -> float | None:
    return float(row["hate"]) if row["nationality"] == "1" else None


def _implicit(row: Row) -> float | None:
    return 1.0 if row["implicit"] == "1" else 0.0 if row["hate"] == "0" else None


def _stormfront(row: Row) -> float | None:
    return {"hate": 1.0, "noHate": 0.0}.get(row["label"])


_CLOSED, _SHARED, _UNCLEAR = "noncommercial", "sharealike", "unclear-licence"
_TRAC, _COLD, _REDDIT = f"{_CLOSED}/trac1-facebook", f"{_SHARED}/cold", f"{_UNCLEAR}/reddit-counterspeech"
_SFU, _SPAM, _COVID = (
    f"{_CLOSED}/sfu-constructiveness",
    f"{_UNCLEAR}/datacamp-comment-spam",
    f"{_UNCLEAR}/covid-hate-claws",
)
_DYNA, _ISHATE = f"{_UNCLEAR}/dynacounter", f"{_UNCLEAR}/ishate"
_TOXIC, _GROUP = "TOXICITY", "IDENTITY_ATTACK"
CHECKS: tuple[Check, ...] = (
    Check("news comments, hostile", NATURAL, _TOXIC, _healthy, "hostile or antagonising", civil=True, most=10_000),
    Check("news comments, toxic", _SFU, _TOXIC, _steps, "toxic against not toxic", civil=True),
    Check("Facebook, overt", _TRAC, _TOXIC, _aggressive("OAG"), "overtly aggressive", civil=True),
    Check("Facebook, covert", _TRAC, _TOXIC, _aggressive("CAG"), "covertly aggressive"),
    Check("insults to those present", f"{_UNCLEAR}/kaggle-insults", "INSULT", _is("insult"), "insults a participant"),
    Check("spam under articles", _SPAM, "SPAM", _is("spam"), "spam", civil=True),
    Check("offensive tweets", f"{_UNCLEAR}/olid-targets", _TOXIC, _is("offensive"), "offensive, swearing included"),
    Check("abusive tweets", f"{_UNCLEAR}/founta-tweets", _TOXIC, _is("abusive_or_hate"), "abusive or hateful"),
    Check("offensive, slurs", _COLD, _TOXIC, _is("offensive"), "offensive"),
    Check("slurs without offence", _COLD, _TOXIC, _zero("slur_not_offensive"), "reclaimed or in a group", civil=True),
    Check("counter-speech or hate", _REDDIT, _GROUP, _against("hate", "counter_speech"), "hate, not its answer"),
    Check("counter-speech, replies", _REDDIT, _TOXIC, _zero("counter_speech"), "answers, some hostile", civil=True),
    Check("counter-speech, written", _DYNA, _TOXIC, _zero("counter_speech"), "answers to hate", civil=True),
    Check("Covid and Asians", _COVID, _GROUP, _is("hate"), "hate"),
    Check("Covid, against hate", _COVID, _TOXIC, _zero("counterhate"), "speaks against hate", civil=True),
    Check("hate, re-annotated", _ISHATE, _GROUP, _is("hate"), "hate"),
    Check("hate, implicit", _ISHATE, _GROUP, _implicit, "implicit hate against none"),
    Check("hate, nationalities", _ISHATE, _GROUP, _nation, "hate where a nation is the target"),
    Check("stereotypes", f"{_UNCLEAR}/redditbias", _GROUP, _is("biased"), "a negative stereotype"),
    Check("women and immigrants", f"{_UNCLEAR}/tweeteval-hate", _GROUP, _is("hate"), "hate"),
    Check("hate, YouTube and Reddit", f"{_SHARED}/ethos-gpl3", _GROUP, _share, "half of the raters say hate"),
    Check("hate forum", f"{_SHARED}/stormfront", _GROUP, _stormfront, "hate against other talk of the forum"),
)
PAIRS = {"appdia": (f"{_UNCLEAR}/appdia", "offensive"), "paradetox": ("paradetox", "toxic")}


def letters(texts: list[str]) -> list[str]:
    """What two spellings of one text have in common: its normalised letters and digits."""
    return ["".join(filter(str.isalnum, text)) for text in normalise_all(texts)]


def rows_of(data: Path, folder: str) -> list[Row]:
    """The rows of a set, or none if it is not there; raises DataError if it has no SOURCE.md or is damaged."""
    path = data / folder / "train.csv.gz"
    if not path.exists():
        return []
    if not (data / folder / "SOURCE.md").exists():
        raise DataError(f"set {folder} has no SOURCE.md")
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))
    except (OSError, csv.Error) as error:
        raise DataError(f"set {folder} can't be read: {error}") from error


def _draw(found: dict[str, float], most: int) -> list[tuple[str, float]]:
    """At most `most` of the texts with their labels, by the order of their hashes, so always the same."""
    return sorted(found.items(), key=lambda one: hashlib.sha256(one[0].encode("utf-8", "ignore")).digest())[:most]


def labelled(data: Path, check: Check, seen: Collection[str]) -> list[tuple[str, float]]:
    """Texts and labels of a check, without those whose letters are in `seen`; empty if the set is not there."""
    found: dict[str, float] = {}
    for row in rows_of(data, check.folder):
        label = check.label(row)
        if label is not None and row["text"].strip():
            found.setdefault(row["text"], label)
    keys = letters(list(found))
    return _draw({text: found[text] for text, key in zip(found, keys, strict=True) if key not in seen}, check.most)


def pairs(data: Path, name: str, seen: Collection[str]) -> list[Pair]:
    """Each rude text of a set of PAIRS with each of its civil ones, none of them in `seen`."""
    folder, column = PAIRS[name]
    groups: dict[str, tuple[list[str], list[str]]] = {}
    for row in rows_of(data, folder):
        groups.setdefault(row["pair_id"], ([], []))[row[column] == "1"].append(row["text"])
    found = list(_couples(groups))
    known = [key in seen for key in letters([text for pair in found for text in (pair.rude, pair.civil)])]
    return [pair for i, pair in enumerate(found) if not (known[2 * i] or known[2 * i + 1])][:MOST]


def _couples(groups: dict[str, tuple[list[str], list[str]]]) -> Iterator[Pair]:
    for civil, rude in groups.values():
        for one in rude:
            for other in civil:
                if one.strip() and other.strip() and one != other:
                    yield Pair(one, other)
