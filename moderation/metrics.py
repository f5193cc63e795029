"""What the processes of one machine count, for Prometheus. Labels hold no text, no name and no address.

Each process writes into files of its own, in a folder in memory that the processes of one machine share; whoever is
asked adds them up. A file belongs to a place (`web-0`, `job-1`), not to a process: a new process takes a place that is
free and counts on from there. So there are never more files than processes at the same time, and no count falls back.
"""

import atexit
import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from moderation.processes import lives

_WEB_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_BATCH_SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_COMMENT_SECONDS = (0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 1.0)
_OWN = "moderation-metrics-of-"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class _Instruments:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        count, time = self._counter, self._histogram
        self.accepts = count("moderation_comments_accepted", "comments taken in, by the way they came", "way")
        self.decisions = count("moderation_decisions", "decisions, by who made them and what they were",
                               "source", "action")  # fmt: skip
        self.webhooks = count("moderation_webhook_posts", "posts to webhooks: delivered, failed, given_up", "result")
        self.scored = count("moderation_scored_comments", "comments that the scorer looked at")
        self.batch = time("moderation_scoring_batch_seconds", "time of the scorer for one batch", _BATCH_SECONDS)
        self.each = time("moderation_scoring_comment_seconds", "the same by comment: the mean of each batch",
                         _COMMENT_SECONDS)  # fmt: skip
        self.requests = count("moderation_http_requests", "requests, by the template of their route",
                              "method", "route", "status")  # fmt: skip
        self.seconds = time("moderation_http_request_seconds", "time of requests", _WEB_SECONDS, "method", "route")

    def _counter(self, name: str, help: str, *labels: str) -> Counter:
        return Counter(name, help, labels, registry=self.registry)

    def _histogram(self, name: str, help: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, help, labels, buckets=buckets, registry=self.registry)


_now = _Instruments()
_folder: list[Path] = []
_held: list[int] = []


def begin(folder: Path, role: str) -> None:
    """From now on this process counts in a free place of this role in the folder; to be called anew after a fork."""
    global _now
    while _held:  # the parent's, which a fork has copied
        os.close(_held.pop())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    place = _take_place(folder, role)
    _folder[:] = [folder]
    # The library reads its folder there.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: place)  # type: ignore[no-untyped-call]
    _now = _Instruments()


def _take_place(folder: Path, role: str) -> str:
    """The first place that no living process has; the kernel gives it back when this one ends, however it ends."""
    number = 0
    while True:
        file = os.open(folder / f"{role}-{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            number += 1
            continue
        _held.append(file)
        return f"{role}-{number}"


def shared_folder(data: Path) -> Path:
    """An empty folder in memory for the processes that work on this data folder, the same at each start."""
    name = hashlib.sha256(os.fsencode(data.absolute())).hexdigest()[:16]
    folder = _memory() / f"moderation-metrics-{os.geteuid()}-{name}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        about = folder.lstat()
        if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.geteuid():
            raise PermissionError  # somebody else was there first
        for file in folder.iterdir():
            file.unlink()
    except OSError:
        return own_folder()
    return folder


def own_folder() -> Path:
    """A folder in memory for this process and its children; it goes with this process."""
    for old in _memory().glob(f"{_OWN}*"):  # of a process that was killed
        pid = old.name.removeprefix(_OWN).partition("-")[0]
        if pid.isdigit() and not lives(int(pid)):
            shutil.rmtree(old, ignore_errors=True)
    owner = os.getpid()
    folder = Path(tempfile.mkdtemp(prefix=f"{_OWN}{owner}-", dir=_memory()))
    atexit.register(lambda: shutil.rmtree(folder, ignore_errors=True) if os.getpid() == owner else None)
    return folder


def _memory() -> Path:
    # Files are written through the memory of the process: on a full disk that would kill it.
    folder = Path("/dev/shm")  # nosec B108 # noqa: S108 (made with mkdtemp, or its owner is checked)
    return folder if os.access(folder, os.W_OK) else Path(tempfile.gettempdir())


def exposition(*more: Collector) -> bytes:
    """All counts of this machine's processes, and what these collectors add, as Prometheus reads it."""
    registry = CollectorRegistry()
    if _folder:
        MultiProcessCollector(registry, path=str(_folder[0]))  # type: ignore[no-untyped-call]
    text = generate_latest(registry if _folder else _now.registry)
    facts = CollectorRegistry()
    for collector in more:
        facts.register(collector)
    return text + generate_latest(facts)


def accepted(way: str, comments: int = 1) -> None:
    """Comments were taken in and committed. `way`: api, batch, public, drop_in or import."""
    _now.accepts.labels(way).inc(comments)


def decided(counts: Mapping[tuple[str, str], int]) -> None:
    """Decisions were committed: (source, action) -> how many."""
    for (source, action), count in counts.items():
        _now.decisions.labels(source, action).inc(count)


def scored(seconds: float, comments: int) -> None:
    """The scorer looked at a batch."""
    _now.batch.observe(seconds)
    _now.each.observe(seconds / max(1, comments))
    _now.scored.inc(comments)


def posted(result: str) -> None:
    """A webhook was posted. `result`: delivered, failed (tried again later) or given_up."""
    _now.webhooks.labels(result).inc()


def answered(method: str, route: str, status: int, seconds: float) -> None:
    """A request was answered; `route` is the template, never the path."""
    method = method if method in _METHODS else "other"
    _now.requests.labels(method, route, str(status)).inc()
    _now.seconds.labels(method, route).observe(seconds)
