"""Signs of spam that are not words: links, ways to get in touch, sums of money, repetition, symbols, capitals.

Read from the original text, because normalising removes most of them. One sign alone says little (a reader who gives
a source has one link too); models that combine them with what the words say are fitted elsewhere.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

NAMES: tuple[str, ...] = (
    "links",  # log(1 + number of links)
    "link_share",  # share of the characters that stand in links
    "domains",  # log(1 + number of different hosts)
    "marked_links",  # log(1 + number of links in HTML, BBCode or Markdown)
    "odd_endings",  # 1 if a host ends in one of the endings that spam likes
    "link_last",  # 1 if the text ends with a link
    "shorteners",  # 1 if a link hides where it leads
    "phones",  # log(1 + number of phone numbers)
    "messengers",  # log(1 + number of messenger names with a handle or a number)
    "emails",  # log(1 + number of e-mail addresses, also with (at))
    "money",  # log(1 + number of sums of money)
    "repeated_words",  # share of the words that stood before
    "repeated_lines",  # share of the lines that stood before
    "compressed",  # share of the bytes that compression saves; 0 for a short text without other repetition
    "punctuation",  # share of ASCII punctuation
    "symbols",  # share of emoji and other pictures
    "digits",  # share of digits
    "exclamations",  # log(1 + number of exclamation marks)
    "capitals",  # share of the ASCII letters that are capitals; 0 if the source kept no case
    "length",  # log10(1 + characters) / 2
)
_MOST = 3.0  # no value is above this

_TOP = (
    "com|net|org|edu|gov|info|biz|ru|io|ly|gl|gd|me|co|tk|ml|ga|cf|club|shop|site|online|top|xyz|click|icu|vip|store|"
    "live|life|win|bid|loan|men|work|space|website|fun|pro|app|gg|cn|in|uk|de|us|tv|ca|au|fr|eu|nl|pw|cc|ws|example|test"
)
# The first letter of a bare host may not follow one of a word, so that a text of one long word stays linear.
_LINK = re.compile(
    r"(?:https?://|www\.)(?P<full>[^\s<>\"'\]\[)(]+)"
    rf"|(?<![\w@.-])(?P<bare>[a-z0-9][a-z0-9-]{{0,62}}(?:\.[a-z0-9-]{{1,63}}){{0,3}}\.(?:{_TOP}))(?![\w@-]|\.\w)"
    r"(?P<path>(?:/[^\s<>\"'\]\[)(]*)?)",
    re.IGNORECASE,
)
_LITTLE_WORDS = {"in", "me", "us", "de", "pro", "men", "fun", "win", "test"}
_WORDS = {
    "live",
    "life",
    "work",
    "space",
    "online",
    "top",
    "club",
    "shop",
    "site",
    "store",
    "click",
    "info",
    "app",
    "website",
    "bid",
    "loan",
    "example",
}
_DOTTED = re.compile(r"\.[A-Za-z]")
_HOST_END = re.compile(r"[/?#:]")
_MARKED = re.compile(r"<a\s|\[(?:url|link)\b|\]\((?:https?:|www\.)", re.IGNORECASE)
_ODD = re.compile(
    r"\.(?:ru|cn|tk|ml|ga|cf|club|shop|site|online|top|xyz|click|icu|vip|store|live|life|win|bid|loan|men|work|space|"
    r"website|fun|pw|cc|ws|biz)$"
)
_SHORT = re.compile(
    r"(?:bit\.ly|tinyurl\.com|goo\.gl|is\.gd|ow\.ly|t\.co|cutt\.ly|rb\.gy|adf\.ly|buff\.ly|shorturl\.at|rebrand\.ly|"
    r"linktr\.ee|[a-z]{1,3}\.(?:ly|gl|gd|gy))$"
)
_MAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}(?:@| ?[(\[] ?(?:at|@) ?[)\]] ?| @ )[a-z0-9-]{1,63} ?\. ?[a-z]{2,10}",
    re.IGNORECASE | re.ASCII,
)
_AT = re.compile(r"[(\[] ?at ?[)\]]", re.IGNORECASE)
_PHONE = re.compile(r"(?<![\w.,$€£#])[+(]?\(?\d[\d ().-]{5,30}\d(?![\w,])", re.ASCII)
_DATE = re.compile(r"\d{1,4}[-. ]\d{1,2}[-. ]\d{1,4}(?: |$)")
_LOCAL = re.compile(r"(?<!\d)\d{3}[ .-]\d{4}$")
_MESSENGER = re.compile(
    r"(?:whats ?app|telegram|snapchat|wickr|discord|instagram|\bkik\b)[^@\d]{0,25}(?:@ ?\w|\d[\d ().-]{6})"
    r"|(?<!\w)(?:t\.me|wa\.me|discord\.gg)/",
    re.IGNORECASE,
)
_MONEY = re.compile(
    r"[$€£₿] ?\d|(?<![\d,.])\d[\d,.]{0,15}[kKmM]? ?(?:[$€£₿]|dollars?\b|euros?\b|pounds?\b|usdt?\b|btc\b)",
    re.IGNORECASE,
)
_CURRENCIES = ("$", "€", "£", "₿", "dollar", "euro", "pound", "usd", "btc")
_SYMBOL = re.compile("[\u2190-\u21ff\u2300-\u2bff\U0001f000-\U0001faff]")
_PUNCTUATION = bytes(c for c in range(33, 127) if not chr(c).isalnum())
_DIGITS, _UPPER = b"0123456789", bytes(range(65, 91))
_SPACES = bytes(range(33))
_LONG = 600  # bytes from which compression is always tried
_NO_LINKS, _NO_CONTACTS = (0.0,) * 7, (0.0,) * 4
_FEW = 10  # letters added below, so that an "I" is not a text in capitals


def _many(count: int) -> float:
    return min(math.log1p(count), _MOST)


def _missing_space(bare: str, rest: str) -> bool:
    """Whether a dot between two words (`the end.in fact`) is a full stop and no host; `rest` is the path after it."""
    name, _, ending = bare.lower().rpartition(".")
    return not rest and (ending in _LITTLE_WORDS or (ending in _WORDS and len(name) < 8))


def _links(text: str) -> tuple[float, ...]:
    """The first seven signs."""
    hosts, inside, end = [], 0, 0
    for match in _LINK.finditer(text):
        if match["bare"] and _missing_space(match["bare"], match["path"]):
            continue
        inside += match.end() - match.start()
        end = match.end()
        host = _HOST_END.split((match["full"] or match["bare"])[:300].lower(), maxsplit=1)[0]
        hosts.append(host.removeprefix("www.").rstrip(".,;!"))
    if not hosts:
        return _NO_LINKS
    tail = text[end:].rstrip()
    last = (len(tail) <= 10 and not any(c.isalnum() for c in tail)) or tail.lower().endswith(
        ("</a>", "[/url]", "[/link]")
    )
    different = set(hosts)
    return (
        _many(len(hosts)),
        inside / len(text),
        _many(len(different)),
        _many(sum(1 for _ in _MARKED.finditer(text))),
        float(any(_ODD.search(host) for host in different)),
        float(last),
        float(any(_SHORT.fullmatch(host) for host in different)),
    )


def _phone(found: str) -> bool:
    """Whether digits with signs between them are a phone number and not a date, a sum or a count."""
    digits = sum(c.isdigit() for c in found)
    if not 7 <= digits <= 15 or _DATE.match(found):
        return False
    return found[0] in "+(0" or digits == len(found) >= 10 or _LOCAL.search(found) is not None


def _contacts(text: str, digits: int) -> tuple[float, float, float, float]:
    """Phones, messengers, e-mail addresses and sums of money."""
    at = "@" in text or (("(" in text or "[" in text) and _AT.search(text) is not None)
    if not at and not digits and "/" not in text:
        return _NO_CONTACTS
    low = text.lower()
    phones = sum(_phone(found) for found in _PHONE.findall(text)) if digits >= 7 else 0
    messengers = sum(1 for _ in _MESSENGER.finditer(text)) if at or digits >= 7 or "me/" in low or "gg/" in low else 0
    emails = sum(1 for _ in _MAIL.finditer(text)) if at else 0
    money = sum(1 for _ in _MONEY.finditer(text)) if digits and any(sign in low for sign in _CURRENCIES) else 0
    return _many(phones), _many(messengers), _many(emails), _many(money)


def _repetition(text: str, data: bytes) -> tuple[float, float, float]:
    words = text.split()
    repeated = 1 - len(set(words)) / len(words) if words else 0.0
    lines = 0.0
    if "\n" in text:
        full = [line for line in text.split("\n") if line.strip()]
        lines = 1 - len(set(full)) / len(full) if full else 0.0
    saved = 0.0
    if len(data) > _LONG or repeated > 0.4 or len(data) > 12 * len(words) > 0:
        saved = max(0.0, 1 - len(zlib.compress(data, 1)) / len(data))
    return repeated, lines, saved


def _signs(text: str) -> tuple[float, ...]:
    data = text.encode("utf-8", "ignore")
    size, chars = len(data), len(text)
    if not size:
        return (0.0,) * len(NAMES)
    marks = size - len(data.translate(None, _PUNCTUATION))
    digits = size - len(data.translate(None, _DIGITS))
    upper = size - len(data.translate(None, _UPPER))
    if text.isascii():
        letters, symbols = size - marks - digits - (size - len(data.translate(None, _SPACES))), 0
    else:
        letters = upper + sum(map(str.islower, text))
        symbols = sum(1 for _ in _SYMBOL.finditer(text))
    linked = "://" in text or _DOTTED.search(text)
    return (
        *(_links(text) if linked else _NO_LINKS),
        *_contacts(text, digits),
        *_repetition(text, data),
        marks / chars,
        symbols / chars,
        digits / chars,
        _many(text.count("!")),
        upper / (letters + _FEW),
        min(math.log10(1 + chars) / 2, _MOST),
    )


def evidence(texts: Sequence[str]) -> NDArray[np.float32]:
    """The signs of each original (not normalised) text, shape (texts, len(NAMES)), each between 0 and 3.

    Time is linear in the length of a text; a row depends on its own text alone.
    """
    rows = [_signs(text) for text in texts]
    return np.array(rows, np.float32).reshape(len(rows), len(NAMES))
