"""Scores and the policy's answer for a text at once, in the calling process; no comment is made.

What was checked is kept as a keyed hash with its scores, so that feedback that comes later can be matched.
"""

import hashlib
import hmac
from dataclasses import dataclass

from sqlalchemy.orm import Session

from moderation.domain.verdict import Verdict
from moderation.errors import Unavailable
from moderation.scoring import Classifier, Judged
from moderation.services import abuse, articles, policies
from moderation.services.background import Background
from moderation.services.policies import CompiledPolicy
from moderation.services.verdicts import verdict
from moderation.store.session import new_id, now_ms


@dataclass(frozen=True)
class Screened:
    """What the classifier and the site's policy say of one text."""

    judged: Judged
    verdict: Verdict
    scorer: str

    @property
    def scores(self) -> dict[str, float]:
        """0..1 by attribute; empty where the language is not served."""
        return self.judged.scores or {}


def judge(classifier: Classifier, texts: list[str], *, served_language: bool = False) -> list[Judged]:
    """Languages and scores, as `Classifier.judge` gives them.

    Raises Unavailable where there is no classifier or it fails: nothing is made up.
    """
    if classifier.scorer is None:
        raise Unavailable("the classifier can't be loaded; no score is given", extra={"retry_after": 30})
    try:
        return classifier.judge(texts, served_language=served_language)
    except Exception as error:  # whatever a scorer raises on a text
        raise Unavailable(f"this text can't be scored ({type(error).__name__})") from None


def screen(
    session: Session, site_id: str, classifier: Classifier, text: str, *, article_url: str | None = None,
    website: str = "",
) -> Screened:  # fmt: skip
    """One text under the site's policy; nothing is known of its author but a website. Raises as `judge` does.

    Where the caller names the article, it counts whether that is closed or all its comments are held.
    """
    (judged,) = judge(classifier, [text])
    policy = policies.current(session, site_id)
    known = known_of(session, site_id, policy, text, article_url, website)
    return Screened(judged, verdict(policy, text, judged, known), classifier.name)


def known_of(
    session: Session, site_id: str, policy: CompiledPolicy, text: str, article_url: str | None = None,
    website: str = "",
) -> Background:  # fmt: skip
    """What is known besides a mere text: bad links, a lock-down, and what holds for the article."""
    closed, held = articles.shut(session, site_id, article_url) if article_url else (False, False)
    return Background(closed=closed, hold_all=held, around=abuse.of_text(session, site_id, policy, text, website))


def match_of(secret: str, site_id: str, text: str) -> str:
    """A keyed hash of a text of this site, 64 hex digits: equal for equal texts, and no way back."""
    words = " ".join(text.split())
    return hmac.new(secret.encode(), f"{site_id}\0{words}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def check_row(
    site_id: str,
    interface: str,
    match: str,
    screened: Screened,
    *,
    text: str | None = None,
    blog: str | None = None,
    answer: str | None = None,
) -> dict[str, object]:
    """A row of `checks`; `text` only where it may be kept, `scorer` only where one ran."""
    return {
        "id": new_id(), "site_id": site_id, "interface": interface, "at": now_ms(), "match": match,
        "scorer": screened.scorer or None, "scores": screened.scores, "outcome": screened.verdict.outcome.value,
        "text": text, "blog": blog, "answer": answer,
    }  # fmt: skip
