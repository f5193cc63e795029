"""What an open desk says and hears by itself: where its person is, and in GET /review/live what others do.

Each event says how all that the desk shows stands now, so a browser that was away for a while misses nothing.
"""

import json
import select
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from babel import Locale
from flask import Blueprint, Flask, Response, current_app, request
from flask_babel import force_locale, ngettext
from flask_babel import gettext as _

from moderation.config import Settings
from moderation.domain.lifecycle import Source, Status
from moderation.http import service, session_token
from moderation.services import claims, queue
from moderation.services.sites import digest
from moderation.services.watch import Seen
from moderation.store.session import Store, now_ms
from moderation.web import words
from moderation.web.live_hub import Hub, Sight, Stream, Wish
from moderation.web.place import Place
from moderation.web.session import person, require_sign_in_unused

pages = Blueprint("live", __name__, url_prefix="/review")
pages.before_request(require_sign_in_unused)

_QUIET_SECONDS = 15.0
_LOOK_SECONDS = 1.0  # how soon a stream sees that it is to end, or that its browser has gone
_MOST_IDS = 101
_RETRY_MS = 3_000


def install(app: Flask, settings: Settings, store: Store) -> None:
    """The hub of this process: streams may hold half of the threads, so that the other half answers requests."""
    app.extensions["live"] = Hub(store, settings.web_threads // 2, round(settings.session_idle_hours * 3_600_000))


def hub() -> Hub:
    """The hub of the running app."""
    return cast(Hub, current_app.extensions["live"])


@pages.post("/<item_id>/here")
def here(item_id: str) -> Response:
    """A sign of life from a visible desk that has this item open."""
    with service().store.write() as session:
        claims.here(session, person(), item_id, now_ms(), round(service().settings.claim_seconds * 1000))
    return Response(status=204)


@pages.post("/<item_id>/away")
def away(item_id: str) -> Response:
    """The desk has left this item."""
    with service().store.write() as session:
        claims.away(session, person(), item_id)
    return Response(status=204)


@pages.get("/live")
def follow() -> Response:
    """A stream for the desk with this filter; `see` are the ids that it shows, `since` when its list was made.

    204 where there is no room. The desk then asks now and then with `once`, which is answered at once as JSON.
    """
    wish, live = _wish(), hub()
    with service().store.read() as session:
        queue.count(session, wish.site_id, wish.filter, most=1)  # a filter that can't be is refused at once
    desk = _Desk.of_request()
    if "once" in request.args:
        sight = live.look(wish)
        return Response(desk.told(sight, wish), mimetype="application/json") if sight else Response(status=204)
    stream = live.open(wish)
    if stream is None:
        return Response(status=204)
    answer = Response(_events(live, stream, desk), mimetype="text/event-stream")
    answer.headers["X-Accel-Buffering"] = "no"
    answer.call_on_close(lambda: live.close(stream))
    return answer


@dataclass(frozen=True)
class _Desk:
    """What of the request a stream needs after it: the request itself is over when the first event is sent."""

    app: Flask
    locale: Locale
    connection: socket.socket | None

    @classmethod
    def of_request(cls) -> "_Desk":
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        return cls(app, words.locale(), request.environ.get("gunicorn.socket"))

    def told(self, sight: Sight, wish: Wish) -> str:
        """The event's text in the desk's language."""
        with self.app.app_context(), force_locale(str(self.locale)):
            return json.dumps(_said(sight, wish))


def _wish() -> Wish:
    ids = [id for id in request.args.get("see", "").split(",") if id][:_MOST_IDS]
    since = request.args.get("since", "")
    place = Place.of(request.args)
    shown = Place({name: value for name, value in place.chosen.items() if name not in ("after", "before")})
    return Wish(
        person().site_id, person().id, digest(session_token()), tuple(dict.fromkeys(ids)), shown.filter, shown.url(),
        int(since) if since.isdecimal() and len(since) < 16 else 0,
    )  # fmt: skip


def _events(live: Hub, stream: Stream, desk: _Desk) -> Iterator[str]:
    last, spoke = "", time.monotonic()
    yield f"retry: {_RETRY_MS}\n\n"
    while live.alive() and not stream.ended and not _gone(desk.connection):
        sight = stream.next(_LOOK_SECONDS)
        text = desk.told(sight, stream.wish) if sight else last
        if sight and text != last:
            yield f"id: {sight.at}\nevent: state\ndata: {text}\n\n"
            last, spoke = text, time.monotonic()
        elif time.monotonic() - spoke > _QUIET_SECONDS:
            yield ": still here\n\n"
            spoke = time.monotonic()


def _gone(connection: socket.socket | None) -> bool:
    """Whether the browser has closed the connection; without this its thread would be kept until something is said."""
    if connection is None:
        return False
    try:
        readable, _, _ = select.select([connection], [], [], 0)
        return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""
    except (OSError, ValueError):
        return True


def _said(sight: Sight, wish: Wish) -> dict[str, Any]:
    """What a desk is told, in words of its language; only rows of which there is something to say."""
    me = wish.person_id
    rows = {id: row for id in wish.ids if (row := _row(sight, id, me, wish.since))}
    said: dict[str, Any] = {
        "count": sight.count, "counted": sight.counted,
        "new": sight.new, "fresh": _("%(number)s new", number=sight.new), "rows": rows,
        "versions": {id: sight.seen[id].version for id in rows},
        "waiting": _waiting(sight.waiting), "assigned": None,
    }  # fmt: skip
    given = sight.assignment
    if given and given.at > wish.since and given.by_id != me:
        text = _("%(name)s assigned a comment to you.", name=given.by or _("Somebody"))
        said["assigned"] = {"id": given.comment_id, "text": text}
    return said


def _waiting(number: int) -> str:
    return ngettext("%(num)s assigned to you", "%(num)s assigned to you", number) if number else ""


def _row(sight: Sight, id: str, me: str, since: int) -> dict[str, str] | None:
    """`done` for the list, where it is over; `has` for who has it or looks at it; `line` for the open item."""
    seen = sight.seen.get(id)
    if seen is None:
        return None
    if done := _done(seen, me, since):
        return {"done": done}
    if seen.status is Status.HELD and seen.reason == "escalate" and seen.decided_at >= since and seen.actor != me:
        has = _("%(name)s escalated it", name=seen.by)
        return {"has": has, "line": f"{has}."}
    if seen.holder == me:
        return {"has": _("yours"), "mine": "yes"}
    if seen.holder:
        has = _("%(name)s has it", name=seen.holder_name)
        return {"has": has, "claimed": "yes", "line": f"{has}."}
    names = [name for other, name in sight.present.get(id, ()) if other != me]
    if not names:
        return None
    looks = ngettext("%(names)s is looking at it", "%(names)s are looking at it", len(names), names=", ".join(names))
    return {"has": looks, "line": f"{looks}."}


def _done(seen: Seen, me: str, since: int) -> str:
    """What was decided since the list was made; empty where it still waits for a decision."""
    if seen.status is Status.PENDING:
        return _("Edited; it is being checked again")
    if seen.status is Status.WITHDRAWN:
        return _("Withdrawn")
    if seen.decided_at < since or seen.undone or seen.source in (None, Source.POLICY, Source.REPORT):
        return ""
    who = _("You") if seen.actor == me else seen.by or _("The site")
    if seen.status is Status.APPROVED:
        return _("%(name)s approved it", name=who)
    return _("%(name)s rejected it", name=who) if seen.status is Status.REJECTED else ""
