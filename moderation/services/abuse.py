"""What is known of a batch of comments against abuse: lock-down, slow mode, floods, repeated texts, bad links.

Nothing is asked of the database unless the policy of a site asks for it, and then one query does for the batch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from moderation.domain.text import Span
from moderation.domain.verdict import Look
from moderation.services import bad_domains, fingerprints, floods
from moderation.services.facts import Reading
from moderation.services.leases import Leased
from moderation.services.policies import CompiledPolicy
from moderation.store.tables import Site


@dataclass(frozen=True)
class Around:
    """What is known of one comment; None where nobody asked."""

    site_held: bool = False
    slow_mode: bool = False
    trapped: bool = False
    floods: Mapping[Look, int] = field(default_factory=dict)
    repeats: Mapping[Look, int] = field(default_factory=dict)
    bad_links: Sequence[Span] | None = None


def gather(
    session: Session, comments: Sequence[Leased], policies: Mapping[str, CompiledPolicy],
    slow: Sequence[int | None], *, now: int,
) -> list[Around]:  # fmt: skip
    """The same for each of these comments; `slow` is what their articles say of slow mode, in seconds."""
    held = _locked(session, {one.site_id for one in comments})
    soon = floods.too_soon(session, comments, slow, now)
    crowds = floods.gather(session, comments, policies, now)
    repeats = fingerprints.gather(session, comments, policies, now)
    asking = {site for site, policy in policies.items() if policy.asks_anywhere("bad_domain")}
    links = bad_domains.of_texts(session, [
        (one.site_id, Reading(one.body.text).link_hosts) if one.site_id in asking else None for one in comments
    ])  # fmt: skip
    return [
        Around(one.site_id in held, soon[n], one.trapped, crowds[n], repeats[n], links[n])
        for n, one in enumerate(comments)
    ]


def of_text(session: Session, site_id: str, policy: CompiledPolicy, text: str) -> Around:
    """What is known of a mere text that somebody has checked for a site."""
    links = [(site_id, Reading(text).link_hosts)] if policy.asks("bad_domain") else [None]
    return Around(site_id in _locked(session, {site_id}), bad_links=bad_domains.of_texts(session, links)[0])


def _locked(session: Session, sites: set[str]) -> set[str]:
    return set(session.scalars(select(Site.id).where(Site.id.in_(sorted(sites)), Site.hold_all)))
