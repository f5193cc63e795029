"""Words for people: statuses, rules and times as the pages say them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_datetime, format_timedelta
from babel.lists import format_list
from babel.numbers import format_percent
from flask_babel import ngettext
from werkzeug.exceptions import NotFound

from moderation.domain.lifecycle import HONEYPOT, REJECT_REASONS, Source, Status
from moderation.domain.verdict import margin
from moderation.domain.voices import REPORT_REASONS, REPORTED
from moderation.services.context import Step
from moderation.services.reports import Reported
from moderation.store.tables import Decision
from moderation.web.texts import gettext as _
from moderation.web.texts import locale as locale  # others take it from here
from moderation.web.texts import marked

ATTRIBUTE_WORDS: dict[str, tuple[str, str]] = {
    # attribute -> (its name on the page, how a sentence goes on after "it ...")
    "TOXICITY": (marked("Abusive tone"), marked("has an abusive tone")),
    "SEVERE_TOXICITY": (marked("Severe abuse"), marked("looks severely abusive")),
    "INSULT": (marked("Insult"), marked("looks like an insult")),
    "PROFANITY": (marked("Profanity"), marked("holds strong language")),
    "THREAT": (marked("Threat"), marked("looks like a threat")),
    "IDENTITY_ATTACK": (marked("Attack on a group"), marked("looks like an attack on a group")),
    "SEXUALLY_EXPLICIT": (marked("Sexual"), marked("looks sexually explicit")),
    "SPAM": (marked("Spam"), marked("looks like spam")),
}

# Kind of rule -> (its name on the page, how a sentence goes on after "it ..."); a score rule has its attribute's.
RULE_WORDS: dict[str, tuple[str, str]] = {
    "score": (marked("Score"), marked("reached a limit")),
    "words": (marked("Word list"), marked("matches your word list")),
    "pattern": (marked("Pattern"), marked("matches your pattern")),
    "links": (marked("Links"), marked("holds many links")),
    "email_address": (marked("E-mail address"), marked("holds an e-mail address")),
    "phone_number": (marked("Phone number"), marked("holds a phone number")),
    "first_time_author": (marked("New author"), marked("is by a new author")),
    "repeat_offender": (marked("Rejected before"), marked("is by an author whose comments were often rejected")),
    "trusted_author": (marked("Trusted author"), marked("is by a trusted author")),
    "not_scored": (marked("Classifier"), marked("could not be checked")),
    HONEYPOT: (marked("Hidden field"), marked("filled in a field that people can't see")),
    "language": (marked("Language"), marked("is in a language that this service does not score")),
    "flood": (marked("Flood"), marked("is one of many in a short time")),
    "repeated_text": (marked("Repeated text"), marked("was sent before in nearly the same words")),
    "bad_domain": (marked("Bad link"), marked("links to a domain on your list")),
    # What people said of an author or an article once for all: no rules of a policy either.
    "article_closed": (marked("Article closed"), marked("came after its article was closed for comments")),
    "author_banned": (marked("Author banned"), marked("is by an author who is banned")),
    "site_held": (marked("Lock-down"), marked("came while all comments are held")),
    "slow_mode": (marked("Slow mode"), marked("came too soon after its author’s last one under this article")),
    "article_held": (marked("Article held"), marked("is under an article where all comments are held")),
    "author_held": (marked("Author held"), marked("is by an author whose comments are always held")),
    "author_trusted": (marked("Author trusted"), marked("is by an author whom you trust")),
    REPORTED: (marked("Reports"), marked("was reported by readers")),
}

STATUS_WORDS = {
    Status.PENDING: marked("Being checked"),
    Status.HELD: marked("Held"),
    Status.APPROVED: marked("Approved"),
    Status.REJECTED: marked("Rejected"),
    Status.WITHDRAWN: marked("Withdrawn"),
}
FILTER_WORDS = {
    "held": marked("All held"),
    "escalated": marked("Escalated"),
    "approved": marked("Approved"),
    "rejected": marked("Rejected"),
    "pending": marked("Being checked"),
    "withdrawn": marked("Withdrawn"),
    "any": marked("All comments"),
}

# What a decision says of itself, whole sentences so that each language can build its own.
_BECAUSE = {
    "approve": marked("Approved because it %(reasons)s"),
    "hold": marked("Held because it %(reasons)s"),
    "reject": marked("Rejected because it %(reasons)s"),
}
_UNDONE = {
    "approve": marked("Undone by %(who)s, approved again"),
    "hold": marked("Undone by %(who)s, held again"),
    "reject": marked("Undone by %(who)s, rejected again"),
}
_BY_POLICY = {
    "approve": marked("Approved by policy v%(version)s"),
    "hold": marked("Held by policy v%(version)s"),
    "reject": marked("Rejected by policy v%(version)s"),
}
_BY_PERSON = {
    "approve": marked("Approved by %(who)s"),
    "hold": marked("Held by %(who)s"),
    "reject": marked("Rejected by %(who)s"),
}
_AT_SITE = {
    "approve": marked("Approved by %(who)s at the site"),
    "hold": marked("Held by %(who)s at the site"),
    "reject": marked("Rejected by %(who)s at the site"),
}
# With where the rule holds, if not everywhere.
_LIMIT = {
    "": marked("%(reason)s (%(score)s, your limit is %(limit)s)"),
    "section": marked("%(reason)s (%(score)s, your limit in this section is %(limit)s)"),
    "article": marked("%(reason)s (%(score)s, your limit for this article is %(limit)s)"),
}
# A rule that counts: how often, and in which time.
_COUNTED = {
    "flood": marked("is one of %(count)s comments within %(time)s"),
    "repeated_text": marked("says nearly the same as others: %(count)s times within %(time)s"),
}
_PLACED = {
    "": "%(reason)s",
    "section": marked("%(reason)s (a rule of this section)"),
    "article": marked("%(reason)s (a rule of this article)"),
}


def name_of(signal: dict[str, Any]) -> str:
    """What a signal is about, as a label."""
    attribute, kind = signal.get("attribute"), signal.get("kind")
    if kind is None:  # a moderator's reason
        known = REJECT_REASONS.get(signal["rule"])
        return _(known[1]) if known else str(signal["rule"])
    if attribute:
        return ATTRIBUTE_WORDS.get(attribute, (str(attribute).replace("_", " ").capitalize(), ""))[0]
    label = RULE_WORDS.get(kind, (kind, ""))[0]
    named = kind in ("words", "pattern")
    return _("%(kind)s “%(name)s”", kind=label, name=signal["rule"]) if named else label


def rule_name(name: str) -> str:
    """A rule's name as a label; those of the default policy are called after what they look for."""
    known = ATTRIBUTE_WORDS.get(name.upper()) or RULE_WORDS.get(name)
    return str(known[0]) if known else name.replace("_", " ").capitalize()


