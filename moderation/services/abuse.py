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
from moderation.services.facts import Reading, host_of
from moderation.services.leases import Leased
from moderation.services.policies import CompiledPolicy
from moderation.store.queries import one_of
from moderation.store.tables import Comment, Site


@dataclass(frozen=True)
class Around:
    """What is known of one comment; None where nobody asked."""

    site_held: bool = False
    slow_mode: bool = False
    trapped: bool = False
    floods: Mapping[Look, int] = field(default_factory=dict)
    repeats: Mapping[Look, int] = field(default_factory=dict)
    bad_links: Sequence[Span] | None = None
    bad_website: bool = False


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
    websites = _bad_websites(session, [one for one in comments if one.site_id in asking])
    return [
        Around(one.site_id in held, soon[n], one.trapped, crowds[n], repeats[n], links[n], one.id in websites)
        for n, one in enumerate(comments)
    ]


def of_text(session: Session, site_id: str, policy: CompiledPolicy, text: str, website: str = "") -> Around:
    """What is known of a mere text that somebody has checked for a site, and of its author's website."""
    held = site_id in _locked(session, {site_id})
    if not policy.asks("bad_domain"):
        return Around(held)
    (links,) = bad_domains.of_texts(session, [(site_id, Reading(text).link_hosts)])
    host = host_of(website)
    return Around(held, bad_links=links,
                  bad_website=bool(host and bad_domains.bad_hosts(session, {site_id: {host}})))  # fmt: skip


def _bad_websites(session: Session, comments: Sequence[Leased]) -> set[str]:
    """Ids of those stored comments whose author's website lies in a listed domain."""
    stored = {one.id: one.site_id for one in comments if one.id}
    if not stored:
        return set()
    rows = session.execute(
        select(Comment.id, Comment.author_url)
        .where(one_of(session, Comment.id, sorted(stored)), Comment.author_url.is_not(None))
    )  # fmt: skip
    hosts = {row.id: host for row in rows if (host := host_of(row.author_url))}
    of_site: dict[str, set[str]] = {}
    for id, host in hosts.items():
        of_site.setdefault(stored[id], set()).add(host)
    bad = bad_domains.bad_hosts(session, of_site)
    return {id for id, host in hosts.items() if (stored[id], host) in bad}


def _locked(session: Session, sites: set[str]) -> set[str]:
    return set(session.scalars(select(Site.id).where(Site.id.in_(sorted(sites)), Site.hold_all)))
