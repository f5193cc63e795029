"""What can be read off a text besides its scores: links, e-mail addresses, phone numbers."""

from collections.abc import Sequence

import re2
from linkify_it import LinkifyIt
from phonenumbers import Leniency, PhoneNumberMatcher

from moderation.domain.text import Span

_linkify = LinkifyIt(options={"fuzzy_link": True, "fuzzy_email": False, "fuzzy_ip": True})
_EMAIL = re2.compile(r"(?i)[a-z0-9._%+\-]{1,64}@[a-z0-9\-]{1,63}(?:\.[a-z0-9\-]{1,63}){0,6}\.[a-z]{2,24}")
_MAY_BE_LINK = re2.compile(r"[\pL\pN]\.[\pL\pN]|://|//")
_MIN_PHONE_DIGITS = 7
_MAX_TRIES = 200  # a text full of numbers is costly to look through, and the first ones say enough


def find_links(text: str) -> list[Span]:
    """Web addresses, also without http:// where the ending is a well-known one."""
    if not _MAY_BE_LINK.search(text):  # far cheaper than looking closely, and most comments end here
        return []
    return [Span(match.index, match.last_index) for match in _linkify.match(text) or () if match.schema != "mailto:"]


def find_email_addresses(text: str) -> list[Span]:
    """E-mail addresses."""
    return [Span(*match.span()) for match in _EMAIL.finditer(text)] if "@" in text else []


def find_phone_numbers(text: str, region: str) -> list[Span]:
    """Phone numbers that are valid in the region (ISO 3166, like US), and any with a country code."""
    if sum(map(str.isdigit, text)) < _MIN_PHONE_DIGITS:
        return []
    matcher = PhoneNumberMatcher(text, region, leniency=Leniency.STRICT_GROUPING, max_tries=_MAX_TRIES)
    return [Span(match.start, match.end) for match in matcher]


def compile_words(words: Sequence[str]) -> "re2._Regexp[str]":
    """A word list as one linear-time pattern; `*` at a word's end stands for any letters."""
    alternatives = "|".join(
        re2.escape(word.rstrip("*")) + (r"[\p{L}\p{N}_]*" if word.endswith("*") else "") for word in words
    )
    return re2.compile(rf"(?i)(?:^|[^\p{{L}}\p{{N}}_])({alternatives})(?:$|[^\p{{L}}\p{{N}}_])")
