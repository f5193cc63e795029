"""Which groups of people a text mentions, found by a word list of our own; used for figures, never for scores."""

from __future__ import annotations

import re

TERMS: dict[str, str] = {
    "women": r"wom[ae]n|girls?|female|mothers?|wives|wife|ladies|feminists?",
    "men": r"m[ae]n|boys?|male|fathers?|husbands?",
    "black people": r"blacks?|african[- ]americans?",
    "white people": r"whites?|caucasians?",
    "Asians": r"asians?|chinese|koreans?|japanese|vietnamese|filipinos?|china|korea|japan",
    "Latin Americans": r"latin[oax]s?|hispanics?|mexicans?|cubans?|mexico",
    "Russians and Ukrainians": r"russians?|ukrainians?|russia|ukraine|soviets?",
    "other nations": r"americans?|germans?|french|british|canadians?|indians?|turks?|turkish|poles|polish|irish",
    "Arabs and Iranians": r"arabs?|arabic|iranians?|syrians?|iraqis?|palestinians?|iran|iraq|syria",
    "Muslims": r"muslims?|islam|islamic|mosques?",
    "Jews": r"jews?|jewish|israelis?|israel|synagogues?|judaism",
    "Christians": r"christians?|catholics?|protestants?|christianity|church|evangelicals?",
    "gay people": r"gays?|lesbians?|homosexuals?|bisexuals?|lgbtq?|queer",
    "trans people": r"trans|transgender|transsexuals?",
    "immigrants": r"immigrants?|migrants?|refugees?|foreigners?|immigration",
    "disabled people": r"disabled|disabilit(?:y|ies)|blind|deaf|autis(?:m|tic)|wheelchair",
    "old people": r"elderly|seniors?|old (?:people|men|women|man|woman)",
    "war words": r"wars?|kill(?:s|ed|ing)?|bomb(?:s|ed|ing|ings)?|missiles?|rockets?|soldiers?|army|weapons?|guns?",
}
_PATTERNS = {name: re.compile(rf"\b(?:{terms})\b", re.IGNORECASE) for name, terms in TERMS.items()}
_ANY = re.compile(rf"\b(?:{'|'.join(TERMS.values())})\b", re.IGNORECASE)


def groups_in(text: str) -> list[str]:
    """The names of the groups in TERMS that the text mentions, in their order."""
    return [name for name, pattern in _PATTERNS.items() if pattern.search(text)]


def mentions(text: str) -> bool:
    """Whether the text mentions any of them."""
    return _ANY.search(text) is not None
