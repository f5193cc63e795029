"""/audit: the audit trail in words, for admins; and out of it as CSV or JSON lines."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request, stream_with_context
from flask_babel import gettext as _

from moderation.domain.lifecycle import Role
from moderation.errors import Invalid
from moderation.http import service
from moderation.services import audit_chain, audit_trail
from moderation.services.audit_trail import NOBODY, Wanted
from moderation.services.views import iso
from moderation.store.audit import AuditEvent
from moderation.store.session import now_ms
from moderation.web import audit_words, csv_lines, rooms, words
from moderation.web.session import person, require_sign_in

pages = Blueprint("audit", __name__, url_prefix="/audit")
pages.before_request(require_sign_in)
pages.before_request(lambda: rooms.need(Role.ADMIN))

_SHOWN = 50
_AT_ONCE = 1000
_FIELDS = ("who", "what", "about", "from", "to")


@pages.get("")
def trail() -> str:
    """A page of the trail, newest first, under the filter in the address."""
    asked = _asked()
    with service().store.read() as session:
        events, following = audit_trail.page(
            session, person().site_id, _wanted(asked), _SHOWN, request.args.get("before") or None
        )
        names = audit_trail.names(session, events)
        people = audit_trail.people(session, person().site_id)
        state = audit_chain.state(session)
    actions = {action: audit_words.name_of(action) for action in audit_words.ACTION_WORDS}
    return render_template(
        "audit.html", events=[_row(event, names) for event in events], asked=asked, people=people, nobody=NOBODY,
        actions=sorted(actions.items(), key=lambda item: item[1].lower()), state=state, now=now_ms(), w=words, iso=iso,
        moment=audit_words.moment, query=urlencode(asked), older=_address(asked | {"before": following or ""}),
        following=following, first=_address(asked) if request.args.get("before") else None,
    )  # fmt: skip


@pages.post("/export")
def export() -> Response:
    """All that the filter holds, streamed; the export itself goes into the trail first."""
    asked = _asked()
    form, wanted = request.form.get("form", ""), _wanted(asked)
    if form not in _FORMS:
        raise Invalid(f"form must be one of {', '.join(_FORMS)}", extra={"field": "form"})
    with service().store.write() as session:
        audit_trail.note_export(session, person().site_id, person().id, form, wanted)
    lines, kind = _FORMS[form]
    named = f"audit-{datetime.now(UTC):%Y-%m-%d}.{form}"
    return Response(
        stream_with_context(_exported(person().site_id, wanted, lines)), mimetype=kind,
        headers={"Content-Disposition": f'attachment; filename="{named}"'},
    )  # fmt: skip


def _asked() -> dict[str, str]:
    """The filter that the address names; what no id or name can hold is left out."""
    given = ((name, request.args.get(name, "").replace("\0", "").strip()) for name in _FIELDS)
    return {name: value for name, value in given if value}


def _wanted(asked: dict[str, str]) -> Wanted:
    return Wanted(
        person=asked.get("who"), action=asked.get("what"), subject=asked.get("about"),
        since=_day(asked, "from", 0), until=_day(asked, "to", 1),
    )  # fmt: skip


def _day(asked: dict[str, str], name: str, later: int) -> int | None:
    """The beginning of a day (UTC), or of the one after it, in milliseconds. Raises Invalid."""
    if name not in asked:
        return None
    try:
        day = datetime.strptime(asked[name], "%Y-%m-%d").replace(tzinfo=UTC)
        return max(0, round((day + timedelta(days=later)).timestamp() * 1000))
    except (ValueError, OverflowError):
        raise Invalid(_("%(name)s must be a day like 2026-11-25", name=name), extra={"field": name}) from None


def _address(asked: dict[str, str]) -> str:
    return f"/audit?{urlencode(asked)}" if asked else "/audit"


def _row(event: AuditEvent, names: dict[str, str]) -> dict[str, Any]:
    """What the page shows of an event; `item` is the comment that can be opened."""
    about_comment = event.action.startswith(("comment.", "appeal.")) and event.subject_id
    return {
        "id": event.id, "at": event.at, "says": audit_words.sentence(event, names), "place": event.place,
        "item": event.subject_id if about_comment else None,
    }  # fmt: skip


_Lines = Callable[[Sequence[AuditEvent], dict[str, str]], Iterator[str]]


def _exported(site_id: str, wanted: Wanted, lines: _Lines) -> Iterator[str]:
    with service().store.read() as session:
        yield from lines([], {})
        events = audit_trail.export(session, site_id, wanted)
        while some := list(islice(events, _AT_ONCE)):
            yield "".join(lines(some, audit_trail.names(session, some)))


def _csv(events: Sequence[AuditEvent], names: dict[str, str]) -> Iterator[str]:
    """Without events: the line of names."""
    if not events:
        yield csv_lines.line(["time", "person", "action", "what", "subject", "data", "id", "place", "seal"])
    for event in events:
        data = json.dumps(event.data, ensure_ascii=False) if event.data else None
        yield csv_lines.line([
            iso(event.at), names.get(event.actor or ""), event.action, audit_words.sentence(event, names),
            event.subject_id, data, event.id, event.place, event.seal,
        ])  # fmt: skip


def _jsonl(events: Sequence[AuditEvent], names: dict[str, str]) -> Iterator[str]:
    for event in events:
        known = event.actor in names  # a site may have put anything there for its own staff
        yield json.dumps({
            "time": iso(event.at), "person": names.get(event.actor or ""), "person_id": event.actor if known else None,
            "action": event.action, "subject": event.subject_id, "data": event.data, "id": event.id,
            "place": event.place, "digest": event.digest, "seal": event.seal, "erased": event.erased_at is not None,
        }) + "\n"  # fmt: skip


_FORMS: dict[str, tuple[_Lines, str]] = {"csv": (_csv, "text/csv"), "jsonl": (_jsonl, "application/x-ndjson")}
