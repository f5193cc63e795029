"""Who pays for mistakes: figures by identity group, by topic, and for abuse without swear words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.datasets import Table
from models.figures.metrics import Bools, Floats, borkan, wilson
from models.figures.test_split import NEWS, POOLS, WIKIPEDIA, held, natural_rows
from models.scorer import ATTRIBUTES
from models.slices import TERMS, TOPICS, groups_in, topics_in

COMPARED = 100  # rows that a group needs to be compared with the rest
LISTED = 30  # and to be listed
RATIO = 1.3  # a group's false holds over the overall rate, at most
OUTSIDE = "news, from outside"
ANY_TOPIC = "any of them"


@dataclass(frozen=True)
class Civil:
    """Civil comments at natural mix, none of them fitted on: which are held, and the pool that each came from."""

    texts: list[str]
    held: Bools
    pool: NDArray[np.str_]


def civil(table: Table, scores: Floats, outside: tuple[Sequence[str], Floats], thresholds: dict[str, float]) -> Civil:
    """The natural test rows rated civil, and healthy comments under news from outside (texts, scores)."""
    rows = natural_rows(table) & (table.labels[:, 0] == 0)
    pool = np.where(np.isin(table.source[rows], POOLS[NEWS]), NEWS, WIKIPEDIA)
    texts = [text for text, keep in zip(table.texts, rows, strict=True) if keep]
    caught = held(np.concatenate([scores[rows], outside[1]]), thresholds)
    return Civil([*texts, *outside[0]], caught, np.append(pool, [OUTSIDE] * len(outside[0])))


def _share(caught: Bools) -> dict[str, Any]:
    return {"rows": len(caught), "held": wilson(int(caught.sum()), len(caught))}


def _members(names: Sequence[str], found: Sequence[Sequence[str]]) -> dict[str, Bools]:
    sets = [set(one) for one in found]
    return {name: np.array([name in one for one in sets], bool) for name in names}


def false_holds(rows: Civil) -> dict[str, dict[str, Any]]:
    """By group: civil rows, share held with interval, its ratio to the overall rate, and to what its mix of pools
    would give if the group did not matter."""
    if not rows.texts:
        return {}
    overall = float(rows.held.mean())
    rates = {pool: float(rows.held[rows.pool == pool].mean()) for pool in np.unique(rows.pool)}
    usual = np.array([rates[pool] for pool in rows.pool])
    out = {"all": _share(rows.held)}
    for group, inside in _members(list(TERMS), [groups_in(text) for text in rows.texts]).items():
        if inside.sum() >= LISTED:
            share = float(rows.held[inside].mean())
            out[group] = _share(rows.held[inside])
            out[group]["ratio"] = round(share / overall, 2) if overall else None
            out[group]["ratio_alike"] = round(share / float(usual[inside].mean()), 2) if usual[inside].any() else None
            out[group]["compared"] = bool(inside.sum() >= COMPARED)
    return out


def identity_gap(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The group that is worst off among those that are compared: its share of false holds over the overall share."""
    overall = found["all"]["held"][0] if found else 0.0
    groups = {name: one for name, one in found.items() if one.get("compared") and name not in TOPICS["war"]}
    if not overall or not groups:
        return {}
    ratios = {name: [round(value / overall, 2) for value in one["held"]] for name, one in groups.items()}
    worst = max(ratios, key=lambda name: (ratios[name][1] > RATIO, ratios[name][0]))
    over = [name for name, ratio in ratios.items() if ratio[1] > RATIO]
    return {
        "group": worst,
        "rows": groups[worst]["rows"],
        "ratio": ratios[worst],
        "compared": len(groups),
        "over": over,
    }


def group_aucs(table: Table, scores: Floats) -> dict[str, dict[str, Any]]:
    """Subgroup, BPSN and BNSP AUC of TOXICITY over the natural test rows, groups of at least LISTED rows."""
    rows = natural_rows(table) & ~np.isnan(table.labels[:, 0])
    texts = [text for text, keep in zip(table.texts, rows, strict=True) if keep]
    label, score = table.labels[rows, 0], scores[rows, 0]
    out: dict[str, dict[str, Any]] = {}
    for group, inside in _members(list(TERMS), [groups_in(text) for text in texts]).items():
        if inside.sum() >= LISTED and (found := borkan(label, score, inside)):
            out[group] = {"rows": int(inside.sum()), "positive": int(label[inside].sum()), **found}
    return out


def topics(rows: Civil) -> dict[str, dict[str, Any]]:
    """Share of civil comments held, by pool and by what they mention."""
    found = [topics_in(text) for text in rows.texts]
    members = _members(list(TOPICS), found)
    members[ANY_TOPIC] = np.array([bool(one) for one in found], bool)
    out: dict[str, dict[str, Any]] = {}
    for pool in np.unique(rows.pool):
        inside = rows.pool == pool
        out[str(pool)] = {n: _share(rows.held[m & inside]) for n, m in members.items() if (m & inside).any()}
    return out


def without_swearing(table: Table, caught: Bools, swears: Callable[[str], bool]) -> dict[str, dict[str, Any]]:
    """Recall of test rows that are abusive and hold no word of the lexicon; "direct": insults and threats."""
    abusive = (table.labels == 1).any(axis=1)
    clean = np.array([bad and not swears(text) for bad, text in zip(abusive, table.texts, strict=True)], bool)
    kind = {a: table.labels[:, i] == 1 for i, a in enumerate(ATTRIBUTES)}
    natural = natural_rows(table)
    slices = {
        "direct": natural & (kind["INSULT"] | kind["THREAT"]),
        "insults": kind["INSULT"],
        "threats": kind["THREAT"],
        "group attacks": kind["IDENTITY_ATTACK"],
        "toxic comments": natural & kind["TOXICITY"],
    }
    found = {name: rows & clean for name, rows in slices.items()}
    return {
        name: {"rows": int(rows.sum()), "caught": wilson(int(caught[rows].sum()), int(rows.sum()))}
        for name, rows in found.items()
        if rows.any()
    }
