"""One character at a time: what each stands for once style, accents and disguise are taken off."""

from __future__ import annotations

import unicodedata

# Letters of other scripts that are drawn like a Latin one. Applied only inside words that also hold Latin letters.
_CYRILLIC = "аaвbсcеeнhіiјjкkмmоoрpѕsтtуyхxԁdԛqԝwһhѵvгrпnцuшwьbӏlүyѡwєeґr"
_GREEK = "αaβbεeηnιiκkνvοoρpτtυuχxωwσoγyζzμuϲcϳjςs"
_ARMENIAN = "օoսuոnցgհhզq"
LOOKALIKES: dict[int, str] = {
    ord(pairs[i]): pairs[i + 1] for pairs in (_CYRILLIC, _GREEK, _ARMENIAN) for i in range(0, len(pairs), 2)
}
# Latin letters that no decomposition leads back to ASCII, and small capitals.
_PLAIN = str.maketrans("łøđðħıŧæœƒɑɡɩʟɪɴʀᴀʙᴄᴅᴇғɢʜᴊᴋᴍᴏᴘǫᴛᴜᴠᴡʏᴢꜱꜰꞯ", "lodhhitaefagilinrabcdefghjkmopqtuvwyzsfq")
# Letters drawn upside down, and those that become each other when a word is turned.
_TURNED = str.maketrans("ɐɔǝɟƃɥᴉıɾʞɯɹʇʌʍʎqbdpun", "acefghiijkmrtvwybqpdnu")
TURNED = "ɐɔǝɟƃɥᴉɾʞɯɹʇʌʍʎ"
COMBINING = "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_BOXED = (0x1F130, 0x1F150, 0x1F170)  # A to Z in squares and circles, which NFKC leaves alone


def _base(char: str) -> str:
    """The ASCII letter under a Latin letter's accents, or the character itself."""
    parts = unicodedata.normalize("NFKD", char)
    return parts[0] if parts[0].isascii() and parts[0].isalpha() else char


def fold(char: str) -> str:
    """What one non-ASCII character becomes: casefolded text of any length, a space, or nothing.

    Invisible characters (zero-width, bidi controls, combining marks, variation selectors) vanish; punctuation becomes
    a space; symbols such as emoji and letters of other scripts stay as they are.
    """
    code = ord(char)
    for start in _BOXED:
        if start <= code < start + 26:
            return chr(ord("a") + code - start)
    category = unicodedata.category(char)
    if category in ("Cf", "Cs", "Cc", "Cn", "Sk", "Co") or char in "\u115f\u1160\u3164\uffa0":
        return " " if char == "\x85" else ""
    if category[0] == "M":
        drawn_over = category != "Mc" and unicodedata.combining(char) in (0, 1, 202, 220, 230)
        return "" if drawn_over or "\u0300" <= char <= "\u036f" else char
    if char in "\u2018\u2019\u02bc\u2032\uff07":
        return "'"
    if char in "ϲϹς":  # drawn like c and s, but folded they would be a sigma
        return char.lower()
    if char in "…\u2800":  # an ellipsis, a blank of Braille
        return " "
    plain = "".join(_base(c) for c in unicodedata.normalize("NFKC", char).casefold()).translate(_PLAIN)
    if plain.isascii():
        return plain
    return " " if category[0] in "PZ" else plain


def upright(word: str) -> str:
    """A word written upside down, as it reads when the page is turned."""
    return word.translate(_TURNED)[::-1]


class Folds(dict[int, str]):
    """A `str.translate` table that works out each non-ASCII character the first time it is met."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = chr(code).lower() if code < 128 else fold(chr(code))
        return folded
