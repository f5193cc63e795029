"""The tables of the model card, each from figures.json alone; an empty string where nothing was measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import fill
from typing import Any

from models.figures.metrics import Figure
from models.figures.targets import TARGETS, reach, verdict

Figures = dict[str, Any]


def number(value: Figure | None, percent: bool = False) -> str:
    """A figure with its interval."""
    if value is None:
        return "-"
    form = "{:.1%}" if percent else "{:.3f}"
    middle, low, high = (form.format(v) for v in value)
    return f"{middle} ({low} to {high})"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; empty without rows."""
    lines = [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    return "\n".join([f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads), *lines]) if lines else ""


def wrapped(text: str) -> str:
    """Markdown with its paragraphs in lines of at most 120 characters; tables, lists and comments as they are."""
    parts = text.split("\n\n")
    return "\n\n".join(
        part if part[:1] in "|-#<" else fill(part, 120, break_long_words=False, break_on_hyphens=False)
        for part in parts
    )


def section(title: str, *parts: str) -> str:
    """A heading with its parts; empty if the last part, the table, is."""
    return "\n\n".join([f"## {title}", *filter(None, parts)]) if parts[-1] else ""


def targets(columns: dict[str, Figures]) -> str:
    """Each target with every scorer's figure side by side; the verdict is that of the last scorer."""
    last = list(columns.values())[-1]
    rows = []
    for target in TARGETS:
        value = reach(last, target.path)
        if value is not None:
            bound = f"{target.limit:.0%}" if target.percent else f"{target.limit:g}"
            cells = [number(reach(figures, target.path), target.percent) for figures in columns.values()]
            rows.append(
                [target.what, f"{'at most' if target.most else 'at least'} {bound}", *cells, verdict(target, value)]
            )
    gap = last.get("identity_gap")
    note = f"Worst group of {gap['compared']} compared: {gap['group']}, {gap['rows']} comments." if gap else ""
    lead = (
        "With 95 % intervals. Met and fell short: the whole interval says so. Within the margin: the interval holds "
        f"the target, so the rows are too few to tell. {note}"
    ).strip()
    return section("What was to be reached", lead, table(["figure", "target", *columns, "verdict"], rows))


def by_attribute(figures: Figures) -> str:
    """All pools and sets."""
    other = figures.get("without_unlicensed", {}).get("attributes", {})
    heads = ["attribute", "set", "+ / -", "ROC-AUC", "PR-AUC", "recall at precision 0.9"]
    rows = [
        [a, pool, f"{f['positive']} / {f['negative']}", *(number(f[m]) for m in ("roc_auc", "pr_auc", "recall_at_p90"))]
        + ([number(reach(other, (a, pool, "roc_auc")))] if other else [])
        for a, pools in figures["attributes"].items()
        for pool, f in pools.items()
    ]
    lead = (
        "Split by a hash of the letters, so near-copies stay together. News negatives all come from the half-toxic "
        "Civil Comments sample, so PR-AUC and recall there are not those of a site with few abusive comments."
    )
    return section("Test split", lead, table(heads + (["ROC-AUC without dynahate"] if other else []), rows))


def calibration(figures: Figures, plots: str) -> str:
    """Expected calibration error by attribute."""
    rows = [
        [a, pool, f["rows"], f"{f['prevalence']:.1%}", number(f["ece"])]
        for a, pools in figures["calibration"].items()
        for pool, f in pools.items()
    ]
    lead = (
        "Mean distance between score and share of positives, ten bins by value. The natural Wikipedia sample is taken "
        f"as it is; the other pools are weighted to the share of positives in the table. Curves: [{plots}]({plots})."
    )
    return section("Calibration", lead, table(["attribute", "set", "rows", "positive", "error"], rows))


def thresholds(figures: Figures) -> str:
    """Shares held and caught at the operating points."""
    at = figures["at_thresholds"]
    civil = [[pool, f["rows"], number(f["held"], True)] for pool, f in at["civil"].items()]
    recall = [[a, f["rows"], number(f["own"], True), number(f["any"], True)] for a, f in at["recall"].items()]
    caught = table(["attribute", "positives", "caught by it", "caught by any"], recall)
    return section("At the operating points", table(["civil comments", "rows", "held"], civil), caught)


