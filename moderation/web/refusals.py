"""Refusals in words: who did what meanwhile, and that nothing was lost."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as marked

from moderation.errors import ModerationError
from moderation.web import words
from moderation.web.session import person

_SINCE = {
    "approve": marked("%(who)s approved this comment since you opened it."),
    "hold": marked("%(who)s held this comment since you opened it."),
    "reject": marked("%(who)s rejected this comment since you opened it."),
}
_BY_YOU = {
    "approve": marked("You approved this comment since you opened it."),
    "hold": marked("You held this comment since you opened it."),
    "reject": marked("You rejected this comment since you opened it."),
}
_SOURCES = {"site": marked("The site's staff"), "report": marked("A report"), "appeal": marked("An appeal")}


def refusal(error: ModerationError) -> str:
    """One or two sentences for the moderator whose action was not done."""
    by, done = error.extra.get("by"), str(error.extra.get("action"))
    if error.code == "claimed":
        return _("%(who)s has claimed this comment and is working on it. Nothing was changed.", who=by)
    if error.code not in ("stale_version", "decided_since") or not by:
        return words.said(error.detail)
    if by == "policy":
        return _("The comment was edited and checked again since you opened it. Here it is as it stands now.")
    if by == person().name:
        said = str(_BY_YOU.get(done) or _("You changed this comment since you opened it."))
    else:
        who = str(_SOURCES.get(by, by))
        said = str(_SINCE.get(done) or marked("%(who)s changed this comment since you opened it.")) % {"who": who}
    return f"{said} {_('Your action was not applied; here it is as it stands.')}"
