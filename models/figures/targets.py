"""What the project set out to reach, and whether a scorer's figures reach it. Judged by intervals, not by luck."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from models.figures.metrics import Figure
from models.figures.people import ANY_TOPIC, RATIO
from models.figures.test_split import NATURAL_WIKIPEDIA, NEWS, WIKIPEDIA

HATE_SETS = (
    "dynahate",
    "hatemoji-build",
    "measuring-hate-speech",
    "implicit-hate",
    "hatexplain",
    "edos-sexism",
    "guest-misogyny-reddit",
    "gab-hate-corpus",
    "fox-news-comments",
    "mlma-hate",
    "toxigen-demonstrations",
)


@dataclass(frozen=True)
class Target:
    """A figure of figures.json, by the keys that lead to it, and the least (or, with `most`, largest) value wanted."""

    what: str
    path: tuple[str, ...]
    limit: float
    most: bool = False
    percent: bool = False


def _auc(attribute: str, pool: str, limit: float) -> Target:
    return Target(f"{attribute}, {pool}: ROC-AUC", ("attributes", attribute, pool, "roc_auc"), limit)


def _error(attribute: str, pool: str) -> Target:
    return Target(f"{attribute}, {pool}: calibration error", ("calibration", attribute, pool, "ece"), 0.03, most=True)


def _share(what: str, path: tuple[str, ...], limit: float, most: bool = True) -> Target:
    return Target(what, path, limit, most, percent=True)


TARGETS: tuple[Target, ...] = (
    _auc("TOXICITY", "civil-comments-balanced", 0.94),
    _auc("TOXICITY", NATURAL_WIKIPEDIA, 0.975),
    _auc("TOXICITY", "jigsaw-wiki-binary", 0.975),
    _auc("TOXICITY", WIKIPEDIA, 0.975),
    _auc("INSULT", WIKIPEDIA, 0.97),
    _auc("INSULT", NEWS, 0.97),
    _auc("PROFANITY", WIKIPEDIA, 0.98),
    _auc("PROFANITY", NEWS, 0.98),
    _auc("THREAT", WIKIPEDIA, 0.97),
    _auc("IDENTITY_ATTACK", WIKIPEDIA, 0.95),
    _auc("IDENTITY_ATTACK", NEWS, 0.95),
    _auc("SPAM", "youtube-spam", 0.98),
    *(_auc("IDENTITY_ATTACK", name, 0.85) for name in HATE_SETS),
    *(_error("TOXICITY", pool) for pool in (NATURAL_WIKIPEDIA, NEWS)),
    *(_error(a, WIKIPEDIA) for a in ("SEVERE_TOXICITY", "INSULT", "PROFANITY", "THREAT", "IDENTITY_ATTACK")),
    *(
        _share(f"civil news comments about {topic} held", ("topics", NEWS, topic, "held"), 0.03)
        for topic in ("war", "nations", "faiths", "sexuality", ANY_TOPIC)
    ),
    *(
        _share(f"{name} held", ("outside", name, "civil_held"), 0.2)
        for name in ("counter-speech, written", "counter-speech, replies")
    ),
    _share("direct abuse without swear words caught", ("no_swearing", "direct", "caught"), 0.85, most=False),
    Target("false holds of the worst group over all", ("identity_gap", "ratio"), RATIO, most=True),
    _share("recall lost to disguises, mean", ("robustness", "mean_loss"), 0.05),
    _share("recall lost to the worst disguise", ("robustness", "worst_loss"), 0.12),
)  # fmt: skip


def reach(figures: dict[str, Any], path: tuple[str, ...]) -> Figure | None:
    """The figure at the end of the path, None if it was not measured."""
    found: Any = figures
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, list) else None


def verdict(target: Target, value: Figure) -> str:
    """By the interval: met or fell short if all of it lies on one side, else which side the value lies on."""
    middle, low, high = value if target.most else (-value[0], -value[2], -value[1])
    limit = target.limit if target.most else -target.limit
    if high <= limit:
        return "met"
    if middle <= limit:
        return "met, within the margin"
    return "short, within the margin" if low <= limit else "fell short"


def judged(figures: dict[str, Any]) -> Iterator[tuple[Target, Figure, str]]:
    """Every target that was measured, with the value and the verdict."""
    for target in TARGETS:
        value = reach(figures, target.path)
        if value is not None:
            yield target, value, verdict(target, value)
