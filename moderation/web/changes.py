"""What changed between two texts of a comment, word by word."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from moderation.services.plain_text import plain_text
from moderation.store.tables import Comment, Revision

# Words beyond this many are not compared: the time grows with the product of both lengths.
_MOST_WORDS = 1500
_WORD = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True)
class Change:
    """A piece of text: `kind` is same, gone or new."""

    kind: str
    text: str


@dataclass(frozen=True)
class Edit:
    """How revision `number` became the next one, at `at`; `changes` is None where the texts are too long to compare."""

    number: int
    at: int
    before: str
    changes: list[Change] | None


def edits(comment: Comment, revisions: Sequence[Revision]) -> list[Edit]:
    """The edits of a comment, the newest first; `revisions` are its earlier texts in that order."""
    bodies = [(comment.body, comment.format), *((one.body, one.format) for one in revisions)]
    texts = [plain_text(body, format).text for body, format in bodies]
    return [
        Edit(revision.revision, revision.replaced_at, before, changes(before, after))
        for revision, (after, before) in zip(revisions, pairwise(texts), strict=True)
    ]


def changes(before: str, after: str) -> list[Change] | None:
    """The pieces of both texts in order; None where they are too long to compare."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    if max(len(old), len(new)) > _MOST_WORDS:
        return None
    found = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        pieces = [("same", old[a:b])] if kind == "equal" else [("gone", old[a:b]), ("new", new[c:d])]
        found += [Change(what, "".join(words)) for what, words in pieces if words]
    return found
