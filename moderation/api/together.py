"""Working together, for programs: colleagues, presence, taking over, assignment, notes; as the pages have them."""

from typing import Annotated, Literal

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, Field

from moderation.api.answers import ItemOut
from moderation.api.auth import person, require_moderator
from moderation.api.body import require_json
from moderation.api.reviews import Id, ItemPath
from moderation.api.schemas import Problem
from moderation.domain.lifecycle import Role
from moderation.http import service
from moderation.services import claims, notes, queue
from moderation.services.fields import Text
from moderation.services.notes import Written
from moderation.services.views import iso
from moderation.store.session import now_ms

api = APIBlueprint(
    "together", __name__, url_prefix="/v1/review",
    abp_tags=[Tag(name="Moderators", description="for moderators, with a token or a session")],
    abp_security=[{"moderator": []}],
)  # fmt: skip
api.before_request(require_moderator)
api.before_request(require_json)


class ColleagueOut(BaseModel):
    """Somebody who moderates for the same site."""

    id: str
    name: str
    role: Role


class ColleaguesOut(BaseModel):
    """All who moderate for the site, by name."""

    colleagues: list[ColleagueOut]


class NoteOut(BaseModel):
    """A note between moderators; `yours` says that you can delete it."""

    id: str
    about: Literal["comment", "author"]
    by: str
    text: str
    created_at: str
    yours: bool


class NotesOut(BaseModel):
    """Notes about a comment and about its author, the newest first."""

    notes: list[NoteOut]


class NoteIn(BaseModel):
    """A new note."""

    about: Literal["comment", "author"]
    text: Annotated[Text, Field(min_length=1, max_length=notes.LONGEST)]


class NotePath(BaseModel):
    """A note's id."""

    note_id: Id


class AssignIn(BaseModel):
    """Who is to look at the item: a colleague's id, or null for nobody."""

    to: Id | None


@api.get("/colleagues", responses={200: ColleaguesOut})
def colleagues() -> Response:
    """Who moderates for this site, to assign items to."""
    with service().store.read() as session:
        found = claims.colleagues(session, person().site_id)
    return jsonify({"colleagues": [{"id": one.id, "name": one.name, "role": one.role} for one in found]})


@api.post("/items/<item_id>/here", responses={204: None, 404: Problem})
def here(path: ItemPath) -> Response:
    """Say every 20 s that you have the item open: others see it, and your claim on it lasts on."""
    with service().store.write() as session:
        claims.here(session, person(), path.item_id, now_ms(), _claim_ms())
    return Response(status=204)


@api.post("/items/<item_id>/away", responses={204: None})
def away(path: ItemPath) -> Response:
    """Say that you have left the item; a claim on it stays until it runs out."""
    with service().store.write() as session:
        claims.away(session, person(), path.item_id)
    return Response(status=204)


@api.post("/items/<item_id>/take-over", responses={200: ItemOut, 403: Problem, 404: Problem})
def take_over(path: ItemPath) -> Response:
    """For seniors: take an item from whoever has claimed it."""
    with service().store.write() as session:
        claims.take_over(session, person(), path.item_id, now_ms(), _claim_ms())
    return _item(path.item_id)


@api.post("/items/<item_id>/assign", responses={200: ItemOut, 404: Problem, 409: Problem})
def assign(path: ItemPath, body: AssignIn) -> Response:
    """Give a held item to a colleague; an escalated one only to a senior or an admin."""
    with service().store.write() as session:
        claims.assign(session, person(), path.item_id, body.to)
    return _item(path.item_id)


@api.get("/items/<item_id>/notes", responses={200: NotesOut, 404: Problem})
def listed(path: ItemPath) -> Response:
    """What colleagues noted about the comment and its author; never shown outside."""
    with service().store.read() as session:
        found = notes.listed(session, person(), path.item_id)
        return jsonify({"notes": [_note(written) for written in found]})


@api.post("/items/<item_id>/notes", responses={201: NoteOut, 404: Problem})
def add_note(path: ItemPath, body: NoteIn) -> tuple[Response, int]:
    """Write a note about the comment or its author."""
    with service().store.write() as session:
        written = notes.add(session, person(), path.item_id, body.about, body.text, now_ms())
        return jsonify(_note(written)), 201


@api.delete("/notes/<note_id>", responses={204: None, 403: Problem, 404: Problem})
def delete_note(path: NotePath) -> Response:
    """Delete a note of your own."""
    with service().store.write() as session:
        notes.delete(session, person(), path.note_id)
    return Response(status=204)


def _claim_ms() -> int:
    return round(service().settings.claim_seconds * 1000)


def _item(item_id: str) -> Response:
    with service().store.read() as session:
        return jsonify(queue.item(session, person().site_id, item_id, now_ms()).view())


def _note(written: Written) -> dict[str, object]:
    note = written.note
    return {
        "id": note.id, "about": written.about, "by": written.by, "text": note.text,
        "created_at": iso(note.created_at), "yours": note.moderator_id == person().id,
    }  # fmt: skip