def groups(figures: Figures) -> str:
    """False holds and AUCs by group."""
    aucs = figures["group_aucs"]
    rows = [
        [name, f["rows"], number(f["held"], True), _ratio(f.get("ratio")), _ratio(f.get("ratio_alike"))]
        + [number(aucs.get(name, {}).get(m)) for m in ("subgroup_auc", "bpsn_auc", "bnsp_auc")]
        for name, f in figures["false_holds"].items()
    ]
    lead = (
        "Civil comments that mention a group (words in `models/slices.py`): natural test rows, and healthy comments "
        "under news from outside. Ratio: to the share held of all; alike: to the share held of comments of the same "
        "sets. AUC of TOXICITY over natural test rows (Borkan et al. 2019): within the group; its civil comments "
        "against abuse elsewhere (BPSN); its abuse against civil comments elsewhere (BNSP)."
    )
    heads = ["group", "civil", "held", "ratio", "alike", "subgroup AUC", "BPSN AUC", "BNSP AUC"]
    return section("Groups of people", lead, table(heads, rows))


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def slices(figures: Figures) -> str:
    """Topics of civil comments, and abuse without swear words."""
    about = [
        [topic, pool, f["rows"], number(f["held"], True)]
        for pool, found in figures["topics"].items()
        for topic, f in found.items()
    ]
    lead = table(["civil comments about", "from", "rows", "held"], about)
    clean = [[name, f["rows"], number(f["caught"], True)] for name, f in figures["no_swearing"].items()]
    tail = table(["abuse without a word of the lexicon", "rows", "caught"], clean)
    return section("Slices", *filter(None, [lead, tail])) if lead or tail else ""


def outside(figures: Figures) -> str:
    """Sets that are only validated, and pairs."""
    rows = [
        [
            name,
            f"`{f['set']}`",
            f"{f['attribute']}: {f['meaning']}" if "abusive_rows" in f else f["meaning"],
            number(f.get("roc_auc")),
        ]
        + [number(f.get(part), True) for part in ("civil_held", "abusive_held")]
        for name, f in figures["outside"].items()
    ]
    lead = (
        "Never trained on: their licences don't allow it or don't say. Rows that also stand in the training data are "
        "left out. Their labels were not made for these attributes, and tweets and forums are not comments under news."
    )
    right = [f"{n} {number(f['right'], True)} of {f['pairs']} pairs" for n, f in figures["pairs"].items()]
    note = f"The rude text scores above the same thought put civilly: {'; '.join(right)}." if right else ""
    heads = ["check", "set", "label", "ROC-AUC", "civil held", "abusive held"]
    return section("From outside", lead, note, table(heads, rows))


def perspective(figures: Figures) -> str:
    """Agreement with the API that is going away."""
    rows = [
        [a, f["rows"], number(f["pearson"]), number(f["spearman"]), f["high"], number(f.get("roc_auc_of_high"))]
        for a, f in figures["perspective"].items()
    ]
    both, lead = figures["perspective_on_labels"], ""
    if both:
        theirs, ours = (number(both["roc_auc"][whose]) for whose in ("perspective", "ours"))
        lead = (
            f"On the natural Wikipedia sample ({both['rows']} test rows, {both['positive']} toxic) its ROC-AUC against "
            f"the raters is {theirs}, that of this scorer {ours}. "
            f"Between the two: Pearson {number(both['pearson'])}, Spearman {number(both['spearman'])}."
        )
    heads = ["attribute", "rows", "Pearson", "Spearman", "Perspective at 0.8 or more", "our ROC-AUC for those"]
    return section("Beside Perspective", lead, table(heads, rows))


def peers(figures: Figures) -> str:
    """Other libraries on the same rows."""
    found = figures["peers"]
    names = list(next(iter(found.values()), {}))
    rows = [[what, *(number(f[n]) if f[n] else "not installed" for n in names)] for what, f in found.items()]
    lead = (
        "ROC-AUC on the same test rows. VADER: its negative sentiment. scikit-learn baseline: HashingVectorizer (words "
        "1-2, characters 3-5) and LogisticRegression on the same training rows and weights for TOXICITY. "
        "alt-profanity-check says that it was trained on the Wikipedia comments and tweets that our sets come from, so "
        "it has probably seen these test rows."
    )
    return section("Beside other libraries", lead, table(["test rows", *names], rows))


def robustness(figures: Figures) -> str:
    """What disguises of abuse cost."""
    found = figures.get("robustness")
    if not found:
        return ""
    rows = [[name, number(f["loss"], True), number(f["alarms"], True)] for name, f in found["attacks"].items()]
    rows.append(["mean", number(found["mean_loss"], True), "-"])
    lead = (
        f"Each attack disguises the words that the scorer itself finds strongest, in {found['held']} abusive test "
        f"comments that are held as they stand and {found['passed']} civil ones that are not."
    )
    return section("Disguises", lead, table(["attack", "recall lost", "civil then held"], rows))


def own_sentences(figures: Figures) -> str:
    """Our own sentences."""
    found = figures["own_sentences"]
    names = sorted({a for f in found.values() for a in f if a != "rows"})
    rows = [[f"`{file}`", f["rows"], *(number(f.get(a)) for a in names)] for file, f in found.items()]
    lead = "Written for this project (`models/evaluation/`), never trained or tuned on. ROC-AUC of the abusive ones:"
    return section("Sentences of our own", lead, table(["file", "lines", *names], rows))
