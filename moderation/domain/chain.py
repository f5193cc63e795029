"""The arithmetic of the audit chain: what is hashed, with which key, and how a walk finds the first broken row. Pure.

docs/decisions/0014-audit-chain.md says why it is made like this.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

# What the sealer writes into the trail when the chain that it is to go on with is not the one that it left.
BROKEN = "audit.chain_broken"
ERASED = "audit.erased"

_PURPOSE = b"moderation audit chain 1"


class Said(NamedTuple):
    """What an audit event says; the digest covers all of it. `at` is in milliseconds."""

    id: str
    site_id: str | None
    at: int
    actor: str | None
    action: str
    subject_id: str | None
    data: dict[str, Any]


class Link(NamedTuple):
    """A sealed event."""

    said: Said
    place: int
    digest: str
    seal: str
    erased: bool


class Head(NamedTuple):
    """A place in the chain and its seal; (0, "") is where it begins."""

    place: int
    seal: str

    def __str__(self) -> str:
        return f"{self.place}:{self.seal}"


BEGINNING = Head(0, "")


@dataclass(frozen=True)
class Break:
    """The first thing that is wrong: at which place, with which event (None: it is not there), and what."""

    place: int
    event: str | None
    what: str

    def __str__(self) -> str:
        where = f"place {self.place}" + (f" (event {self.event})" if self.event else "")
        return f"{where}: {self.what}"


def keys(secret: str, former: str = "") -> list[bytes]:
    """The chain's keys, the oldest first: of the former secrets (in words, the newest first), then of the present."""
    secrets = [*reversed(former.split()), secret]
    return [hmac.digest(one.encode(), _PURPOSE, "sha256") for one in secrets]


def digest(key: bytes, said: Said) -> str:
    """Keyed hash of what an event says: without the key nobody can try out what an erased one may have said."""
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return hmac.digest(key, text.encode(), "sha256").hex()


def seal(previous: str, place: int, digest: str) -> str:
    """Hash over the seal before, the place, and the digest."""
    return hashlib.sha256(f"{previous}\n{place}\n{digest}".encode()).hexdigest()


def signature(key: bytes, head: Head) -> str:
    """What only who has the key can put beside a head."""
    return hmac.digest(key, f"head {head}".encode(), "sha256").hex()


def signed(keys: Sequence[bytes], head: Head, mac: str) -> bool:
    """Whether one of these keys signed this head. The beginning needs no signature."""
    return head == BEGINNING or any(hmac.compare_digest(signature(key, head), mac) for key in keys)


class Walk:
    """Goes from link to link; `step` gives the first thing that is wrong. It remembers one link, however long the way.

    `keys` are tried oldest first, and never an older one again: one that leaked can't seal what came later. Those that
    are left at the end may have signed the head.
    """

    def __init__(self, keys: Sequence[bytes], start: Head, expect: Head | None = None) -> None:
        self.head = start
        self.erased = self.erasures = self.links = 0
        self.keys = list(keys)
        self._expect = expect

    def step(self, link: Link) -> Break | None:
        """Checks the next link in the order of places."""
        place = self.head.place + 1
        if link.place != place:
            return Break(place, None, "this event is missing")
        if not link.erased and not self._says(link):
            return Break(place, link.said.id, "what it says was changed, or its secret key is not known here")
        if seal(self.head.seal, place, link.digest) != link.seal:
            return Break(place, link.said.id, "its seal does not follow from the one before: moved, put in or resealed")
        if self._expect and self._expect.place == place and self._expect.seal != link.seal:
            return Break(place, link.said.id, "its seal is not the expected one: the chain was made anew")
        if link.said.action == BROKEN:
            return Break(place, link.said.id, "here the sealer found that the chain was not as it had left it")
        self.head = Head(place, link.seal)
        self.links += 1
        self.erased += link.erased
        if link.said.action == ERASED:
            self.erasures += int(link.said.data.get("count", 0))
        return None

    def arrive(self, head: Head, genuine: bool, erasures_to_come: int = 0) -> Break | None:
        """Checks the end: the walk must have come to this head, which must be signed (`genuine`), and far enough."""
        if self.head != head:
            why = "the rest was cut off" if self.head.place < head.place else "it was put back, or what is last put in"
            return Break(self.head.place + 1, None, f"the chain ends here, its head is at place {head.place}: {why}")
        if not genuine:
            return Break(head.place, None, "the signature of the head is not ours: the chain was cut off or made anew")
        if self._expect and self._expect.place > head.place:
            return Break(head.place + 1, None, f"the chain ends before the expected place {self._expect.place}")
        if self.erased > self.erasures + erasures_to_come:
            return Break(head.place, None, f"{self.erased} events are marked as erased, but not all by an erasure")
        return None

    def _says(self, link: Link) -> bool:
        while True:
            if hmac.compare_digest(digest(self.keys[0], link.said), link.digest):
                return True
            if len(self.keys) == 1:
                return False
            self.keys.pop(0)
