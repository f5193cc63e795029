"""Where callers of other systems put the site key."""

from collections.abc import Iterable

from flask import g

from moderation.errors import Unauthorized
from moderation.http import service
from moderation.limits import count_call
from moderation.services.sites import KeyHolder


def holder_of_any(candidates: Iterable[str | None], scope: str) -> KeyHolder:
    """The site behind the first of these that is a key of ours; sets g.holder. Raises Unauthorized, or Forbidden when
    the key lacks the scope."""
    for key in candidates:
        if not key:
            continue
        try:
            holder = service().keys.holder(key)
        except Unauthorized:
            continue
        count_call(key)
        holder.need(scope)
        g.holder = holder
        return holder
    raise Unauthorized("there is no such key")
