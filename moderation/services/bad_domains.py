"""Domains that nobody should link to: lists that an operator loads, and which links of comments go there."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from moderation.domain.text import Span
from moderation.services import policies
from moderation.services.audit import record_audit
from moderation.services.facts import domain_of, host_of
from moderation.store.abuse import BadDomain
from moderation.store.queries import one_of
from moderation.store.session import Store, now_ms
from moderation.store.tables import Site

EVERYWHERE = ""  # in place of a site's id
_AT_ONCE = 5_000
_LINKS = 1_000  # of one comment, real links before mere names: nobody hides one behind so many others
_ADD = {
    "sqlite": "INSERT OR IGNORE INTO bad_domains (site_id, domain, added_at)"
    " SELECT :site, value, :at FROM json_each(:domains)",
    "postgresql": "INSERT INTO bad_domains (site_id, domain, added_at)"
    " SELECT :site, value, :at FROM json_array_elements_text(CAST(:domains AS json)) ON CONFLICT DO NOTHING",
}


@dataclass
class Loaded:
    """What became of a list: how many domains are new, how many were there, which lines (by number) are none."""

    added: int = 0
    known: int = 0
    wrong: int = 0
    first_wrong: tuple[int, ...] = ()


def load(store: Store, lines: Iterable[str], site_id: str | None, *, actor: str | None = None) -> Loaded:
    """Adds a list, one domain a line, for one site or for all; in short transactions and bounded memory.

    Comments (`#`, `!`), `||domain^` and lines of hosts files are understood. A load that breaks off may be done again.
    """
    done = Loaded()
    domains = _domains(lines, done)
    while some := list(islice(domains, _AT_ONCE)):
        with store.write() as session:
            added = _add(session, sorted(set(some)), site_id or EVERYWHERE)
        done.added += added
        done.known += len(some) - added
    with store.write() as session:
        if session.get_bind().dialect.name == "postgresql":  # without figures it reads the whole list for every batch
            session.execute(text("ANALYZE bad_domains"))
        record_audit(session, "domains.loaded", site_id=site_id, actor=actor, data={"count": done.added})
    return done


def _domains(lines: Iterable[str], done: Loaded) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        domain = read_line(line)
        if domain:
            yield domain
        elif domain is None:
            done.wrong += 1
            done.first_wrong = (*done.first_wrong, number)[:5]


def read_line(line: str) -> str | None:
    """The domain of a line of a list; "" for a line that says nothing, None for one that can't be understood."""
    line = line.strip().lstrip("\ufeff")
    if not line or line[0] in "#![" or line.startswith("@@"):
        return ""
    line = line.partition(" #")[0].partition("\t#")[0].strip()
    if line.startswith("||"):
        return domain_of(line[2:].partition("^")[0].partition("$")[0])
    first, *rest = line.split()
    if rest:  # a hosts file: an address, then a name
        if not (first[0].isdigit() or ":" in first):
            return None
        return domain_of(rest[0]) or ("" if "." not in rest[0] else None)
    return host_of(first) if "//" in first else domain_of(first.removeprefix("*.").removeprefix("."))


def _add(session: Session, domains: Sequence[str], site_id: str) -> int:
    statement = text(_ADD[session.get_bind().dialect.name])
    result: Any = session.execute(statement, {"site": site_id, "at": now_ms(), "domains": json.dumps(domains)})
    return int(result.rowcount)


def remove(session: Session, domains: Sequence[str] | None, site_id: str | None, *, actor: str | None = None) -> int:
    """Takes these domains from the list, or all of it; returns how many were there."""
    query = delete(BadDomain).where(BadDomain.site_id == (site_id or EVERYWHERE))
    if domains is not None:
        query = query.where(BadDomain.domain.in_(domains))
    removed = int(getattr(session.execute(query), "rowcount", 0))
    record_audit(session, "domains.removed", site_id=site_id, actor=actor, data={"count": removed})
    return removed


def listed(session: Session, site_id: str | None, after: str = "", *, part: str = "", most: int = 1_000) -> list[str]:
    """Domains of a list in their order, behind `after`; those that `part` stands in."""
    query = select(BadDomain.domain).where(BadDomain.site_id == (site_id or EVERYWHERE), BadDomain.domain > after)
    if part:
        query = query.where(BadDomain.domain.contains(part, autoescape=True))
    return list(session.scalars(query.order_by(BadDomain.domain).limit(most)))


def count(session: Session, site_id: str | None) -> int:
    """How many domains a list holds."""
    return session.scalar(select(func.count()).where(BadDomain.site_id == (site_id or EVERYWHERE))) or 0


def unused_by(session: Session, site_id: str | None) -> list[str]:
    """Names of the sites (this one, or all) whose policy has no rule that asks for the list."""
    sites = select(Site.id, Site.name).order_by(Site.name)
    found = session.execute(sites if site_id is None else sites.where(Site.id == site_id)).all()
    return [row.name for row in found if not policies.current(session, row.id).asks_anywhere("bad_domain")]


def parents(host: str) -> list[str]:
    """A host and all the domains that it lies in, the longest first."""
    labels = host.split(".")
    return [".".join(labels[at:]) for at in range(len(labels))]


def bad_hosts(session: Session, hosts: Mapping[str, set[str]]) -> set[tuple[str, str]]:
    """(Site, host) of those that are listed themselves or lie in a domain that is; `hosts` by site. One query."""
    wanted = {name for these in hosts.values() for host in these for name in parents(host)}
    if not wanted:
        return set()
    rows = session.execute(
        select(BadDomain.site_id, BadDomain.domain)
        .where(BadDomain.site_id.in_([EVERYWHERE, *hosts]), one_of(session, BadDomain.domain, sorted(wanted)))
    )  # fmt: skip
    bad = {(row.site_id, row.domain) for row in rows}
    return {
        (site, host) for site, these in hosts.items() for host in these
        if any((EVERYWHERE, name) in bad or (site, name) in bad for name in parents(host))
    }  # fmt: skip


def of_texts(
    session: Session, texts: Sequence[tuple[str, Sequence[tuple[Span, str]]] | None]
) -> list[list[Span] | None]:
    """The bad links of each of these (site, links with hosts); None stands for None."""
    hosts: dict[str, set[str]] = {}
    for one in filter(None, texts):
        hosts.setdefault(one[0], set()).update(host for _, host in one[1][:_LINKS])
    bad = bad_hosts(session, hosts)
    return [one and [span for span, host in one[1][:_LINKS] if (one[0], host) in bad] for one in texts]
