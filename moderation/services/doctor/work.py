"""Whether the work goes on: workers, queue, webhooks, audit trail, people."""

import threading

from sqlalchemy import func, select

from moderation.services import audit_chain, health, leases
from moderation.services import webhook_calls as hooks
from moderation.services.doctor.found import Context, Finding, ok, warning, wrong
from moderation.store.people import Membership
from moderation.store.session import now_ms
from moderation.store.tables import Delivery, Site

_SECOND = 1000
_STUCK_MS, _SLOW_MS = 300 * _SECOND, 30 * _SECOND
_LATE_MS = 300 * _SECOND
_SITES = 20
_CONNECT_SECONDS = 5.0
_TRIED_OFTEN = 3


def workers(context: Context) -> Finding:
    """One has shown itself within the last 15 seconds."""
    with context.store.read() as session:
        worker, scorer = health.worker_states(session, now_ms())
    if worker != "ok":
        return wrong(worker, "start one: moderation worker (or moderation up); comments wait meanwhile")
    if scorer != "ok":
        return wrong(f"alive, but its scorer is not: {scorer}", "put the files back and start the worker again")
    return ok("alive, with its scorer")


def queue(context: Context) -> Finding:
    """How long the oldest comment that nobody works on waits for its decision."""
    now = now_ms()
    with context.store.read() as session:
        since = leases.waiting_since(session, now)
    waits = 0 if since is None else now - since
    says = f"the oldest undecided comment waits {waits // _SECOND} s" if since else "no comment waits to be decided"
    if waits > _STUCK_MS:
        return wrong(says, "are workers running, and do their logs show errors? More workers decide more")
    return warning(says, "start more workers, or look why they are slow") if waits > _SLOW_MS else ok(says)


def deliveries(context: Context) -> Finding:
    """Whether webhooks get out."""
    now = now_ms()
    open_ones = select(func.min(Delivery.next_at), func.count()).where(Delivery.next_at > 0)
    with context.store.read() as session:
        oldest, many = session.execute(open_ones).one()
        failing = session.scalar(
            select(func.count()).where(Delivery.next_at > 0, Delivery.attempts >= _TRIED_OFTEN)
        ) or 0  # fmt: skip
    if oldest is not None and now - oldest > _LATE_MS:
        return wrong(f"a webhook is overdue for {(now - oldest) // _SECOND} s", "is a worker running?")
    if failing:
        return warning(f"{failing} of {many} webhooks failed {_TRIED_OFTEN} times or more",
                       "ask the site: its receiver refuses or does not answer; see /dashboard")  # fmt: skip
    return ok(f"{many} on their way")


def webhooks(context: Context) -> Finding:
    """Each site's receiver can be connected to (name, address, TLS); nothing is sent."""
    with context.store.read() as session:
        rows = session.execute(select(Site.name, Site.webhook_url).where(Site.webhook_url.is_not(None))).all()
    some = [(str(row.name), str(row.webhook_url)) for row in rows[:_SITES]]
    allow = context.settings.webhook_allow_private
    said: dict[str, str | None] = {}
    threads = [
        # Of a kind that holds up no end: a name server may take its time.
        threading.Thread(
            target=lambda n=name, u=url: said.update({n: hooks.reach(u, allow, _CONNECT_SECONDS)}), daemon=True
        )
        for name, url in some
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * _CONNECT_SECONDS)
    bad = [f"{name} ({said.get(name, 'no answer')})" for name, _ in some if said.get(name, "no answer")]
    if bad:
        todo = "check the address (moderation site webhook), its certificate, and what the firewall lets out"
        return warning(f"can't connect to the webhook of: {', '.join(bad)}", todo)
    more = f"; {len(rows) - _SITES} more were not tried" if len(rows) > _SITES else ""
    return ok(f"{len(some)} can be connected to{more}" if some else "no site has one")


def audit(context: Context) -> Finding:
    """The chain is followed up, and the last walk found it whole."""
    now = now_ms()
    with context.store.read() as session:
        state = audit_chain.state(session)
    if state.broken:
        return wrong("the last walk found the chain broken", "run: moderation audit verify")
    waits = 0 if state.oldest_unsealed is None else now - state.oldest_unsealed
    if waits > _STUCK_MS:
        return wrong(f"events wait {waits // _SECOND} s for their seal", "is a worker running with the secret key?")
    return ok(f"sealed up to place {state.place}")


def people(context: Context) -> Finding:
    """Every site has somebody who moderates."""
    alone = select(Site.name).where(~select(Membership.site_id).where(Membership.site_id == Site.id).exists())
    with context.store.read() as session:
        sites = session.scalar(select(func.count()).select_from(Site)) or 0
        names = session.scalars(alone.order_by(Site.name).limit(5)).all()
    if not sites:
        return warning("there is no site", "run: moderation site create NAME")
    if names:
        return warning(f"nobody moderates: {', '.join(names)}", "run: moderation moderator create EMAIL --site NAME")
    return ok(f"{sites} {'sites' if sites > 1 else 'site'} with moderators")
