"""Words worth knowing under a mask: what `f**k`, `1d1ot` or `i.d.i.o.t` stand for.

Not a list of forbidden words: nothing is judged by it. A disguised word that fits exactly one entry is written out, so
that the scorers see the word that readers see.
"""

from __future__ import annotations

import re
from collections import defaultdict

_VERBS = "fuck suck kill hate murder rape"  # with -s -er -ers -ed -ing -in
_NOUNS = (  # with -s
    "ass asshole bastard bitch bullshit cock coon coward cracker cretin cunt dick dickhead douchebag dumbass dumbfuck "
    "dyke fag faggot fucktard fuckwit gook homo idiot imbecile jackass kike liar loser moron motherfucker nazi nigga "
    "nigger paki parasite pervert pig prick pussy raghead rapist rat retard scumbag shit shithead slut snowflake "
    "spic terrorist thug towelhead tranny traitor troll twat wanker whore"
)
_OTHERS = (
    "bitches bitching bitchy braindead brainless bullshitting clown crap cum damn degenerate die disgusting dumb "
    "dumbest evil filth filthy fuckin fuckface fugly garbage gay hell ignorant idiotic jew jews kys lunatic moronic "
    "mothafucka motherfucking noob noobs pathetic pissed pussies retarded scum sexist shitty shithole shitting sicko "
    "stupid stupidity subhuman trash ugly vermin vile worthless"
)
WORDS = frozenset(
    [stem + end for stem in _VERBS.split() for end in ("", "s", "er", "ers", "ed", "ing", "in")]
    + [stem.removesuffix("e") + end for stem in ("hate", "rape") for end in ("ed", "er", "ers", "ing")]
    + [stem + end for stem in _NOUNS.split() for end in ("", "s")]
    + _OTHERS.split()
)
_UNSURE = frozenset(
    ["hell", "rat", "rats", "pig", "pigs", "clown"]
)  # too near to harmless words to be guessed from signs
_RUN = re.compile(r"(.)\1+")
_EDGES = "\"'().,:;?!<>[]{}\x02"
_MASKS = "*#%@&!$^?"
_MASKED = re.compile(rf"[a-z][a-z{re.escape(_MASKS)}]*", re.ASCII)
_MASK = re.compile(f"[{re.escape(_MASKS)}]")
_LEETS = (str.maketrans("013456789@$!|+€£¢", "oieasgtbgasiitelc"), str.maketrans("01345678@$!|", "oleasbtbasll"))
_NOT_LETTERS = re.compile(r"[^a-z]+")
_LONG = 5  # letters from which a word is known by, however often each of them is repeated
_INSIDE = re.compile(  # what no harmless long word contains
    "asshole|bastard|bitch|bullshit|dumbass|faggot|(?:mother)?fuck(?:ing|ers?|ed)?|garbage|idiot|imbecile|(?<!oxy)moron"
    "|(?<!s)nigg(?:er|a)|retard(?!an|at)|scumbag|shit(?![ae])|stupid|subhuman|whore|worthless"
)
_SMALL = re.compile(
    "youre|your|you|are|is|an|a|the|such|what|he|she|they|them|this|that|it|of|and|all|u|r|go|shut|up|piece|in|to|i|we"
)


def _collapse(word: str) -> str:
    return _RUN.sub(r"\1", word)


_COLLAPSED = {_collapse(word): word for word in sorted(WORDS, key=len, reverse=True)}
_BY_SHAPE: dict[tuple[str, int], list[str]] = defaultdict(list)
for _word in sorted(WORDS - _UNSURE):
    _BY_SHAPE[_word[0], len(_word)].append(_word)


def unstretch(word: str) -> str | None:
    """The one word that a stretched one (`idiiiooot`) was made of, if it is known."""
    return _COLLAPSED.get(_collapse(word))


def _unmask(core: str) -> str | None:
    """The only known word of the same length that has the same letters wherever the mask shows some."""
    if not _MASKED.fullmatch(core) or not _MASK.search(core):
        return None
    shape = re.compile(_MASK.sub("[a-z]", core))
    fits = [word for word in _BY_SHAPE.get((core[0], len(core)), ()) if shape.fullmatch(word)]
    return fits[0] if len(fits) == 1 else None


def _written_out(core: str) -> str | None:
    shown = sum("a" <= c <= "z" for c in core)
    if shown < 2 or core.isalpha():
        return None
    for table in _LEETS:
        word = _NOT_LETTERS.sub("", core.translate(table))
        if word not in WORDS:
            word = unstretch(word) or "" if len(word) > _LONG else ""
        if word and (len(word) < 3 * shown) and "'" not in core and word not in _UNSURE:
            return word
    return _unmask(core)


def restore(token: str) -> str | None:
    """What a token (no white space) with signs among its letters stands for, punctuation at its ends kept.

    None if that is no known word, or not surely one.
    """
    for core in dict.fromkeys((token.strip(_EDGES), token.rstrip(_EDGES))):
        word = _written_out(core) if len(core) > 2 else None
        if word:
            begin = token.index(core)
            return token[:begin] + word + token[begin + len(core) :]
    return None


def _parted(letters: str) -> str:
    """The small words that a run of letters consists of, or the run itself."""
    words = _SMALL.findall(letters)
    return " ".join(words) if "".join(words) == letters else letters


def part(token: str) -> str | None:
    """A long token with the known word inside it set apart; None if there is none, or no more than an ending."""
    found = _INSIDE.search(token)
    if not found:
        return None
    before, after = token[: found.start()], token[found.end() :]
    if len(before) + len(after) < (3 if before else 5):
        return None
    if len(after) <= 3:  # most often an ending
        return f"{_parted(before)} {found[0]}{after}".strip()
    return f"{_parted(before)} {found[0]} {_parted(after)}".strip()
