"""CARD.md from manifest.json and figures.json: every figure is read from there, none is typed."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models import ARTEFACTS, SCORERS
from models.artefacts import CARD, read_manifest
from models.figures import sections
from models.figures.judges import FIGURES
from models.figures.sections import Figures, number, section, table
from models.figures.targets import judged, reach
from models.figures.test_split import NATURAL_WIKIPEDIA, NEWS, WIKIPEDIA
from models.scorer import ArtefactError

_OPEN, _CLOSE = "<!-- policy figures -->", "<!-- /policy figures -->"
_POLICY = re.compile(f"{_OPEN}.*?{_CLOSE}", re.DOTALL)
_PLOTS = ARTEFACTS.parents[1] / "docs" / "evaluation"
_BESIDE = {"cascade": ("linear", "encoder")}  # what a scorer is made of, shown beside it
_GOOD, _FAIR = 0.95, 0.85  # of the lower end of ROC-AUC
_WHAT = {
    "linear": "Hashed character 3-5-grams and words 1-2 after Unicode normalisation, one logistic regression per "
    "attribute fitted by scikit-learn, calibrated per attribute; applied with numpy. **n-grams know words, "
    "not meaning:** quotation, denial, counter-speech and insults without a tell-tale word are beyond this "
    "scorer.",
    "encoder": "A small sentence encoder, fine-tuned on several attributes at once (missing labels are masked), "
    "exported to ONNX with 8-bit weights, with a head per attribute. It reads meaning where n-grams read words, and "
    "may still miss irony, context that stands outside the comment, and spellings that it never met.",
    "cascade": "`linear` first; `encoder` where linear is unsure or the text mentions people, groups, violence or "
    "quotes; the two combined per attribute by a model fitted on rows that neither was trained on. It knows "
    "the comment alone: not the article, not the thread, not who speaks to whom.",
}
_USE = (
    "To pick comments that a person should look at before (or after) they are published, on an English-language "
    "site with articles. Not for rejecting without a person, not for judging people, not for other languages. A "
    "score is the probability that raters would say yes if the stated share of comments were positive; where a set "
    "has only majority labels, that the majority would."
)
# attribute -> where its labels come from, and the pool that says how far to trust it
_LABELS = {
    "TOXICITY": ("half or more of the raters said toxic: news and talk pages", "civil-comments-balanced"),
    "SEVERE_TOXICITY": ("Wikipedia talk pages alone", WIKIPEDIA),
    "INSULT": ("Wikipedia talk pages, marked spans in news comments", NEWS),
    "PROFANITY": ("Wikipedia talk pages, marked spans in news comments, tweets", WIKIPEDIA),
    "THREAT": ("few on talk pages; tweets, and sentences of our own", WIKIPEDIA),
    "IDENTITY_ATTACK": (
        "hate sets of many kinds, written and found; talk pages; marked spans in news comments",
        "dynahate",
    ),
    "SEXUALLY_EXPLICIT": ("few: chats with machines, moderation samples; words say most of it", "openai-moderation"),
    "SPAM": ("comments under videos, text messages, replies on X; sentences of our own", "youtube-spam"),
}


def _attributes(manifest: dict[str, Any], figures: Figures) -> str:
    points = manifest.get("operating_points", {})
    rows = []
    for name in manifest["attributes"]:
        source, pool = _LABELS[name]
        value = reach(figures, ("attributes", name, pool, "roc_auc"))
        share, limit = manifest["calibrated_to"].get(name), points.get("thresholds", {}).get(name)
        cells = [f"{share:.1%}" if share else "-", f"{limit:.3f}" if limit is not None else "-"]
        rows.append([name, source, f"{_trust(value)}: {number(value)} on {pool}" if value else _trust(value), *cells])
    heads = ["attribute", "labels", "how far to trust it (ROC-AUC)", "positive share calibrated to", "threshold"]
    lead = (
        f"Trust: good if all of the interval lies above {_GOOD:g}, fair above {_FAIR:g}, else weak; unknown where the "
        f"test rows are too few. Thresholds, {points.get('chosen_on', 'not chosen')}."
    )
    return section("Attributes", lead, table(heads, rows))


def _trust(value: list[float] | None) -> str:
    if value is None:
        return "unknown"
    return "good" if value[1] >= _GOOD else "fair" if value[1] >= _FAIR else "weak"


def _short(figures: Figures) -> str:
    lines = [
        f"- {target.what}: {number(value, target.percent)}, {'above' if target.most else 'below'} "
        f"{f'{target.limit:.0%}' if target.percent else f'{target.limit:g}'} ({said})"
        for target, value, said in judged(figures)
        if not said.startswith("met")
    ]
    return section("What fell short", "\n".join(lines) or "Nothing of what was measured.")


def _without(figures: Figures) -> str:
    """The main figures of a fit that left out the set without a written licence."""
    other = figures.get("without_unlicensed")
    if not other:
        return ""
    paths = [(attribute, pool) for attribute, (_, pool) in _LABELS.items()]
    paths += [("TOXICITY", NATURAL_WIKIPEDIA), ("IDENTITY_ATTACK", WIKIPEDIA), ("IDENTITY_ATTACK", "hatemoji-build")]
    rows = [
        [
            f"{attribute}, {pool}",
            *(number(reach(one, ("attributes", attribute, pool, "roc_auc"))) for one in (figures, other)),
        ]
        for attribute, pool in paths
        if reach(figures, ("attributes", attribute, pool, "roc_auc"))
    ]
    lead = "The same training without `dynahate`, on the same test rows. ROC-AUC:"
    return section("Without sets that lack a written licence", lead, table(["test rows", "with", "without"], rows))


def _data(manifest: dict[str, Any]) -> str:
    sets = manifest.get("sets", {})
    tail = (
        "`dynahate` has no written licence; its authors publish it openly and invite use with citation: B. Vidgen, "
        "T. Thrush, Z. Waseem, D. Kiela, *Learning from the Worst: Dynamically Generated Datasets to Improve Online "
        "Hate Detection*, ACL 2021, arXiv 2012.15761. `--without-unlicensed` trains without it. Sets under "
        "share-alike, non-commercial or unclear terms are measured at most, never trained on. Sentences of our own "
        "name peoples and war harmlessly, or threaten, insult and advertise; they are trained on, never tested on. "
        "A label that a set does not state is missing; a comment rated not toxic counts as negative for every kind "
        "of abuse."
    )
    rows = [[name, one["licence"], one["rows"]] for name, one in sets.items()]
    return section("Data", tail, table(["set", "licence", "rows after merging copies"], rows))


def _columns(folder: Path, figures: Figures) -> dict[str, Figures]:
    """The figures to show side by side, by scorer; the card's own last."""
    out = {}
    for name in _BESIDE.get(folder.name, ()):
        path = folder.parent / name / FIGURES
        if path.exists():
            out[name] = json.loads(path.read_text(encoding="utf-8"))
    return {**out, folder.name: figures}


