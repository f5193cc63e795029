"""Where the sentences of a text begin and end. Pure."""

import re

from moderation.domain.text import Span

# What ends a sentence: closing marks before a blank or the end, full-width ones anywhere, the end of a line.
# Nothing in here can go back and try again, so that no input is slow.
_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’»)\]]*+(?=\s|$)|[。！？]++[」』”’）]*+|[\r\n]++")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'“‘])(?:[A-HJ-Z]|Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|Gen|Sen|Rep|vs|etc|cf|No|approx|[a-z]\.[a-z]|[A-Z]\.[A-Z])\.$"
)
_LONGEST_ABBREVIATION = 10


def sentences(text: str, most: int) -> list[Span]:
    """Sentences in order without the blanks around them, in code points; nothing but blanks has none.

    At most `most` pieces: of a text with more, neighbours are joined evenly.
    """
    found: list[Span] = []
    begin = 0
    for match in _END.finditer(text):
        if _ABBREVIATION.search(text[max(begin, match.end() - _LONGEST_ABBREVIATION) : match.end()]):
            continue
        found += _trimmed(text, begin, match.end())
        begin = match.end()
    found += _trimmed(text, begin, len(text))
    together = -(-len(found) // most) if found else 1
    groups = [found[at : at + together] for at in range(0, len(found), together)]
    return [Span(group[0].begin, group[-1].end) for group in groups]


def _trimmed(text: str, begin: int, end: int) -> list[Span]:
    piece = text[begin:end]
    left = begin + len(piece) - len(piece.lstrip())
    right = begin + len(piece.rstrip())
    return [Span(left, right)] if left < right else []
