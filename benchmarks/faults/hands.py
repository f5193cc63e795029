"""The hands that break things. Each breaks one thing of a scene and gives the moment from which it may recover."""

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from benchmarks.faults.load import Clients
from benchmarks.faults.place import Line
from benchmarks.faults.server import Server
from moderation.processes import lives
from moderation.store.session import Store
from moderation.store.tables import Comment
from tests.databases import until
from tests.services import Running

ELSEWHERE = "elsewhere"


@dataclass
class Scene:
    """What can be broken. `leased` counts the comments that a worker had when it was hit; `mend` is what ends a fault
    that lasts until all is well in spite of it."""

    running: Running
    store: Store
    disk: Path
    server: Server | None
    line: Line | None
    clients: Clients = field(init=False)
    chance: random.Random = field(init=False)
    leased: list[int] = field(default_factory=list)
    mend: Callable[[], None] | None = None

    def holder(self, host: str | None = None) -> int:
        """Pid of a process of ours that holds a lease now, standing still; of the worker elsewhere, where asked."""
        query = select(Comment.lease_owner).where(Comment.status == "pending", Comment.lease_owner.is_not(None))
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with self.store.read() as session:
                owners = {str(owner).rpartition(":") for owner in session.scalars(query)}
            for machine, _, pid in owners:
                if (machine == ELSEWHERE) == (host == ELSEWHERE) and self._freeze(int(pid)):
                    if leased := self._leased(pid):
                        self.leased.append(leased)
                        return int(pid)
                    send(int(pid), signal.SIGCONT)
        raise AssertionError("no comment was ever leased")

    def _freeze(self, pid: int) -> bool:
        if not lives(pid):
            return False
        send(pid, signal.SIGSTOP)
        until(lambda: state(pid) in "TZX", 5, "the holder to stand still")
        return lives(pid)

    def _leased(self, pid: str) -> int:
        with self.store.read() as session:
            mine = Comment.lease_owner.endswith(f":{pid}")
            found = select(func.count()).select_from(Comment).where(Comment.status == "pending", mine)
            return int(session.scalar(found) or 0)


def kill_worker(scene: Scene) -> float:
    """kill -9 of a process that has comments in hand, or of one above it."""
    holder = scene.holder()
    above = [pid for pid in ancestors(holder) if pid in scene.running.parts()["worker"]]
    victim = scene.chance.choice([holder, *above])
    at = _killed(victim)
    send(holder, signal.SIGCONT)
    return at


def kill_web(scene: Scene) -> float:
    """kill -9 of a web process."""
    return _killed(_one_of(scene, "web"))


def kill_redis(scene: Scene) -> float:
    """kill -9 of Redis."""
    return _killed(_one_of(scene, "redis"))


def flush_redis(scene: Scene) -> float:
    """FLUSHALL."""
    redis = Redis.from_url((scene.running.folder / "redis" / "address").read_text("utf-8"))

    def flushed() -> bool:
        try:
            return bool(redis.flushall())
        except RedisError:  # it is being started
            return False

    until(flushed, 30, "Redis")
    return time.monotonic()


def hang_redis(scene: Scene) -> float:
    """Redis stands still and answers nobody."""
    pid = _one_of(scene, "redis")
    send(pid, signal.SIGSTOP)
    scene.mend = lambda: send(pid, signal.SIGCONT)
    return time.monotonic()


def kill_postmaster(scene: Scene) -> float:
    """kill -9 of PostgreSQL's first process: all others end, and the server has to be started again."""
    assert scene.server is not None
    return _killed(scene.server.postmaster())


def kill_backend(scene: Scene) -> float:
    """kill -9 of one of PostgreSQL's processes: it breaks off all others and recovers by itself."""
    assert scene.server is not None
    until(scene.server.backends, 60, "connections")
    return _killed(scene.chance.choice(scene.server.backends()))


def fill_disk(scene: Scene) -> float:
    """Nothing more can be written until a refusal has been seen; then there is room again."""
    before, ballast = scene.clients.refused.total(), scene.disk / "ballast"
    with open(ballast, "wb", buffering=0) as file, suppress(OSError):  # until it is full
        while True:
            file.write(bytes(65_536))
    end = time.monotonic() + 60
    while scene.clients.refused.total() < before + 5 and time.monotonic() < end:
        with open(ballast, "ab", buffering=0) as file:  # what was given back meanwhile is taken as well
            try:
                file.write(bytes(4_096))
            except OSError:
                time.sleep(0.05)
    assert scene.clients.refused.total() > before, "the full disk was not noticed"
    ballast.unlink()
    return time.monotonic()


def unplug(scene: Scene) -> float:
    """The line between a worker that has comments in hand and the database goes down; it stays so until all is well."""
    return _cut(scene, lambda line: line.unplug())


def swallow(scene: Scene) -> float:
    """The same line loses all packets and says nothing."""
    return _cut(scene, lambda line: line.swallow())


def _cut(scene: Scene, how: Callable[[Line], None]) -> float:
    assert scene.line is not None
    holder = scene.holder(ELSEWHERE)
    how(scene.line)
    scene.mend = scene.line.mend
    send(holder, signal.SIGCONT)
    return time.monotonic()


def _one_of(scene: Scene, part: str) -> int:
    until(lambda: scene.running.parts()[part], 30, f"{part} to be there")
    return scene.chance.choice(scene.running.parts()[part])


def _killed(victim: int) -> float:
    send(victim, signal.SIGKILL)
    at = time.monotonic()
    until(lambda: not lives(victim), 10, "its end")
    return at


def send(pid: int, number: int) -> None:
    """A signal to a process that may have ended by itself, as a job's process does."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def state(pid: int) -> str:
    """The letter of /proc, X when the process is gone."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def ancestors(pid: int) -> list[int]:
    """Pids above this one."""
    found: list[int] = []
    while pid > 1:
        try:
            pid = int((Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            break
        found.append(pid)
    return found


def holds(condition: Callable[[], bool]) -> bool:
    """Whether it holds; False while the database can't be asked."""
    try:
        return condition()
    except SQLAlchemyError:
        return False


# Kind -> (what breaks it, whether it needs a PostgreSQL of our own)
KINDS: dict[str, tuple[Callable[[Scene], float], bool]] = {
    "kill -9 of web": (kill_web, False),
    "kill -9 of a worker": (kill_worker, False),
    "kill -9 of Redis": (kill_redis, False),
    "Redis flushed": (flush_redis, False),
    "Redis hangs": (hang_redis, False),
    "disk full": (fill_disk, False),
    "kill -9 of PostgreSQL": (kill_postmaster, True),
    "kill -9 of a PostgreSQL process": (kill_backend, True),
    "network cut, noticed": (unplug, True),
    "network cut, silent": (swallow, True),
}
