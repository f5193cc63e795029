"""The labelled sets: what each one's columns say about our attributes, and under which licence it is used.

A label that a set does not state is missing, never zero. Two rules fill in what a set implies:
- not toxic implies that no kind of toxicity applies (in the Wikipedia set with all labels, 2 % of the rows that are
  not toxic have another label, so this is nearly true), and that the text, which stood on the site, is not spam;
- "no hate" says nothing about toxicity: such rows are often rude.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

Row = dict[str, str]
Labels = dict[str, float]

PERMISSIVE = {"CC0", "CC BY 4.0", "MIT", "Apache-2.0"}
# Sets without a written licence that the project decided to use, and what must be cited for it.
DECIDED = {"dynahate": "Vidgen et al. 2021, arXiv 2012.15761"}
UNLICENSED = "none"

_KINDS = ("SEVERE_TOXICITY", "INSULT", "PROFANITY", "THREAT", "IDENTITY_ATTACK", "SEXUALLY_EXPLICIT")
HARMLESS: Labels = {"TOXICITY": 0.0, **dict.fromkeys(_KINDS, 0.0), "SPAM": 0.0}


class LicenceError(Exception):
    """A set may not be used for the shipped artefact."""


@dataclass(frozen=True)
class Source:
    """One labelled set: `label` turns a CSV row into labels (attributes it leaves out are missing)."""

    name: str
    licence: str
    label: Callable[[Row], Labels]
    folder: str = ""
    text: str = "text"
    group: str = ""  # column whose rows must stay in one split
    weight: float = 1.0
    weights: dict[str, float] = field(default_factory=dict)  # by attribute, where it differs from `weight`
    unseen: tuple[str, str] | None = None  # column and value: these rows are the test split, and no other ones
    natural: bool = False  # drawn from real comments, so its negatives are what a site sees

    @property
    def path(self) -> str:
        """Folder below the data folder."""
        return self.folder or self.name


def admit(source: Source, without_unlicensed: bool) -> bool:
    """Whether to use the set; raises LicenceError if its licence never allows that.

    False only for the decided exceptions, when `without_unlicensed` leaves them out.
    """
    if source.name in DECIDED and source.licence == UNLICENSED:
        return not without_unlicensed
    if source.licence not in PERMISSIVE or "/" in source.path:
        raise LicenceError(f"set {source.name} has licence {source.licence!r} and can't be used for an artefact")
    return True


def _on(row: Row, column: str) -> float:
    return float(row[column])


def _toxic(column: str) -> Callable[[Row], Labels]:
    return lambda row: {"TOXICITY": 1.0} if _on(row, column) else dict(HARMLESS)


def _harmless(row: Row) -> Labels:
    return dict(HARMLESS)


def _jigsaw(row: Row) -> Labels:
    return {
        "TOXICITY": _on(row, "toxic"),
        "SEVERE_TOXICITY": _on(row, "severe_toxic"),
        "INSULT": _on(row, "insult"),
        "PROFANITY": _on(row, "obscene"),
        "THREAT": _on(row, "threat"),
        "IDENTITY_ATTACK": _on(row, "identity_hate"),
        "SPAM": 0.0,
    }


def _spans(row: Row) -> Labels:
    """Shares of raters that marked a span of a kind: half or more is yes, none at all is no, between is unknown."""
    columns = {"INSULT": "insult", "PROFANITY": "profane", "THREAT": "threat", "IDENTITY_ATTACK": "identity_attack"}
    labels: Labels = {"TOXICITY": 1.0, "SPAM": 0.0}
    for attribute, column in columns.items():
        share = float(row[f"{column}_frac"] or "nan")
        if share >= 0.5:
            labels[attribute] = 1.0
        elif share == 0 and attribute != "IDENTITY_ATTACK":  # group attacks without a marked word are common
            labels[attribute] = 0.0
    return labels


def _hate(column: str, threat: str = "") -> Callable[[Row], Labels]:
    def label(row: Row) -> Labels:
        hate = _on(row, column)
        labels = {"IDENTITY_ATTACK": hate}
        if hate:
            labels["TOXICITY"] = 1.0
        if threat and row.get(threat) and _on(row, threat):
            labels["THREAT"] = 1.0
        elif threat and not hate:
            labels["THREAT"] = 0.0
        return labels

    return label


def _hatemoji(row: Row) -> Labels:
    """Without TOXICITY: nearly all emoji of the labelled sets stand here, and its civil rows say nothing of tone."""
    return {name: value for name, value in _hate("hate", "threat")(row).items() if name != "TOXICITY"}


def _gab(row: Row) -> Labels:
    hate = max(_on(row, "hd"), _on(row, "cv"))
    labels = {"IDENTITY_ATTACK": hate, "THREAT": _on(row, "cv")}
    if hate or _on(row, "vo"):
        labels["TOXICITY"] = 1.0
    return labels


def _davidson(row: Row) -> Labels:
    if row["label"] == "neither":
        return {"PROFANITY": 0.0}
    return {"PROFANITY": 1.0} if row["label"] == "offensive" and row["offensive_language"] == row["n_raters"] else {}


def _hatexplain(row: Row) -> Labels:
    if _on(row, "hate"):
        return {"IDENTITY_ATTACK": 1.0, "TOXICITY": 1.0}
    return {} if _on(row, "offensive") else {"IDENTITY_ATTACK": 0.0}


def _mlma(row: Row) -> Labels:
    if _on(row, "hateful"):
        return {"IDENTITY_ATTACK": 1.0}
    return {"IDENTITY_ATTACK": 0.0} if _on(row, "normal") else {}


def _misogyny(row: Row) -> Labels:
    labels = {"IDENTITY_ATTACK": _on(row, "misogynistic")}
    return {**labels, "INSULT": 1.0, "TOXICITY": 1.0} if _on(row, "personal_attack") else labels


def _paradetox(row: Row) -> Labels:
    return {"TOXICITY": 1.0} if _on(row, "toxic") else {"TOXICITY": 0.0, "PROFANITY": 0.0, "INSULT": 0.0}


def _openai(row: Row) -> Labels:
    """Empty cells are unknown. Threats are stated for groups only, so their absence says nothing."""
    stated = {"hate": "IDENTITY_ATTACK", "sexual": "SEXUALLY_EXPLICIT", "harassment": "INSULT"}
    labels = {attribute: float(row[column]) for column, attribute in stated.items() if row[column]}
    if row["hate_threatening"] == "1":
        labels["THREAT"] = 1.0
    if row["hate"] == "1" or row["harassment"] == "1":
        labels["TOXICITY"] = 1.0
    return labels


def _convabuse(row: Row) -> Labels:
    if not _on(row, "abusive"):
        return dict(HARMLESS)
    labels = {"TOXICITY": 1.0}
    if _on(row, "sex_harassment"):
        labels["SEXUALLY_EXPLICIT"] = 1.0
    return labels


def _spam(row: Row) -> Labels:
    return {"SPAM": _on(row, "spam")}


def _social_spam(row: Row) -> Labels:
    """Mere promotion of a product is neither spam nor harmless here."""
    return {} if not _on(row, "spam") and _on(row, "promo") else {"SPAM": _on(row, "spam")}


SOURCES: tuple[Source, ...] = (
    Source("civil-comments-balanced", "CC0", _toxic("toxic"), natural=True, weight=3.0),
    Source("civil-comments-toxic-spans", "CC0", _spans, natural=True),
    Source("jigsaw-wiki-multilabel", "CC0", _jigsaw, natural=True, weight=2.0),
    Source("jigsaw-wiki-binary", "CC0", _toxic("toxic"), natural=True),
    Source("wikidetox-sample", "CC BY 4.0", _toxic("toxic"), natural=True),
    Source("wiki-context-toxicity", "Apache-2.0", _toxic("toxic"), natural=True, weight=0.7),
    Source("wikipedia-debias-nontoxic", "CC BY 4.0", _harmless, weight=0.7),
    Source("stanford-politeness", "CC BY 4.0", _harmless, weight=0.5),
    Source("fox-news-comments", "MIT", _hate("hateful")),
    Source("paradetox", "CC0", _paradetox, group="pair_id", weight=0.5),
    Source("convabuse", "CC BY 4.0", _convabuse, weight=0.5),
    Source("davidson-tweets", "MIT", _davidson, weight=0.2),
    Source("gab-hate-corpus", "CC BY 4.0", _gab),
    Source("openai-moderation", "MIT", _openai),
    Source("hatemoji-build", "CC BY 4.0", _hatemoji),
    Source("edos-sexism", "CC0", _hate("sexist", "sexist_threat"), weights={"TOXICITY": 0.15}),
    Source("guest-misogyny-reddit", "MIT", _misogyny, weights={"TOXICITY": 0.3}),
    Source("measuring-hate-speech", "CC BY 4.0", _hate("hate"), weights={"TOXICITY": 0.15}),
    Source("implicit-hate", "MIT", _hate("hate", "threat"), weight=0.7, weights={"TOXICITY": 0.1, "THREAT": 0.5}),
    Source("hatexplain", "MIT", _hatexplain, weight=0.7, weights={"TOXICITY": 0.1}),
    Source("mlma-hate", "MIT", _mlma, weight=0.3),
    Source("toxigen-demonstrations", "MIT", _hate("hate")),
    Source("dynahate", UNLICENSED, _hate("hate"), folder="unclear-licence/dynahate", weights={"TOXICITY": 0.15}),
    Source("youtube-spam", "CC BY 4.0", _spam, weight=2.0, unseen=("video", "Psy")),
    Source("sms-spam", "CC BY 4.0", _spam, weight=0.5),
    Source("janitr-social-spam", "MIT", _social_spam, weight=1.0),
)
