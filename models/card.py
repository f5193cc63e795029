"""CARD.md from the manifest: every figure is read from there, none is typed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from models.artefacts import CARD

_OPEN, _CLOSE = "<!-- policy figures -->", "<!-- /policy figures -->"
_POLICY = re.compile(f"{_OPEN}.*?{_CLOSE}", re.DOTALL)
_TRUST = {
    "TOXICITY": "Good on news and talk pages. Label: half or more of the raters said toxic.",
    "SEVERE_TOXICITY": "Fair. Wikipedia labels alone; it ranks, its value says little.",
    "INSULT": "Good where a word gives it away. Wikipedia labels and marked spans in news comments.",
    "PROFANITY": "Good: it is about words. Wikipedia labels, marked spans, tweets.",
    "THREAT": "Weak: few real positives; the rest are tweets and sentences of our own.",
    "IDENTITY_ATTACK": "Weak to fair: the words give some of it away, the meaning is mostly beyond n-grams.",
    "SPAM": "Fair on the kinds it has seen (YouTube, text messages, replies on X); no labelled spam from news sites.",
}
_MARKS = {  # the ROC-AUC that each attribute should reach
    "TOXICITY": 0.94,
    "INSULT": 0.97,
    "PROFANITY": 0.98,
    "THREAT": 0.97,
    "IDENTITY_ATTACK": 0.95,
    "SPAM": 0.98,
}
_INTRO = """# Model card: linear

Scores English reader comments from 0 to 1 for seven attributes. Hashed character 3-5-grams and words 1-2 after Unicode
normalisation, one logistic regression per attribute fitted by scikit-learn, Platt calibration per attribute; applied
with numpy. Every number below comes from `manifest.json`, written by `python -m models.evaluate`.

## Intended use

To pick comments that a person should look at before (or after) they are published, on an English-language site with
articles. Not for rejecting without a person, not for judging people, not for other languages.

