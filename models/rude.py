"""Words worth knowing under a mask: what `f**k`, `1d1ot` or `i.d.i.o.t` stand for.

Not a list of forbidden words: nothing is judged by it. A disguised word that fits exactly one entry is written out, so
that the scorers see the word that readers see.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice, product

_VERBS = "fuck suck kill murder"  # with -s -er -ers -ed -ing -in
_NOUNS = (  # with -s
    "ass asshole bastard bullshit cock coon coward cracker cretin cunt dick dickhead douchebag dumbass dumbfuck "
    "dyke fag faggot fucktard fuckwit gook homo idiot imbecile jackass kike liar loser moron motherfucker nazi nigga "
    "nigger paki parasite pervert pig prick pussy raghead rapist rat retard scumbag shit shithead slut snowflake "
    "spic terrorist thug towelhead tranny traitor troll twat wanker whore"
)
_OTHERS = (
    "bitch bitches bitching bitchy braindead brainless bullshitting clown crap cum damn degenerate die disgusting dumb "
    "dumbest evil filth filthy fuckin fuckface fugly garbage gay hell ignorant idiotic jew jews kys lunatic moronic "
    "mothafucka motherfucking noob noobs pathetic pissed pussies retarded scum sexist shitty shithole shitting sicko "
    "stupid stupidity subhuman trash ugly vermin vile worthless"
)
_STRONG = (  # rude or not, what hostile comments turn on
    "abuse anus arrogant arse asinine bigot bigots bigotry black blacks bozo brain brains brainwashed buffoon "
    "buffoons bully butt butthole childish clowns cockroach cockroaches cocksucker cocksuckers corrupt crappy "
    "crazy creep creepy criminal criminals crook crooks deplorable deport despicable dictator dimwit dipshit "
    "disgrace disgusted embarrassment exterminate fascist fascists fool foolish fools freak freaking fuckhead "
    "fuckstick gays goddamn greedy hateful homophobic horrible hypocrisy hypocrite hypocrites hypocritical "
    "idiocy ignorance illegal illegals illiterate immigrants incompetence incompetent insane jerk jerks jewish "
    "lazy lesbian liberals lunatics lying mental mentally muslim muslims narcissist nasty nerd nerds nonsense "
    "obama obnoxious penis piss porn psychopath puppet racism racist racists ridicule ridiculous rubbish rude "
    "screw screwed selfish sex shameless shitbag silly sociopath stupidest stupidly supremacist trump turd "
    "useless vagina white whites women worst"
)
_BLUNT = frozenset(
    [stem + end for stem in _VERBS.split() for end in ("", "s", "er", "ers", "ed", "ing", "in")]
    + [stem + end for stem in ("hat", "rap") for end in ("e", "es", "ed", "er", "ers", "ing")]
    + [stem + end for stem in _NOUNS.split() for end in ("", "s")]
    + _OTHERS.split()
)
WORDS = _BLUNT | frozenset(_STRONG.split())
_UNSURE = frozenset(
    ["hell", "rat", "rats", "pig", "pigs", "clown"]
)  # too near to harmless words to be guessed from signs
_RUN = re.compile(r"(.)\1+")
_EDGES = "\"'().,:;?!<>[]{}\x02"
_MASKS = "*#%@&!$^?"
_ENDS = "abcdefghijklmnopqrstuvwxyz*"
_MASKED = re.compile(rf"[a-z][a-z{re.escape(_MASKS)}]*", re.ASCII)
_MASK = re.compile(f"[{re.escape(_MASKS)}]")
_LEET = {
    **dict(zip("034579@$+€£¢", "oeastgastelc", strict=True)),
    **dict.fromkeys("1!|", "il"),
    "6": "gb",
    "8": "b",
}
_READINGS = 32  # tried for one token
LONG = 9  # letters of a word that may be several
_LONG = 5  # letters from which a word is known by, however often each of them is repeated
_INSIDE = re.compile(  # what no harmless long word contains
    "asshole|bastard|bitch|bullshit|buffoon|clown|cocksuck|(?<!in)corrupt|coward|disgrace|disgusting|dumbass|faggot"
    "|fascist|foolish|(?:mother)?fuck(?:ing|ers?|ed)?|garbage|hypocri(?:tes?|sy)|idiot|ignoran(?:t|ce)|imbecile"
    "|incompetent|liberals|(?<!c)losers?(?!t)|(?<!oxy)moron|muslims?|(?<!s)nigg(?:er|a)|nonsense|(?<![amy])pathetic|racist"
    "|retard(?!an|at)|ridiculous|rubbish|scumbag|shit(?![ae])|stupid|subhuman|terrorist|traitor|trump(?!et)|useless"
    "|whore|worthless|crazy|dumb(?!led|bel|o|f)|fool(?![peh])|jerk|sucks"
)
_SMALL_WORDS = (
    "a about all an and are as at be being but by can could did do does else ever every fat for from get go got "
    "had has have he her here him his how i if in into is it its just know like little me more my no not now of "
    "off on one only or our out people piece please r really she should shut so some stop such that the their "
    "them there these they this to too u up ur us very want was we were what when where who why will with would "
    "you your youre yourself"
)
SMALL = frozenset(_SMALL_WORDS.split())


def _collapse(word: str) -> str:
    return _RUN.sub(r"\1", word)


_COLLAPSED = {_collapse(word): word for word in sorted(WORDS, key=len, reverse=True)}


def _by_shape(words: Iterable[str]) -> dict[tuple[str, int], list[str]]:
    """First letter and length -> the words."""
    found: dict[tuple[str, int], list[str]] = defaultdict(list)
    for word in sorted(words):
        found[word[0], len(word)].append(word)
    return found


_SHAPES = (_by_shape(_BLUNT - _UNSURE), _by_shape(WORDS - _UNSURE))  # people mask blunt words before any other


_OUTER = frozenset(word[0] + word[-1] for word in _COLLAPSED)


def unstretch(word: str) -> str | None:
    """The one word that a stretched one (`idiiiooot`) was made of, if it is known."""
    return _COLLAPSED.get(_collapse(word)) if word[:1] + word[-1:] in _OUTER else None


def _unmask(core: str) -> str | None:
    """The only known word of the same length that has the same letters wherever the mask shows some."""
    if not _MASKED.fullmatch(core) or not _MASK.search(core) or core[-1] not in _ENDS:
        return None
    shape = re.compile(_MASK.sub("[a-z]", core))
    for shapes in _SHAPES:
        fits = [word for word in shapes.get((core[0], len(core)), ()) if shape.fullmatch(word)]
        if fits:
            return fits[0] if len(fits) == 1 else None
    return None


def _written_out(core: str) -> str | None:
    shown = sum("a" <= c <= "z" for c in core)
    if not shown or core.isalpha():
        return None
    for reading in islice(product(*(_LEET.get(c, c) for c in core if c in _LEET or "a" <= c <= "z")), _READINGS):
        word = "".join(reading)
        if word not in WORDS:
            word = unstretch(word) or "" if len(word) > _LONG else ""
        if word and (shown > 1 or len(word) > 3) and "'" not in core and word not in _UNSURE:
            return word
    return _unmask(core)


@lru_cache(1 << 14)
def restore(token: str) -> str | None:
    """What a token (no white space) with signs among its letters stands for, punctuation at its ends kept.

    None if that is no known word, or not surely one.
    """
    for core in dict.fromkeys((token.strip(_EDGES), token.rstrip(_EDGES), token.lstrip(_EDGES))):
        word = _written_out(core) if len(core) > 2 else None
        if word:
            begin = token.index(core)
            return token[:begin] + word + token[begin + len(core) :]
    return None


# What _near would take for a slip of a known word, but is a word, a name or an abbreviation itself.
_REALLY = (
    "ares ars asss boz carp cck cnt con cons crepe dyk hat hats hatter hatters hatting hmo hom homs hte jws kik "
    "kke lair lairs lar lars morn naz nob nobs pak pens pgs pki pss rap rapped rapper rappers rapping raps rast "
    "rts rud sick silyl spc whit brian bran brans brin brins ans aus abus bama twt twts ville vil"
)
_REAL = frozenset(_REALLY.split())


def _near() -> dict[str, str]:
    """Known words with a letter doubled, two neighbours swapped, or a vowel left out -> the word."""
    found: dict[str, set[str]] = defaultdict(set)
    for word in WORDS:
        for i in range(1, len(word)):
            if len(word) > 3:
                found[word[:i] + word[i] + word[i:]].add(word)
                found[word[:i] + word[i + 1 : i + 2] + word[i] + word[i + 2 :]].add(word)
                if word[i] in "aeiou":
                    found[word[:i] + word[i + 1 :]].add(word)
    return {near: min(words) for near, words in found.items() if len(words) == 1 and near not in WORDS | _REAL}


NEAR = _near()


def apart(letters: str, pieces: frozenset[str] = SMALL | WORDS) -> str | None:
    """A run of letters as the fewest of `pieces` that make it up; None if it isn't made of such."""
    fewest, last = {0: 0}, {0: 0}  # of the first n letters, if made of pieces: how many, and where the last begins
    for begin in range(len(letters)):
        if begin not in fewest:
            continue
        count = fewest[begin] + 1
        for end in range(begin + 1, min(begin + 15, len(letters)) + 1):
            if letters[begin:end] in pieces and count < fewest.get(end, count + 1):
                fewest[end], last[end] = count, begin
    if len(letters) not in fewest:
        return None
    words: list[str] = []
    end = len(letters)
    while end:
        words.append(letters[last[end] : end])
        end = last[end]
    return " ".join(reversed(words))


_HARMLESS = frozenset(("rapist", "rapists", "pathetic", "killing"))  # ends of harmless words too
_PIECES = SMALL - {"i", "r", "u"} | {word for word in WORDS - _HARMLESS if len(word) > 3}


@lru_cache(1 << 15)
def part(token: str) -> str | None:
    """A long token with the known words inside it set apart; None if there is none, or no more than an ending."""
    words = apart(token, _PIECES)
    if words and any(word in WORDS for word in words.split()):
        return words
    found = list(_INSIDE.finditer(token))
    if not found:
        return None
    before, rest = token[: found[0].start()], len(token) - found[0].end()
    if len(before) + rest < (3 if before else 5):
        return None
    parts = [apart(before) or before] if before else []
    ends = [match.start() for match in found[1:]] + [len(token)]
    for match, end in zip(found, ends, strict=True):
        after = token[match.end() : end]
        parts += (
            [match[0] + after] if len(after) <= 3 else [match[0], apart(after) or after]
        )  # three are most often an ending
    return " ".join(parts)
