"""The people of a site for programs, as on the page /people: who there is, what they may do, invitations."""

from typing import Annotated

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, Field

from moderation.api.auth import person, require_moderator
from moderation.api.body import require_json
from moderation.api.schemas import Problem
from moderation.domain.lifecycle import Role
from moderation.errors import NotFound
from moderation.http import service
from moderation.services import accounts, invitations, people
from moderation.services.fields import Text
from moderation.services.people import Member
from moderation.services.views import iso
from moderation.store.tables import Site
from moderation.web import letters

api = APIBlueprint(
    "people_api", __name__, url_prefix="/v1/people",
    abp_tags=[Tag(name="Moderators", description="for moderators, with a token or a session")],
    abp_security=[{"moderator": []}],
)  # fmt: skip
api.before_request(require_moderator)
api.before_request(require_json)

Address = Annotated[Text, Field(max_length=320)]


class PersonOut(BaseModel):
    """Somebody who moderates the site."""

    id: str
    name: str
    email: str
    role: Role
    seen_at: str | None


class PeopleOut(BaseModel):
    """All of them."""

    people: list[PersonOut]


class RoleBody(BaseModel):
    """What whoever has this address may do from now on; null takes them off the site."""

    email: Address
    role: Role | None


class InvitationBody(BaseModel):
    """Whom to invite as what."""

    email: Address
    role: Role


class InvitationOut(BaseModel):
    """An invitation. `link` is null where it went out by letter; else it is shown only now."""

    id: str
    email: str
    role: Role
    expires_at: str
    link: str | None


@api.get("", responses={200: PeopleOut, 403: Problem})
def list_people() -> Response:
    """Everybody who moderates the site; for admins."""
    with service().store.read() as session:
        people.need_admin(session, person().site_id, person())
        return jsonify({"people": [_view(one) for one in people.of_site(session, person().site_id)]})


@api.put("", responses={200: PeopleOut, 403: Problem, 404: Problem, 409: Problem, 422: Problem})
def set_role(body: RoleBody) -> Response:
    """Give somebody another role, or take them off the site at once; the answer is who is there then."""
    site_id = person().site_id
    with service().store.write() as session:
        people.need_admin(session, site_id, person())
        known = accounts.with_address(session, body.email)
        if known is None:
            raise NotFound("there is nobody like that here")
        if body.role is None:
            people.remove(session, site_id, known.id, person())
        else:
            people.set_role(session, site_id, known.id, body.role, person())
        return jsonify({"people": [_view(one) for one in people.of_site(session, site_id)]})


@api.post("/invitations", responses={200: InvitationOut, 403: Problem, 409: Problem, 422: Problem})
def invite(body: InvitationBody) -> Response:
    """Invite somebody: by letter where there is a mail server, else by the link of the answer."""
    with service().store.write() as session:
        made, secret = invitations.invite(session, person(), body.email, body.role)
        site = session.get_one(Site, made.site_id).name
    link = letters.address_of(f"/join/{secret}")
    sent = letters.sent(made.email, *letters.invitation(site, link, person().name))
    return jsonify({"id": made.id, "email": made.email, "role": made.role, "expires_at": iso(made.expires_at),
                    "link": None if sent else link})  # fmt: skip


def _view(one: Member) -> dict[str, object]:
    return {"id": one.id, "name": one.name, "email": one.email, "role": one.role,
            "seen_at": iso(one.seen_at) if one.seen_at else None}  # fmt: skip
