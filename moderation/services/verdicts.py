"""The policy's answer for one text with all that is known of it, and its signals as they are stored."""

from typing import Any

from moderation.domain.policy import evaluate
from moderation.domain.text import to_utf16
from moderation.domain.verdict import Facts, Signal, Verdict
from moderation.scoring import Classifier, Judged
from moderation.services.background import Background
from moderation.services.facts import Reading
from moderation.services.plain_text import PlainText
from moderation.services.policies import CompiledPolicy

NOTHING_KNOWN = Background()


def verdict(policy: CompiledPolicy, text: str, judged: Judged | None, known: Background = NOTHING_KNOWN) -> Verdict:
    """The policy's answer for one text, with what is known besides it."""
    return verdict_on(policy, Reading(text), judged, known)


def verdict_on(policy: CompiledPolicy, read: Reading, judged: Judged | None, known: Background) -> Verdict:
    """The same for a text that several policies look at."""
    policy, around = policy.at(known.section, known.article_url), known.around
    facts = Facts(
        read.text, judged.scores if judged else None,
        links=read.links if policy.asks("links") else None,
        email_addresses=read.email_addresses if policy.asks("email_address") else None,
        phone_numbers=read.phone_numbers(policy.region or "US") if policy.asks("phone_number") else None,
        approved_before=known.author[0] if known.author else None,
        rejected_before=known.author[1] if known.author else None,
        language=judged.unserved if judged else None,
        standing=known.standing, article_closed=known.closed, article_held=known.hold_all,
        site_held=around.site_held, slow_mode=around.slow_mode, trapped=around.trapped,
        floods=around.floods, repeats=around.repeats, bad_links=around.bad_links,
        bad_website=around.bad_website,
    )  # fmt: skip
    return evaluate(policy.rules, facts)


def signal_row(classifier: Classifier, signal: Signal, body: PlainText, source: str) -> dict[str, Any]:
    """A signal as it is stored and shown; spans are UTF-16 code units of the body as it was sent."""
    row: dict[str, Any] = {
        "rule": signal.rule, "kind": signal.kind, "outcome": signal.outcome.value if signal.outcome else None,
        "attribute": signal.attribute, "score": signal.score, "threshold": signal.threshold,
        "decided": signal.decided, "spans": [],
    }  # fmt: skip
    if signal.outcome is None:  # a score below its threshold, as most are
        return row | {"place": signal.place} if signal.place else row
    spans = signal.spans
    if signal.decided and signal.attribute and not spans:
        spans = classifier.explain(body.text, signal.attribute)
    if spans:
        in_body = to_utf16(source, [body.in_body(span) for span in spans])
        row["spans"] = [{"begin": span.begin, "end": span.end} for span in in_body]
    if signal.number:
        row |= {"count": signal.number, "seconds": signal.seconds}
    told = {"language": signal.language, "place": signal.place, "muted": signal.muted}
    return row | {name: value for name, value in told.items() if value}
