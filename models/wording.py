"""What the encoder reads: the normalised text, with signs turned into words that its vocabulary has."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from models.normalise import URL, normalise_all

_QUOTES = str.maketrans(dict.fromkeys("“”„«»‟″＂", '"'))  # before normalising, which takes them for spaces
_LINK = " link "
_SYMBOL = re.compile(r"[^\x00-\x7f]")
_SKIN = range(0x1F3FB, 0x1F400)
_LETTERS = range(0x1F1E6, 0x1F200)  # pairs of these make flags
_names: dict[str, str] = {}


def _name(match: re.Match[str]) -> str:
    """An emoji's Unicode name in lower case, set apart by spaces; any other character as it is."""
    char = match[0]
    known = _names.get(char)
    if known is None:
        code = ord(char)
        symbol = unicodedata.category(char) == "So" and code not in _LETTERS
        name = unicodedata.name(char, "").lower() if symbol else ""
        known = " " if code in _SKIN else f" {name} " if name else char
        _names[char] = known
    return known


def wording(texts: Sequence[str]) -> list[str]:
    """Texts as the encoder's tokenizer gets them: normalised, emoji by name, addresses as the word "link"."""
    plain = normalise_all([text if text.isascii() else text.translate(_QUOTES) for text in texts])
    return [
        " ".join((text if text.isascii() else _SYMBOL.sub(_name, text)).replace(URL, _LINK).split()) for text in plain
    ]
