"""Which groups of people a text mentions, by a word list of our own; for weights and figures, never for scores."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Callable
from pathlib import Path

TERMS: dict[str, str] = {
    "women": r"wom[ae]n|girls?|female|mothers?|wives|wife|ladies|feminists?",
    "men": r"m[ae]n|boys?|male|fathers?|husbands?",
    "black people": r"blacks?|african[- ]americans?",
    "white people": r"whites?|caucasians?",
    "Asians": r"asians?",
    "Chinese": r"chinese|china|beijing",
    "Koreans and Japanese": r"koreans?|japanese|korea|japan",
    "Indians and Pakistanis": r"indians?|pakistanis?|india|pakistan|bangladeshis?|bangladesh",
    "Africans": r"africans?|africa|nigerians?|nigeria|somalis?|somalia|kenyans?|kenya",
    "Latin Americans": r"latin[oax]s?|hispanics?|mexicans?|cubans?|mexico|cuba|venezuelans?|venezuela",
    "indigenous peoples": r"indigenous|natives?|aboriginals?|first nations?|inuit|m[aā]oris?",
    "Russians": r"russians?|russia|soviets?|moscow",
    "Ukrainians": r"ukrainians?|ukraine|kyiv|kiev",
    "Americans": r"americans?|americas?|usa",
    "British and Irish": r"british|britons?|britain|english(?:m[ae]n|wom[ae]n)|scottish|irish|ireland|welsh",
    "Canadians": r"canadians?|canada",
    "other Europeans": r"europeans?|germans?|germany|french|france|italians?|italy|poles|polish|poland|greeks?|greece"
    r"|spaniards?|serbs?|serbia|albanians?",
    "Turks and Kurds": r"turks|turkish|kurds?|kurdish|armenians?|armenia",
    "Arabs and Iranians": r"arabs?|arabic|iranians?|syrians?|iraqis?|saudis?|afghans?|iran|iraq|syria|afghanistan",
    "Palestinians": r"palestinians?|palestine|gaza",
    "Israelis": r"israelis?|israel|zionists?",
    "Muslims": r"muslims?|moslems?|islam|islamic|mosques?|shia|sunnis?",
    "Jews": r"jews?|jewish|synagogues?|judaism|rabbis?",
    "Christians": r"christians?|christianity|church(?:es)?|evangelicals?|mormons?",
    "Catholics": r"catholics?|pope|priests?|vatican",
    "Hindus, Sikhs and Buddhists": r"hindus?|hinduism|sikhs?|buddhists?|buddhism",
    "atheists": r"atheists?|atheism|godless",
    "gay people": r"gays?|lesbians?|homosexuals?|homosexuality|bisexuals?|lgbt[a-z+]*|queer",
    "trans people": r"trans|transgender(?:ed)?|transsexuals?",
    "immigrants": r"immigrants?|migrants?|refugees?|foreigners?|immigration|asylum",
    "disabled people": r"disabled|disabilit(?:y|ies)|blind|deaf|autis(?:m|tic)|wheelchairs?|handicapped",
    "old people": r"elderly|seniors?|old (?:people|men|women|man|woman)|pensioners?",
    "war words": r"wars?|kill(?:s|ed|ing)?|bomb(?:s|ed|ing|ings)?|missiles?|rockets?|soldiers?|army|weapons?|guns?",
}
# What a comment is about, by the groups whose words it has.
TOPICS: dict[str, tuple[str, ...]] = {
    "war": ("war words",),
    "nations": (
        "Chinese",
        "Koreans and Japanese",
        "Indians and Pakistanis",
        "Africans",
        "Latin Americans",
        "indigenous peoples",
        "Russians",
        "Ukrainians",
        "Americans",
        "British and Irish",
        "Canadians",
        "other Europeans",
        "Turks and Kurds",
        "Arabs and Iranians",
        "Palestinians",
        "Israelis",
    ),
    "faiths": ("Muslims", "Jews", "Christians", "Catholics", "Hindus, Sikhs and Buddhists", "atheists"),
    "sexuality": ("gay people", "trans people"),
}
_AROUND = ".,;:!?\"'()[]{}*_-"  # of a word, and no part of it
_WORD = re.compile(r"\w+")
_PATTERNS = {name: re.compile(rf"\b(?:{terms})\b", re.IGNORECASE) for name, terms in TERMS.items()}
_ANY = re.compile(rf"\b(?:{'|'.join(TERMS.values())})\b", re.IGNORECASE)


def groups_in(text: str) -> list[str]:
    """The names of the groups in TERMS that the text mentions, in their order."""
    return [name for name, pattern in _PATTERNS.items() if pattern.search(text)]


def mentions(text: str) -> bool:
    """Whether the text mentions any of them."""
    return _ANY.search(text) is not None


def topics_in(text: str) -> list[str]:
    """The names of the TOPICS that the text touches."""
    found = set(groups_in(text))
    return [topic for topic, groups in TOPICS.items() if found.intersection(groups)]


def swear_words(data: Path) -> Callable[[str], bool] | None:
    """Tells whether a text holds a word or phrase of the lexicon below the data folder; None without the lexicon."""
    path = data / "lexicons" / "surge-profanity" / "profanity_en.csv.gz"
    if not path.exists():
        return None
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        words = {row["text"].strip().lower() for row in csv.DictReader(lines)} - {""}
    longest = max((len(word.split()) for word in words), default=0)

    def swears(text: str) -> bool:
        lower = text.lower()
        pieces = [lower.split(), [piece.strip(_AROUND) for piece in lower.split()], _WORD.findall(lower)]
        runs = (
            {" ".join(found[i : i + n]) for i in range(len(found))} for found in pieces for n in range(1, longest + 1)
        )
        return any(not words.isdisjoint(run) for run in runs)

    return swears
