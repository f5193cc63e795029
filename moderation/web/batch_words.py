"""What the pages of a batch say."""

from flask_babel import gettext as _
from flask_babel import ngettext

from moderation.errors import ModerationError
from moderation.services.histogram import Histogram, Scope
from moderation.store.workspace import Batch
from moderation.web.score_chart import count, span
from moderation.web.words import ATTRIBUTE_WORDS
from moderation.web.words import said as sentence


def attribute(name: str) -> str:
    """An attribute's name on the page."""
    return str(ATTRIBUTE_WORDS[name][0]) if name in ATTRIBUTE_WORDS else name


def waiting(number: int, scope: Scope, low: float, high: float) -> str:
    """What waits in a range."""
    return ngettext(
        "%(count)s comment waits with “%(attribute)s” %(range)s",
        "%(count)s comments wait with “%(attribute)s” %(range)s",
        number, count=count(number), attribute=attribute(scope.attribute), range=span(low, high),
    )  # fmt: skip


def cut(shown: Histogram, most: int) -> list[str]:
    """What the bars that were cut stand for."""
    return [
        _("The bar %(range)s is cut: %(count)s wait there.", range=span(bin.low, bin.high), count=count(bin.waiting))
        for bin in shown.bins
        if bin.waiting > most
    ]


def scale(end: float) -> str:
    """A scale in the list of scales."""
    return _("0 to 1") if end >= 1 else _("0 to %(end)s, enlarged", end=end)


def width(bins: int) -> str:
    """A number of bins in the list of them."""
    words = {20: _("Narrow (20)"), 10: _("Wider (10)"), 5: _("Widest (5)")}
    return words[bins]


def deed(action: str, number: int) -> str:
    """What the button of a batch says."""
    words = {
        "approve": ngettext("Approve %(count)s comment", "Approve %(count)s comments", number, count=count(number)),
        "reject": ngettext("Reject %(count)s comment", "Reject %(count)s comments", number, count=count(number)),
        "escalate": ngettext("Escalate %(count)s comment", "Escalate %(count)s comments", number, count=count(number)),
    }
    return words[action]


def done(action: str, number: int) -> str:
    """What was done."""
    words = {
        "approve": ngettext("%(count)s comment approved.", "%(count)s comments approved.", number, count=count(number)),
        "reject": ngettext("%(count)s comment rejected.", "%(count)s comments rejected.", number, count=count(number)),
        "escalate": ngettext(
            "%(count)s comment escalated.", "%(count)s comments escalated.", number, count=count(number)
        ),
    }
    return words[action]


def question(action: str) -> str:
    """What is asked of each comment that is looked at."""
    words = {
        "approve": _("Is it right to approve this one?"),
        "reject": _("Is it right to reject this one?"),
        "escalate": _("Is it right to escalate this one?"),
    }
    return words[action]


def left_out(batch: Batch) -> list[str]:
    """What stays in the queue, by why."""
    return [_left_out(why, number) for why, number in batch.left_out.items() if why != "stay"]


def stay(number: int) -> str:
    """What an undo could not bring back."""
    return ngettext(
        "%(count)s stays as it is: it was edited, withdrawn or decided by somebody since.",
        "%(count)s stay as they are: they were edited, withdrawn or decided by somebody since.",
        number, count=count(number),
    )  # fmt: skip


def _left_out(why: str, number: int) -> str:
    said = {
        "set_aside": ngettext(
            "%(count)s stays out: somebody asked for a closer look (escalated, assigned or reported).",
            "%(count)s stay out: somebody asked for a closer look (escalated, assigned or reported).",
            number, count=count(number)),
        "over": ngettext(
            "%(count)s more is left for the next batch; one takes so many at most.",
            "%(count)s more are left for the next batch; one takes so many at most.", number, count=count(number)),
        "not_right": ngettext(
            "%(count)s that you found not right stays in the queue.",
            "%(count)s that you found not right stay in the queue.", number, count=count(number)),
        "changed": ngettext(
            "%(count)s was left out: it was edited, decided or withdrawn meanwhile.",
            "%(count)s were left out: they were edited, decided or withdrawn meanwhile.", number, count=count(number)),
        "claimed": ngettext(
            "%(count)s was left out: somebody else is working on it.",
            "%(count)s were left out: somebody else is working on them.", number, count=count(number)),
    }  # fmt: skip
    return said[why]


def trouble(error: ModerationError) -> str:
    """A refusal in words."""
    words = {
        "nothing_in_range": _("No comment waits in this range that a batch could take."),
        "looks_missing": _("Please look at all of these comments first. Nothing was changed."),
        "looks_not_right": _(
            "Not all that you looked at were right. Nothing was changed; please read the numbers below."
        ),
        "newer_first": _("You have done something else since. Undo that first; then this batch can be undone."),
        "decided_since": _("All of these comments were decided anew since, so there is nothing to undo."),
        "withdrawn": _("All of these comments were withdrawn or decided anew since, so there is nothing to undo."),
        "undone": _("This batch was undone already."),
        "nothing_to_undo": _("There is nothing to undo."),
    }
    by_field = {
        "low": _("A range needs two numbers from 0 to 1, the lower one first."),
        "high": _("A range needs two numbers from 0 to 1, the lower one first."),
        "reason": _("Please choose a reason for the rejection."),
        "note": _("This reason needs a note; the author reads it."),
        "action": _("Please choose what to do."),
        "article": _("There is no such article."),
    }
    said = words.get(error.code) or by_field.get(str(error.extra.get("field")))
    return said or sentence(error.detail)
