"""What can be read off a text besides its scores: links, e-mail addresses, phone numbers."""

import re
import socket
import unicodedata
from collections.abc import Sequence
from functools import cached_property
from urllib.parse import unquote

import idna
import re2
from linkify_it import LinkifyIt
from phonenumbers import Leniency, PhoneNumberMatcher

from moderation.domain.text import Span

_linkify = LinkifyIt(options={"fuzzy_link": True, "fuzzy_email": False, "fuzzy_ip": True})
_EMAIL = re2.compile(r"(?i)[a-z0-9._%+\-]{1,64}@[a-z0-9\-]{1,63}(?:\.[a-z0-9\-]{1,63}){0,6}\.[a-z]{2,24}")
_DOT_WITHIN = re.compile(r"\.[^\W_]")
_EXPLICIT = re2.compile(r"(?i)https?://[^\s<>\"']+")
# A domain as it is written without http://, whatever its ending; not the end of an e-mail address.
# RE2 has no memory for all letters; this does not backtrack over more than a label.
_NAMED = re.compile(r"(?<![\w@.\-])(?:[\w\-]{1,63}[.\u3002])+[\w\-]{2,63}")
_AUTHORITY_ENDS = re2.compile(r"[/?#\\]")
_DOMAIN = re2.compile(r"(?:[a-z0-9_](?:[a-z0-9_\-]{0,62})[.])+[a-z0-9](?:[a-z0-9\-]{0,62})")
_NUMBER = re2.compile(r"(?:.*\.)?(?:0x[0-9a-f]*|[0-9]+)")
_LONGEST_NAME = 253
# Seven digits near each other: as far apart as the finder of numbers lets them be, or farther.
# What stands between is never a digit, so that this pattern does not backtrack; RE2 has no memory for its classes.
_MAY_BE_PHONE = re.compile(r"(?:\d(?:[\W_]|[xー]){0,4}){6}\d")
_WORDS_MEMORY = 64 * 1024 * 1024
_MAX_TRIES = 200  # a text full of numbers is costly to look through, and the first ones say enough


class Reading:
    """What one text holds; each thing is looked for once, when somebody asks."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._phone_numbers: dict[str, list[Span]] = {}

    @cached_property
    def links(self) -> list[Span]:
        """As `find_links` finds them."""
        return find_links(self.text)

    @cached_property
    def link_hosts(self) -> list[tuple[Span, str]]:
        """The same links, odd ones and mere names of domains, each with the host that a browser would ask."""
        found = self._with_hosts(self.links)
        if "//" in self.text:  # an odd host is no link to the finder of links, and one to a browser
            found += self._apart_from(found, [Span(*match.span()) for match in _EXPLICIT.finditer(self.text)])
        if "." in self.text or "\u3002" in self.text:  # a name or bad punctuation, which the list of names tells apart
            found += self._apart_from(found, [Span(*match.span()) for match in _NAMED.finditer(self.text)])
        return found

    def _apart_from(self, found: Sequence[tuple[Span, str]], spans: Sequence[Span]) -> list[tuple[Span, str]]:
        within = {place for span, _ in found for place in range(span.begin, span.end)}
        return self._with_hosts([span for span in spans if span.begin not in within])

    def _with_hosts(self, spans: Sequence[Span]) -> list[tuple[Span, str]]:
        return [(span, host) for span in spans if (host := host_of(self.text[span.begin : span.end]))]

    @cached_property
    def email_addresses(self) -> list[Span]:
        """As `find_email_addresses` finds them."""
        return find_email_addresses(self.text)

    def phone_numbers(self, region: str) -> list[Span]:
        """As `find_phone_numbers` finds them."""
        if region not in self._phone_numbers:
            self._phone_numbers[region] = find_phone_numbers(self.text, region)
        return self._phone_numbers[region]


def find_links(text: str) -> list[Span]:
    """Web addresses, also without http:// where the ending is a well-known one."""
    if "//" not in text and not _DOT_WITHIN.search(text):  # far cheaper than a close look, and most end here
        return []
    return [Span(match.index, match.last_index) for match in _linkify.match(text) or () if match.schema != "mailto:"]


def host_of(url: str) -> str | None:
    """The host of a web address as a browser reads it: in small letters and ASCII, no port, no closing dot; None
    where there is none. What stands before an @ is no host, and %2e is a dot."""
    _scheme, slashes, rest = url.partition("//")
    authority = _AUTHORITY_ENDS.split(rest if slashes else url, maxsplit=1)[0]
    host = unquote(authority.rpartition("@")[2])
    return domain_of(host.partition(":")[0])


def domain_of(name: str) -> str | None:
    """A domain in the one way in which it is kept and looked for; None where it can't be one.

    A number in place of a name, which browsers take for an IPv4 address, is written as such.
    """
    name = name.strip().casefold()
    if not name or len(name) > _LONGEST_NAME:
        return None
    if not name.isascii():
        try:
            shown = idna.uts46_remap(unicodedata.normalize("NFKC", name), std3_rules=False)
            name = ".".join(one if one.isascii() else idna.encode(one).decode() for one in shown.split("."))
        except (idna.IDNAError, UnicodeError):
            return None
    name = name.rstrip(".")
    if _NUMBER.fullmatch(name):
        try:
            return socket.inet_ntoa(socket.inet_aton(name))
        except OSError:
            return None
    return name if _DOMAIN.fullmatch(name) else None


def find_email_addresses(text: str) -> list[Span]:
    """E-mail addresses."""
    return [Span(*match.span()) for match in _EMAIL.finditer(text)] if "@" in text else []


def find_phone_numbers(text: str, region: str) -> list[Span]:
    """Phone numbers that are valid in the region (ISO 3166, like US), and any with a country code."""
    if not _MAY_BE_PHONE.search(text):  # years and prices: the finder would try each of them
        return []
    matcher = PhoneNumberMatcher(text, region, leniency=Leniency.STRICT_GROUPING, max_tries=_MAX_TRIES)
    return [Span(match.start, match.end) for match in matcher]


def compile_words(words: Sequence[str]) -> "re2._Regexp[str]":
    """A word list as one linear-time pattern; `*` at a word's end stands for any letters. Raises re2.error."""
    whole = [re2.escape(word) for word in words if not word.endswith("*")]
    begun = [re2.escape(word.rstrip("*")) for word in words if word.endswith("*")]
    # The class of letters is large: once behind all of them, not once behind each, or a long list is refused.
    any_end = [rf"(?:{'|'.join(begun)})[\p{{L}}\p{{N}}_]*"] if begun else []
    alternatives = "|".join(whole + any_end)
    return re2.compile(rf"(?i)(?:^|[^\p{{L}}\p{{N}}_])({alternatives})(?:$|[^\p{{L}}\p{{N}}_])", _options())


def _options() -> "re2.Options":
    options = re2.Options()
    options.max_mem = _WORDS_MEMORY
    options.log_errors = False
    return options
