"""The loaded classifier. The only import of models."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models import ARTEFACTS, ATTRIBUTES, SCORERS, ArtefactError, Scorer, load_scorer
from models.language import SERVED as LANGUAGES
from models.language import detect, prepare, served
from models.normalise import normalise_all
from moderation import metrics
from moderation.domain.text import Span
from moderation.errors import SetupError

# Labelled sentences of our own that no training ever sees.
WAR_STORIES = ARTEFACTS.parent / "evaluation" / "war_stories.jsonl"

log = logging.getLogger(__name__)

__all__ = [
    "ATTRIBUTES", "LANGUAGES", "SCORERS", "WAR_STORIES", "Classifier", "Judged", "ScorerDied", "language_of",
    "undisguised", "write_policy_figures",
]  # fmt: skip


class ScorerDied(BaseException):
    """The process that scored is gone, perhaps by a text. Not an Exception: no text is tried again after it."""


@dataclass(frozen=True)
class Judged:
    """What the classifier says about one text.

    `language` is an ISO 639 code, `und` for a text without words; `scores` (0..1 by attribute) are None where no
    scorer has evidence for that language.
    """

    language: str
    scores: dict[str, float] | None

    @property
    def unserved(self) -> str | None:
        """The language, if it is why there are no scores."""
        return self.language if self.scores is None else None


@dataclass(frozen=True)
class Classifier:
    """A scorer, or the reason why there is none; without one every comment counts as not scored."""

    name: str
    scorer: Scorer | None
    error: str | None = None

    @classmethod
    def load(cls, name: str, artefacts: str = "") -> "Classifier":
        """Loads the scorer of this name, from a folder of artefacts other than ours if one is given.

        A broken artefact is no exception here: it is reported, and comments are held.
        Raises SetupError for a name that does not exist.
        """
        if name not in SCORERS:
            raise SetupError(f"there is no scorer {name!r}; there are: {', '.join(SCORERS)}")
        try:
            scorer = load_scorer(name, Path(artefacts) if artefacts else ARTEFACTS)
        except Exception as error:  # whatever is wrong with the files, comments must still be taken in and held
            reason = str(error) if isinstance(error, ArtefactError) else f"can't be loaded ({type(error).__name__})"
            log.error("scorer %s: %s", name, reason)
            return cls(name, None, reason)
        prepare()
        return cls(f"{scorer.name}@{scorer.version}", scorer)

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Texts -> {attribute: 0..1} for each, rounded to 6 digits. Raises whatever the scorer raises."""
        if self.scorer is None:
            raise RuntimeError("no scorer")
        began = time.perf_counter()
        scored = self.scorer.score(texts)
        metrics.scored(time.perf_counter() - began, len(texts))
        return [{name: round(value, 6) for name, value in scores.items()} for scores in scored]

    def judge(self, texts: Sequence[str], *, served_language: bool = False) -> list[Judged]:
        """Texts -> their languages, and scores for those in a language that is served, or for all where the caller
        vouches that they are. Raises as `score` does."""
        if self.scorer is None:
            raise RuntimeError("no scorer")
        languages = [detect(text) for text in texts]
        fit = [served_language or served(language) for language in languages]
        wanted = [text for text, yes in zip(texts, fit, strict=True) if yes]
        scores = iter(self.score(wanted) if wanted else [])
        return [
            Judged(language.code, next(scores) if one else None) for language, one in zip(languages, fit, strict=True)
        ]

    def explain(self, text: str, attribute: str) -> tuple[Span, ...]:
        """The pieces of the text (code points) that raised this attribute most; empty when nothing stands out."""
        if self.scorer is None:
            return ()
        return tuple(sorted(Span(span.begin, span.end) for span in self.scorer.explain(text, attribute)))


def language_of(text: str) -> tuple[str, float]:
    """The language of a text, as in `Judged`, and how sure that is (0..1, no probability). Needs no scorer."""
    found = detect(text)
    return found.code, found.confidence


def undisguised(text: str) -> str:
    """The text as classifiers read it: in small letters, without what hides a word. Needs no scorer."""
    return normalise_all([text])[0]


def write_policy_figures(name: str, figures: str) -> None:
    """Puts a table into the marked section of this scorer's model card."""
    card = ARTEFACTS / name / "CARD.md"
    before, opening, rest = card.read_text("utf-8").partition("<!-- policy figures -->")
    _, closing, after = rest.partition("<!-- /policy figures -->")
    card.write_text(f"{before}{opening}\n{figures}\n{closing}{after}", "utf-8")
