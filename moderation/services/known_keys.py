"""Site keys that were looked up a moment ago: most requests come with the same few keys."""

import time
from functools import partial

from moderation.by_turns import aside
from moderation.services import site_keys, sites
from moderation.services.sites import KeyHolder
from moderation.store.session import Store, now_ms

# So long a key that was revoked is still known.
_SECONDS = 1.0
_AT_MOST = 1000


class KnownKeys:
    """What one process knows of site keys; by their digest, so that no key stays in memory."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, tuple[KeyHolder, float]] = {}

    def holder(self, key: str) -> KeyHolder:
        """Who this key belongs to. Raises Unauthorized."""
        digest, now = sites.digest(key), time.monotonic()
        holder, until = self._known.get(digest, (None, 0.0))
        if holder is None or until < now:
            holder = aside(partial(self._look_up, key, digest))
            if len(self._known) >= _AT_MOST:
                self._known = {}
            self._known[digest] = holder, now + _SECONDS
        holder.need_valid(now_ms())
        return holder

    def _look_up(self, key: str, digest: str) -> KeyHolder:
        with self._store.read() as session:
            holder = sites.holder_of(session, key)
        site_keys.note_use(self._store, digest, holder, now_ms())
        return holder