**n-grams know words, not meaning.** Sarcasm, quotation ("he called them ..."), denial, counter-speech and insults
without a tell-tale word are beyond this scorer: it misses some and holds some that argue against abuse. Read a score as
"texts with such words were often rated so".
"""


def _interval(values: list[float]) -> str:
    return f"{values[0]:.3f} ({values[1]:.3f}-{values[2]:.3f})"


def _attributes(manifest: dict[str, Any]) -> str:
    lines = [
        "## Attributes",
        "",
        "| attribute | how far to trust it | calibrated to | threshold |",
        "| --- | --- | --- | --- |",
    ]
    points = manifest["operating_points"]["thresholds"]
    for name in manifest["attributes"]:
        share = manifest["calibrated_to"][name]
        lines.append(f"| {name} | {_TRUST[name]} | {share:.1%} positive | {points[name]:.3f} |")
    lines += [
        "",
        "A score is the probability that raters would say yes if the stated share of comments were positive; where",
        "a set has only majority labels, that the majority would. Thresholds:",
        f"{manifest['operating_points']['chosen_on']}.",
    ]
    return "\n".join(lines)


def _figures(manifest: dict[str, Any]) -> str:
    lines = [
        "## Figures on the test split",
        "",
        "Split by a hash of the text, 10 % of each set. 95 % bootstrap intervals. News negatives all come from the",
        "balanced Civil Comments sample, so PR-AUC and recall there are not those of a site with few abusive comments.",
        "ROC-AUC in the last column: the same fit without sets that have no written licence.",
        "",
        "| attribute | set | + / - | ROC-AUC | PR-AUC | recall at precision 0.9 | without |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    other = manifest.get("without_unlicensed", {}).get("figures", {})
    for attribute, pools in manifest["figures"].items():
        for pool, f in pools.items():
            alone = other.get(attribute, {}).get(pool)
            cells = [
                attribute,
                pool,
                f"{f['positive']} / {f['negative']}",
                _interval(f["roc_auc"]),
                _interval(f["pr_auc"]),
            ]
            cells += [_interval(f["recall_at_p90"]), f"{alone['roc_auc'][0]:.3f}" if alone else "-"]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _thresholds(manifest: dict[str, Any]) -> str:
    at = manifest["at_operating_points"]
    lines = [
        "## At the operating points, test split",
        "",
        f"Of {at['civil_rows']} civil comments (news and Wikipedia counted half each) {at['civil_held']:.1%} would be",
        "held by any attribute.",
        "",
        "| attribute | civil held by it | positives | caught by it | caught by any |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, f in at["recall"].items():
        lines.append(f"| {name} | {at['civil_held_by'][name]:.2%} | {f['rows']} | {f['own']:.1%} | {f['any']:.1%} |")
    lines += [
        "",
        "Civil texts that mention a group (word list in `models/slices.py`; with the Wikipedia article sentences):",
        "",
        "| group | rows | held |",
        "| --- | --- | --- |",
    ]
    lines += [f"| {g} | {f['rows']} | {f['held']:.1%} |" for g, f in at["groups"].items()]
    return "\n".join(lines)


def _war_stories(manifest: dict[str, Any]) -> str:
    found = manifest.get("war_stories")
    if not found:
        return ""
    lines = [
        "## Comments under a war story",
        "",
        f"{found['rows']} sentences of our own (`models/evaluation/war_stories.jsonl`), never trained or tuned on.",
        "ROC-AUC of each kind of abuse against all civil sentences:",
        "",
        "| kind | TOXICITY | IDENTITY_ATTACK | THREAT |",
        "| --- | --- | --- | --- |",
    ]
    for kind, f in found.items():
        if kind != "rows":
            lines.append(f"| {kind} | {f['TOXICITY']:.3f} | {f['IDENTITY_ATTACK']:.3f} | {f['THREAT']:.3f} |")
    return "\n".join(lines)


def _data(manifest: dict[str, Any]) -> str:
    lines = ["## Data", "", "| set | licence | rows after merging copies |", "| --- | --- | --- |"]
    lines += [f"| {name} | {f['licence']} | {f['rows']} |" for name, f in manifest["sets"].items()]
    lines += [
        "",
        "`dynahate` has no written licence; its authors publish it openly and invite use with citation: B. Vidgen,",
        "T. Thrush, Z. Waseem, D. Kiela, *Learning from the Worst*, arXiv 2012.15761. `python -m models.train",
        "--without-unlicensed` leaves it out. Sets under share-alike, non-commercial or unclear terms are not used.",
        "`own-templates` are sentences of our own: peoples and war named harmlessly, and threats, contempt and",
        "insults; they are trained on, never tested on. A label that a set does not state is missing; a comment rated",
        "not toxic counts as negative for every kind of abuse.",
    ]
    return "\n".join(lines)


def _short(manifest: dict[str, Any]) -> str:
    """Every figure under its mark, so that weak spots can't be left out."""
    lines = ["## What fell short", ""]
    for attribute, mark in _MARKS.items():
        for pool, f in manifest["figures"].get(attribute, {}).items():
            if f["roc_auc"][0] < mark:
                lines.append(f"- {attribute} on {pool}: ROC-AUC {_interval(f['roc_auc'])}, below {mark}")
    return "\n".join(lines)


def write_card(folder: Path, manifest: dict[str, Any]) -> None:
    """Write CARD.md beside the manifest, keeping the section that holds the service's policy figures."""
    path = folder / CARD
    kept = _POLICY.search(path.read_text(encoding="utf-8")) if path.exists() else None
    policy = kept[0] if kept else f"{_OPEN}\n{_CLOSE}"
    parts = [_INTRO.strip(), _attributes(manifest), _figures(manifest), _thresholds(manifest), _war_stories(manifest)]
    parts += [policy, _short(manifest), _data(manifest)]
    path.write_text("\n\n".join(part for part in parts if part) + "\n", encoding="utf-8")