def render(name: str, manifest: dict[str, Any], columns: dict[str, Figures], policy: str) -> str:
    """The card of the last scorer in `columns` as Markdown; `policy` is the section that the service writes."""
    figures = list(columns.values())[-1]
    plots = os.path.relpath(_PLOTS / name, ARTEFACTS / name)
    parts = [
        f"# Model card: {name}",
        f"Scores English reader comments from 0 to 1 for {len(manifest['attributes'])} attributes. {_WHAT[name]}",
        "Every number below comes from `manifest.json` and `figures.json`, written by `python -m models.evaluate` and "
        "`moderation evaluate`.",
        section("Intended use", _USE),
        sections.targets(columns),
        _short(figures),
        _attributes(manifest, figures),
        "## Under the default policy",
        policy,
        sections.thresholds(figures),
        sections.groups(figures),
        sections.slices(figures),
        sections.robustness(figures),
        sections.calibration(figures, plots),
        sections.by_attribute(figures),
        sections.outside(figures),
        sections.perspective(figures),
        sections.peers(figures),
        sections.own_sentences(figures),
        _without(figures),
        _data(manifest),
    ]
    return "\n\n".join(sections.wrapped(part) for part in parts if part) + "\n"


def write_card(folder: Path) -> None:
    """Write CARD.md of the artefact in `folder`, keeping the section that holds the service's policy figures.

    Raises ArtefactError without manifest or figures.
    """
    try:
        figures = json.loads((folder / FIGURES).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtefactError(f"{FIGURES} of {folder.name} can't be read; run python -m models.evaluate") from error
    path = folder / CARD
    kept = _POLICY.search(path.read_text(encoding="utf-8")) if path.exists() else None
    policy = kept[0] if kept else f"{_OPEN}\n{_CLOSE}"
    text = render(folder.name, read_manifest(folder), _columns(folder, figures), policy)
    path.write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the cards anew from the figures that there are; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.card", description=__doc__)
    parser.add_argument("--scorer", nargs="+", choices=SCORERS, default=list(SCORERS), help="default: all")
    try:
        for name in parser.parse_args(arguments).scorer:
            write_card(ARTEFACTS / name)
    except ArtefactError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
