"""How many comments a second do one worker and two decide, beside the scorer and beside a drain that scores nothing?

Scorer `linear` and `cascade`, SQLite and a PostgreSQL server of its own, all in turn in each round. `judge alone` is
`Classifier.judge` (language, scores) on the same texts in the same batches; `scores there` is the same drain with
what `judge` said already known. `python -m benchmarks.decisions` prints the table.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from statistics import median

from benchmarks.command import options, place
from benchmarks.decisions import comments_from
from benchmarks.queue_databases import postgresql
from moderation.config import Settings
from moderation.scoring import Classifier, Judged
from moderation.services import intake, sites
from moderation.services.leases import BATCH
from moderation.store import schema
from moderation.store.session import now_ms
from workers import runtime

_FORK = get_context("fork")


class _Known(Classifier):
    """A classifier that has judged all these texts before."""

    def judge(self, texts: Sequence[str], *, served_language: bool = False) -> list[Judged]:
        return [_KNOWN[text] for text in texts]


_KNOWN: dict[str, Judged] = {}


@dataclass
class Case:
    """One scorer on one database, and the comments a second of each round."""

    work: runtime.Runtime
    site: str
    comments: int
    made: int = 0
    rates: dict[str, list[float]] = field(default_factory=dict)

    def round(self) -> None:
        """Each measure once, on fresh comments."""
        texts = self._submit()
        self._note("one worker", lambda: self._drain(self.work))
        self._note("judge alone", lambda: self._judge(texts))
        self._submit()
        self._note("two workers", self._two)
        texts = self._submit()
        self._judge(texts, keep=True)
        known = _Known(self.work.classifier.name, self.work.classifier.scorer)
        quick = runtime.Runtime(**{**vars(self.work), "classifier": known})
        self._note("scores there", lambda: self._drain(quick))

    def _note(self, name: str, step: Callable[[], None]) -> None:
        began = time.perf_counter()
        step()
        self.rates.setdefault(name, []).append(self.comments / (time.perf_counter() - began))

    def _submit(self) -> list[str]:
        fresh = comments_from(self.made, self.comments)
        self.made += self.comments
        with self.work.store.write() as session:
            intake.submit(session, self.site, fresh, now_ms())
        return [comment.body for comment in fresh]

    def _drain(self, work: runtime.Runtime) -> None:
        if work.drain(until=lambda: False) != self.comments:
            raise RuntimeError("not all comments were decided")

    def _judge(self, texts: list[str], *, keep: bool = False) -> None:
        for start in range(0, len(texts), BATCH):
            judged = self.work.classifier.judge(texts[start : start + BATCH])
            if keep:
                _KNOWN.update(zip(texts[start : start + BATCH], judged, strict=True))

    def _two(self) -> None:
        """Two forked processes, as a worker's parent forks them; their connections are their own."""
        self.work.store.close()
        children = [_FORK.Process(target=self._child) for _ in range(2)]
        for child in children:
            child.start()
        for child in children:
            child.join()
            if child.exitcode:
                raise RuntimeError("a worker failed")

    def _child(self) -> None:
        self.work.store.forget_connections()
        self.work.drain(until=lambda: False)


def _case(url: str, scorer: str, comments: int) -> Case:
    work = runtime.make(Settings(database_url=url, redis_url="redis://127.0.0.1:1/0", scorer=scorer))
    schema.upgrade(work.store)
    with work.store.write() as session:
        site, _ = sites.create_site(session, f"bench {scorer}")
        return Case(work, site.id, comments)


def main() -> None:
    """Measures and prints."""
    given = options("decisions", __doc__, rounds=5, comments=1024)
    with place(given.folder) as folder, postgresql(folder / "postgresql") as server:
        urls = {"SQLite": f"sqlite:///{folder}/decisions.sqlite3", "PostgreSQL": server}
        cases = {(database, scorer): _case(url, scorer, given.comments)
                 for database, url in urls.items() for scorer in ("linear", "cascade")}  # fmt: skip
        for _ in range(given.rounds + 1):
            for case in cases.values():
                case.round()
        _show(cases)


def _show(cases: dict[tuple[str, str], Case]) -> None:
    heads = ("one worker", "two workers", "judge alone", "scores there", "one x judge", "one x there", "two x one")
    print(f"| comments/s | {' | '.join(heads)} |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for (database, scorer), case in cases.items():
        rates = {name: values[1:] for name, values in case.rates.items()}  # the first round warms up
        one, two, judge, there = (rates[n] for n in ("one worker", "two workers", "judge alone", "scores there"))
        cells = [f"{median(values):,.0f}" for values in (one, two, judge, there)]
        for above, below in ((one, judge), (one, there), (two, one)):
            cells.append(f"{median(a / b for a, b in zip(above, below, strict=True)):.2f}")
        print(f"| {database}, {scorer} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
