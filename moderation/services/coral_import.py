"""Coral's history into ours: decided comments are stored with the status they had there, and old scores are set beside
ours for the report."""

import os
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from moderation import metrics
from moderation.domain.attributes import asked
from moderation.scoring import ATTRIBUTES, Classifier
from moderation.services import coral_export, decide, intake, leases
from moderation.services.coral_export import Bad, OldComment, Skipped, Story
from moderation.services.decide import Scored
from moderation.services.intake import NewComment
from moderation.services.leases import Leased
from moderation.services.plain_text import plain_text
from moderation.store.session import Store, now_ms

_BATCH = 256
_LEASE_MS = 120_000
_BAD_KEPT = 20
_IMPORTED = {"APPROVED": "approved", "REJECTED": "rejected"}


@dataclass
class Pairs:
    """Old and new score of the same comments; `decided` is 1 where moderation rejected, 0 approved, -1 undecided."""

    ids: list[str] = field(default_factory=list)
    old: "array[float]" = field(default_factory=lambda: array("d"))
    new: "array[float]" = field(default_factory=lambda: array("d"))
    decided: "array[int]" = field(default_factory=lambda: array("b"))


@dataclass
class Imported:
    """What became of a file. `counts` by outcome; `bad` holds the first bad lines; `pairs` by attribute."""

    counts: "Counter[str]" = field(default_factory=Counter)
    bad: list[Bad] = field(default_factory=list)
    pairs: dict[str, Pairs] = field(default_factory=lambda: defaultdict(Pairs))

    def refuse(self, bad: Bad) -> None:
        """Counts a bad line."""
        self.counts["bad_lines"] += 1
        if len(self.bad) < _BAD_KEPT:
            self.bad.append(bad)


class Importer:
    """Reads batch after batch; what is in memory at once is a batch, and two numbers and an id for each old score."""

    def __init__(self, store: Store, classifier: Classifier, site_id: str, host: str) -> None:
        self._store, self._classifier, self._site_id = store, classifier, site_id
        self._owner = f"{host}:{os.getpid()}"
        self._stories: dict[str, Story] = {}
        self.done = Imported()

    def read_stories(self, path: Path) -> None:
        """Addresses and titles for the comments; without them an article is known by Coral's id for it alone."""
        for story in coral_export.stories(path):
            if isinstance(story, Bad):
                self.done.refuse(story)
            else:
                self._stories[story.id] = story

    def read_comments(self, path: Path) -> Iterator[int]:
        """Stores and scores; gives the number of comments read after each batch. A second time it adds nothing."""
        found = coral_export.comments(path)
        while batch := list(islice(found, _BATCH)):
            self._batch([one for one in batch if isinstance(one, OldComment)])
            for one in batch:
                if isinstance(one, Bad):
                    self.done.refuse(one)
                else:
                    self.done.counts["read"] += 1
                if isinstance(one, Skipped):
                    self.done.counts[one.why] += 1
            yield self.done.counts["read"]

    def _batch(self, comments: Sequence[OldComment]) -> None:
        wanted = [one for one in comments if one.status in _IMPORTED or one.score is not None]
        self.done.counts["undecided"] += sum(one.status not in _IMPORTED for one in comments)
        judged = decide.score_in_halves(self._classifier, [_to_judge(one) for one in wanted])
        for one, scored in zip(wanted, judged, strict=True):
            self._pair(one, scored)
        self._keep([(one, s) for one, s in zip(wanted, judged, strict=True) if one.status in _IMPORTED])

    def _keep(self, decided: list[tuple[OldComment, Scored]]) -> None:
        """Takes them in and decides them under one lease, with the scores that are known already."""
        if not decided:
            return
        with self._store.write() as session:
            now = now_ms()
            results = intake.submit(session, self._site_id, [self._new(one) for one, _ in decided], now)
            fresh = {r.id: s for r, (_, s) in zip(results, decided, strict=True) if r.created}
            taken = leases.lease_new(session, list(fresh), self._owner, now + _LEASE_MS)
        metrics.accepted("import", len(fresh))
        self.done.counts["stored"] += len(fresh)
        self.done.counts["other_text_here"] += sum(result.conflict for result in results)
        self.done.counts["here_before"] += sum(not result.created and not result.conflict for result in results)
        scored = [Scored(one, fresh[one.id].judged) for one in taken]
        decide.decide_scored(self._store, self._classifier, self._owner, scored)

    def _pair(self, comment: OldComment, scored: Scored) -> None:
        if comment.score is None:
            return
        attribute = asked(comment.model or "TOXICITY", ATTRIBUTES).attribute
        if attribute is None:
            self.done.counts["score_of_unknown_attribute"] += 1
        elif scored.judged is None:
            self.done.counts["not_scored"] += 1
        elif scored.judged.scores is None:
            self.done.counts["language_not_served"] += 1
        else:
            pairs = self.done.pairs[attribute]
            pairs.ids.append(comment.id)
            pairs.old.append(comment.score)
            pairs.new.append(scored.judged.scores[attribute])
            pairs.decided.append({"APPROVED": 0, "REJECTED": 1}.get(comment.status, -1))

    def _new(self, one: OldComment) -> NewComment:
        story = self._stories.get(one.story_id)
        # Who is not known (any more) is nobody else: not one author of all these comments.
        author = one.author_id or f"unknown:{one.id}"[:200]
        return NewComment(
            external_id=one.id, body=one.body, format="html", author_name=one.author_id or "unknown",
            author_email=None, author_url=None, author_id=author,
            article_url=story.url if story else f"https://coral.invalid/story/{one.story_id}",
            article_title=story.title if story else None, article_section=story.section if story else None,
            parent_external_id=one.parent_id, created_at=one.created_at, imported_status=_IMPORTED[one.status],
        )  # fmt: skip


def texts(path: Path, ids: set[str]) -> Iterator[tuple[str, str]]:
    """(id, text) of these comments, by a second look into the file."""
    for one in coral_export.comments(path):
        if isinstance(one, OldComment) and one.id in ids:
            yield one.id, plain_text(one.body, "html").text.strip()


def _to_judge(one: OldComment) -> Leased:
    return Leased(one.id, "", 1, plain_text(one.body, "html"), one.body, "", 0, "")


def summary(done: Imported) -> dict[str, Any]:
    """Counts and the first bad lines, for the report."""
    return {"counts": dict(done.counts), "bad_lines": [str(bad) for bad in done.bad]}