def style_of(signal: dict[str, Any]) -> str:
    """The class of a signal's underline: each attribute has its own pattern, all other rules share one."""
    return f"r-{(signal.get('attribute') or 'rule').lower()}"


def because(signal: dict[str, Any]) -> str:
    """How the sentence "Held because it ..." goes on, with the numbers that a moderator can check."""
    attribute, kind = signal.get("attribute"), signal.get("kind") or "score"
    if language := signal.get("language"):
        return _("seems to be in %(language)s, which this service does not score", language=language_name(language))
    said = (ATTRIBUTE_WORDS.get(attribute or "") or RULE_WORDS.get(kind, RULE_WORDS["score"]))[1]
    place = str(signal.get("place") or "")
    if signal.get("count") and kind in _COUNTED:
        time = format_timedelta(timedelta(seconds=signal["seconds"]), threshold=2, locale=locale())
        said = str(_COUNTED[kind]) % {"count": signal["count"], "time": time}
    if signal.get("score") is not None and signal.get("threshold") is not None:
        score, limit = number(signal["score"]), number(signal["threshold"])
        return str(_LIMIT[place]) % {"reason": said, "score": score, "limit": limit}
    return str(_PLACED[place]) % {"reason": said}


def number(value: float) -> str:
    """A score or a limit: two digits, three where two would hide the difference."""
    return f"{value:.3f}" if 0.0005 <= value < 0.1 else f"{value:.2f}"


