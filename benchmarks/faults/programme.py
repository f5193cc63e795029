"""One run: the service under load, the faults one after the other, and what must be true at the end."""

import os
import random
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import ColumnElement, func, select

from benchmarks.faults.hands import ELSEWHERE, KINDS, Scene, holds
from benchmarks.faults.load import Clients, Reader
from benchmarks.faults.place import Line, line, small_disk
from benchmarks.faults.server import Server
from moderation.domain import chain
from moderation.processes import dying_with
from moderation.services import audit_chain, sites
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Decision, Delivery, Event, Site, WorkerState
from tests.databases import until
from tests.services import Running

_MEGABYTES = 400
_PATIENCE = 180


@dataclass
class Report:
    """Seconds from each fault (or from its end, where it lasts) until a new comment was taken, and until that and all
    before it were decided; for a network cut also from its end until the worker was back."""

    taken: dict[str, list[float]] = field(default_factory=dict)
    decided: dict[str, list[float]] = field(default_factory=dict)
    back: dict[str, list[float]] = field(default_factory=dict)
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    leased: list[int] = field(default_factory=list)
    tries: int = 0


def run(folder: Path, database: str, plan: Mapping[str, int], *, seed: int, rate: float,
        env: Mapping[str, str] | None = None) -> Report:  # fmt: skip
    """Breaks each kind of thing so often, in a random order; raises AssertionError for what must not be."""
    chance, report = random.Random(f"{seed} {database}"), Report()
    faults = [
        kind for kind, times in plan.items() for _ in range(times) if database == "postgresql" or not KINDS[kind][1]
    ]
    chance.shuffle(faults)
    with ExitStack() as stack:
        scene = _scene(stack, folder, database, dict(env or {}), faults)
        scene.clients, scene.chance = Clients(scene.running, chance, rate), chance
        reader = Reader(scene.running)
        for number, kind in enumerate(faults):
            time.sleep(chance.uniform(0.2, 1.0))
            _fault(scene, kind, number, report)
        scene.clients.join()
        _settle(scene)
        reader.stop()
        report.accepted, report.refused, report.leased = (
            len(scene.clients.accepted),
            scene.clients.refused,
            scene.leased,
        )
        report.tries = _check(scene, [event["id"] for event in reader.events])
    return report


def _fault(scene: Scene, kind: str, number: int, report: Report) -> None:
    at = KINDS[kind][0](scene)
    probe = scene.clients.probe(number)
    report.taken.setdefault(kind, []).append(time.monotonic() - at)
    before = (Comment.status == "pending", Comment.id <= probe)
    until(lambda: holds(lambda: _none(scene.store, *before)), _PATIENCE, f"all to be decided after: {kind}")
    report.decided.setdefault(kind, []).append(time.monotonic() - at)
    if scene.mend is not None:
        scene.mend()
        scene.mend = None
    if kind.startswith("network"):
        healed, now = time.monotonic(), now_ms()
        there = (WorkerState.name.startswith(f"{ELSEWHERE}:"), WorkerState.seen_at > now)
        until(lambda: not _none(scene.store, *there, table=WorkerState), _PATIENCE, "the worker that was cut off")
        report.back.setdefault(kind, []).append(time.monotonic() - healed)
    until(lambda: all(scene.running.parts().values()), _PATIENCE, f"all parts after: {kind}")
    scene.clients.check()


def _none(store: Store, *conditions: ColumnElement[bool], table: type = Comment) -> bool:
    with store.read() as session:
        return not session.scalar(select(func.count()).select_from(table).where(*conditions))


