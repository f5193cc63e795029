"""What changes when our score takes the place of Coral's old one."""

import textwrap
from collections.abc import Sequence
from typing import Any

from moderation.services.agreement import Estimate, auc, auc_gain, spearman, threshold_holding
from moderation.services.coral_import import Imported, Pairs, summary

CAVEAT = (
    "Decisions exist only where somebody looked: mostly at reported and withheld comments, and the old score chose "
    "many of these. A rejection may also be Coral's own, by a word list. The figures say how well each score orders "
    "such comments, not all comments."
)
_SHOWN = 20


def report(done: Imported, old_threshold: float) -> dict[str, Any]:
    """Figures for the attribute that most old scores are of; `agreement` is None where there is no old score."""
    if not done.pairs:
        return summary(done) | {"agreement": None}
    attribute, pairs = max(done.pairs.items(), key=lambda item: len(item[1].ids))
    others = {name: len(other.ids) for name, other in done.pairs.items() if name != attribute}
    return summary(done) | {"agreement": {
        "attribute": attribute, "comments": len(pairs.ids), "other_attributes": others,
        "rank_correlation": _estimate(spearman(pairs.old, pairs.new)),
        "threshold": _threshold(pairs, old_threshold), "moderated": _moderated(pairs),
    }}  # fmt: skip


def _threshold(pairs: Pairs, old_threshold: float) -> dict[str, Any]:
    before = [score > old_threshold for score in pairs.old]  # as Coral compares
    found = threshold_holding(pairs.new, sum(before))
    now = [bool(found) and score >= found[0] for score in pairs.new] if found else [False] * len(before)
    changed = [
        {"id": id, "old": round(old, 6), "new": new, "now": "held" if is_held else "passed", "decided": decided}
        for id, old, new, decided, was, is_held in zip(
            pairs.ids, pairs.old, pairs.new, map(_word, pairs.decided), before, now, strict=True
        )
        if was != is_held
    ]
    changed.sort(key=lambda one: -abs(one["new"] - one["old"]))
    return {
        "old": old_threshold, "old_holds": sum(before), "new": found[0] if found else None, "new_holds": sum(now),
        "newly_held": sum(one["now"] == "held" for one in changed),
        "no_longer_held": sum(one["now"] == "passed" for one in changed), "changed": changed,
    }  # fmt: skip


def _word(decided: int) -> str | None:
    return {0: "approved", 1: "rejected"}.get(decided)


def _moderated(pairs: Pairs) -> dict[str, Any]:
    rows = [(old, new, bool(by)) for old, new, by in zip(pairs.old, pairs.new, pairs.decided, strict=True) if by >= 0]
    old, new, rejected = [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]
    return {
        "approved": len(rows) - sum(rejected), "rejected": sum(rejected),
        "auc_old": _estimate(auc(old, rejected)), "auc_new": _estimate(auc(new, rejected)),
        "auc_gain": _estimate(auc_gain(new, old, rejected)), "caveat": CAVEAT,
    }  # fmt: skip


def _estimate(found: Estimate | None) -> dict[str, float] | None:
    return {name: round(value, 4) for name, value in vars(found).items()} if found else None


_COUNTS = {
    "read": "comments read", "stored": "stored with the status they had", "here_before": "were here before",
    "other_text_here": "are here with another text, and were left as they are", "undecided": "undecided, not stored",
    "deleted": "deleted in Coral", "no_text": "without words", "bad_lines": "lines that can't be used",
    "language_not_served": "old scores of texts in a language that is not scored here",
    "score_of_unknown_attribute": "old scores of an attribute that is not scored here",
    "not_scored": "that our classifier failed on",
}  # fmt: skip


def as_text(figures: dict[str, Any]) -> str:
    """The report for a terminal; it holds ids and numbers, never a text."""
    counts = figures["counts"]
    lines = [f"{counts[name]:>9} {words}" for name, words in _COUNTS.items() if counts.get(name)]
    lines += [f"          {bad}" for bad in figures["bad_lines"]]
    found = figures["agreement"]
    if found is None:
        return "\n".join([*lines, "", "There are no old scores to compare with."])
    return "\n".join(
        [*lines, "", *_agreement(found), "", *_changes(found["threshold"]), "", *_decisions(found["moderated"])]
    )


def _agreement(found: dict[str, Any]) -> Sequence[str]:
    others = ", ".join(f"{count} of {name}" for name, count in found["other_attributes"].items())
    return [
        f"{found['comments']} comments have an old score of {found['attribute']}.",
        *([f"Not compared: {others}."] if others else []),
        f"Rank correlation of the old score with ours: {_shown(found['rank_correlation'])}.",
    ]


def _changes(found: dict[str, Any]) -> Sequence[str]:
    if found["new"] is None:
        return [f"The old score is above {found['old']} nowhere, so no threshold of ours holds as many."]
    first, more = found["changed"][:_SHOWN], len(found["changed"]) - _SHOWN
    return [
        f"The old score is above {found['old']} for {found['old_holds']}. Ours holds as many at {found['new']} "
        f"({found['new_holds']}).",
        f"At these: {found['newly_held']} newly held, {found['no_longer_held']} no longer held.",
        *(f"  {one['id']}  old {one['old']:.3f}  new {one['new']:.3f}  {one['now']}" for one in first),
        *([f"  and {more} more, in the file of --report"] if more > 0 else []),
    ]


def _decisions(found: dict[str, Any]) -> Sequence[str]:
    if not found["approved"] and not found["rejected"]:
        return ["None of them was approved or rejected, so there is nothing to hold the two scores against."]
    return [
        f"Of these {found['approved']} were approved and {found['rejected']} rejected in the end. How often a rejected "
        "one scores above an approved one (AUC):",
        f"  old score {_shown(found['auc_old'])}",
        f"  our score {_shown(found['auc_new'])}",
        f"  ours less the old one {_shown(found['auc_gain'])}",
        *textwrap.wrap(CAVEAT, 100),
    ]


def _shown(estimate: dict[str, float] | None) -> str:
    if estimate is None:
        return "too few to say"
    return f"{estimate['value']:.3f} (95 % interval {estimate['low']:.3f} to {estimate['high']:.3f})"