def percent(share: float) -> str:
    """A share (0..1) in whole per cent, as the language writes it."""
    return str(format_percent(share, locale=locale()))


def clearness(signal: dict[str, Any]) -> float:
    """How far above its limit; a rule without a score is clear."""
    score, limit = signal.get("score"), signal.get("threshold")
    return 2.0 if score is None or limit is None else margin(score, limit)


def strongest_first(signals: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """What decided before what fired before the rest, each by how far it is above its limit."""
    return sorted(
        signals, key=lambda signal: (not signal.get("decided"), not signal.get("outcome"), -clearness(signal))
    )


def sentence(verdict: Decision) -> str:
    """Why the policy decided as it did, strongest reason first."""
    decided = strongest_first(signal for signal in verdict.signals if signal.get("decided"))
    if not decided:
        return _("Nothing in your policy spoke against it")
    listed = format_list([str(because(signal)) for signal in decided], locale=locale())
    return str(_BECAUSE[verdict.action]) % {"reasons": listed}


def step(step: Step) -> str:
    """One line of a comment's history."""
    decision = step.decision
    if decision.reason == "escalate" and not decision.undoes:
        return _("Escalated by %(who)s", who=step.by)
    if decision.undoes:
        said = _UNDONE[decision.action]
    elif decision.source == Source.POLICY:
        said = _BY_POLICY[decision.action]
    elif decision.source == Source.REPORT:
        return _("Held after readers’ reports")
    elif decision.source == Source.APPEAL:
        return _("Approved by %(who)s after an appeal", who=step.by)
    else:
        said = (_AT_SITE if decision.source == Source.SITE and step.by else _BY_PERSON)[decision.action]
    text = str(said) % {"who": step.by or _("the site"), "version": decision.policy_version}
    if decision.reason not in REJECT_REASONS or decision.undoes:
        return text
    return _("%(what)s: %(reason)s", what=text, reason=_(REJECT_REASONS[decision.reason][1]))


def reported(one: Reported) -> str:
    """How many readers reported a comment, and how much that weighs."""
    many = ngettext("%(num)s report", "%(num)s reports", one.number)
    return _("%(many)s, weight %(weight)s", many=many, weight=f"{one.weight:.2f}")


def report_reason(code: str) -> str:
    """Why a reader reported a comment."""
    return _(REPORT_REASONS.get(code, code))


def said(detail: str) -> str:
    """What an error says, as a sentence in the language of the page."""
    text = _("There is no page at this address.") if detail == NotFound.description else _(detail)
    if detail.startswith("The CSRF"):
        text = _("You are signed out, or signed in anew, since this form was opened, so nothing was done. Go back, "
                 "keep what you typed, sign in and send it again.")  # fmt: skip
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?', '!')) else '.'}"


def language_name(code: str) -> str:
    """A language (ISO 639) in the language of the page."""
    try:
        return Locale.parse(code).get_display_name(locale()) or code
    except (UnknownLocaleError, ValueError):
        return code


def ago(at: int, now: int) -> str:
    """How long ago, or how soon, short."""
    seconds = abs(now - at) // 1000
    if seconds < 10:
        return str(_("now"))
    if seconds < 60:
        return _("%(number)s s", number=seconds)
    if seconds < 3_600:
        return _("%(number)s min", number=seconds // 60)
    if seconds < 86_400:
        return _("%(number)s h", number=seconds // 3_600)
    return _("%(number)s d", number=seconds // 86_400)


def absolute(at: int) -> str:
    """The time in full, for a title."""
    return _absolute(at // 1000, locale())


@lru_cache(maxsize=10_000)
def _absolute(second: int, here: Locale) -> str:
    """A page says dozens of times, and the next one says most of them again."""
    return f"{format_datetime(datetime.fromtimestamp(second, UTC), 'd MMMM y, HH:mm:ss', locale=here)} UTC"


def ordinal(number: int) -> str:
    """1 -> 1st."""
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