def _scene(stack: ExitStack, folder: Path, database: str, env: dict[str, str], faults: Sequence[str]) -> Scene:
    disk = folder / "disk"
    if "disk full" in faults:
        stack.enter_context(small_disk(disk, _MEGABYTES))
    else:
        disk.mkdir()
    server = wire = None
    env["MODERATION_WEBHOOK_ALLOW_PRIVATE"] = "1"
    if database == "postgresql":
        wire = stack.enter_context(line()) if any(kind.startswith("network") for kind in faults) else None
        server = Server(disk / "postgresql", wire)
        stack.callback(server.stop)
        env["MODERATION_DATABASE_URL"] = server.url
    running = Running(disk / "data", env=env)
    running_env = env | {"MODERATION_REDIS_URL": (running.folder / "redis" / "address").read_text("utf-8")}
    stack.callback(_end, running)
    store = Store(env.get("MODERATION_DATABASE_URL", f"sqlite:///{running.folder / 'moderation.sqlite3'}"))
    stack.callback(store.close)
    _point_at_nobody(stack, store, running.credentials["site_id"])
    if server is not None and wire is not None:
        stack.enter_context(_worker_elsewhere(folder, wire, running, running_env | {
            "MODERATION_DATABASE_URL": server.url_by_line}))  # fmt: skip
        until(
            lambda: not _none(store, WorkerState.name.startswith(f"{ELSEWHERE}:"), table=WorkerState),
            60,
            "the worker elsewhere",
        )
    return Scene(running, store, disk, server, wire)


def _point_at_nobody(stack: ExitStack, store: Store, site_id: str) -> None:
    """The site's webhook receiver is down for the whole run: its port is bound, so that it stays ours, and closed."""
    taken = stack.enter_context(socket.socket())
    taken.bind(("127.0.0.1", 0))
    with store.write() as session:
        sites.set_webhook(session, session.get_one(Site, site_id), f"http://127.0.0.1:{taken.getsockname()[1]}/")


@contextmanager
def _worker_elsewhere(folder: Path, wire: Line, running: Running, env: Mapping[str, str]) -> Iterator[None]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MODERATION_")}
    secret = (running.folder / "secret_key").read_text("utf-8").strip()
    with open(folder / "elsewhere.log", "ab") as log:
        process = subprocess.Popen(
            wire.elsewhere(ELSEWHERE), stdout=log, stderr=log, cwd=folder, preexec_fn=dying_with(os.getpid()),
            env=clean | dict(env) | {"MODERATION_SECRET_KEY": secret},
        )  # fmt: skip
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _end(running: Running) -> None:
    if running.process.poll() is None:
        os.killpg(running.process.pid, signal.SIGKILL)
    running.process.wait()


def _settle(scene: Scene) -> None:
    until(lambda: holds(lambda: _none(scene.store, Comment.status == "pending")), _PATIENCE, "all to be decided")
    until(lambda: scene.running.call("GET", "/readyz", key=None)[0] == 200, 60, "readyz")
    until(lambda: _none(scene.store, Event.position.is_(None), table=Event), 60, "all events to be released")


def _check(scene: Scene, read: list[str]) -> int:
    """Each accepted comment has one decision, each decision one event, the reader saw each once, the chain holds, and
    each event waits for its receiver. Returns how often the receiver was tried."""
    accepted = scene.clients.accepted
    with scene.store.read() as session:
        comments = {row.external_id: row.id for row in session.execute(select(Comment.external_id, Comment.id))}
        decisions = session.execute(select(Decision.id, Decision.comment_id, Decision.source, Decision.scorer)).all()
        events = session.execute(select(Event.id, Event.decision_id).order_by(Event.position)).all()
        tries = session.execute(select(Delivery.event_id, Delivery.attempts, Delivery.delivered_at)).all()
    assert scene.clients.wrong == []
    assert comments == accepted
    assert {decision.source for decision in decisions} == {"policy"}
    assert [decision for decision in decisions if decision.scorer is None] == [], "innocent comments held unscored"
    assert Counter(decision.comment_id for decision in decisions) == Counter(comments.values())
    assert Counter(event.decision_id for event in events) == Counter(decision.id for decision in decisions)
    assert read == [event.id for event in events]
    assert {one.event_id for one in tries} == set(read)
    assert not any(one.delivered_at for one in tries)
    keys = chain.keys((scene.running.folder / "secret_key").read_text("utf-8").strip(), "")
    until(lambda: audit_chain.verify(scene.store, keys).unsealed == 0, 60, "all audit events to be sealed")
    found = audit_chain.verify(scene.store, keys)
    assert found.broken is None, found.broken
    assert found.links >= 2 * len(accepted)
    return sum(one.attempts for one in tries)
