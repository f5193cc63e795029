"""Where callers of other systems put the site key."""

from collections.abc import Iterable

from flask import g

from moderation.errors import Unauthorized
from moderation.http import service
from moderation.services import sites
from moderation.services.sites import KeyHolder


def holder_of_any(candidates: Iterable[str | None], scope: str) -> KeyHolder:
    """The site behind the first of these that is a key of ours; sets g.holder. Raises Unauthorized, or Forbidden when
    the key lacks the scope."""
    with service().store.read() as session:
        for key in candidates:
            if not key:
                continue
            try:
                holder = sites.holder_of(session, key)
            except Unauthorized:
                continue
            holder.need(scope)
            g.holder = holder
            return holder
    raise Unauthorized("there is no such key")
