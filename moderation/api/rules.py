"""What holds for authors, articles and the whole site, for programs; as the pages have it."""

from typing import Annotated, Any, Literal

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from moderation.api.auth import person, require_moderator
from moderation.api.body import require_json
from moderation.api.schemas import Problem, millis
from moderation.domain.lifecycle import Role
from moderation.domain.standing import Standing
from moderation.errors import Forbidden
from moderation.http import service
from moderation.services import articles, authors, lock_down, policies, policy_history, policy_preview, standings
from moderation.services.fields import WHOLE, Text, Time
from moderation.services.policy_document import check
from moderation.services.review import Act
from moderation.store.session import now_ms

api = APIBlueprint(
    "rules", __name__, url_prefix="/v1/review",
    abp_tags=[Tag(name="Moderators", description="for moderators, with a token or a session")],
    abp_security=[{"moderator": []}],
)  # fmt: skip
api.before_request(require_moderator)
api.before_request(require_json)

Number = Annotated[int, Field(ge=1, le=10**9)]


class AuthorPath(BaseModel):
    """An author by the key of their comments."""

    author_key: Annotated[Text, Field(max_length=64)]


class StandingIn(BaseModel):
    """What holds for an author from now on; null ends it. `until` null has no end. With a ban, `reject_waiting` is the
    reason for which what waits of theirs is rejected, as one batch."""

    standing: Standing | None
    until: Time | None = None
    reject_waiting: Annotated[Text, Field(max_length=64)] | None = None
    note: Annotated[Text, Field(max_length=2000)] | None = None


class StandsOut(BaseModel):
    """How an author stands; `standing` null: nothing special."""

    standing: Standing | None
    until: str | None = None
    by: str | None = None
    since: str | None = None


class StoodOut(StandsOut):
    """The same, and how many waiting comments were rejected with it."""

    rejected: int


class ArticlePath(BaseModel):
    """An article's id."""

    article_id: Annotated[Text, Field(max_length=64)]


class ArticlesQuery(BaseModel):
    """`q` is looked for in title, address and section."""

    q: Annotated[Text, Field(max_length=2048)] = ""
    state: Literal["", "closed", "held"] = ""


class ArticleDeedIn(BaseModel):
    """What to do: close it for comments, open it again, hold every new comment, release (let the rules decide)."""

    do: Literal["close", "open", "hold", "release"]


class SlowIn(BaseModel):
    """Seconds between two comments of one author under an article; null ends the slow mode."""

    seconds: Annotated[int, Field(strict=True, ge=1, le=articles.SLOWEST), WHOLE] | None


class LockDownIn(BaseModel):
    """Whether every new comment of the site is to be held."""

    on: Annotated[bool, Field(strict=True)]


class LockDownOut(BaseModel):
    """A lock-down: whether it is on, who began it (null: a command) and when."""

    on: bool
    by: str | None = None
    since: str | None = None


class ArticleOut(BaseModel):
    """An article, what holds there, and its comments by status."""

    id: str
    url: str
    title: str | None
    section: str | None
    closed_at: str | None
    hold_all: bool
    slow_seconds: int | None
    counts: dict[str, int]


class ArticlesOut(BaseModel):
    """At most 50, by their newest comment."""

    articles: list[ArticleOut]


class PolicyQuery(BaseModel):
    """Which version; the one in force without it."""

    version: Number | None = None


class PolicyDraftIn(BaseModel):
    """A draft: the document as docs/policy.md describes it."""

    document: dict[str, Any]


class PolicyIn(PolicyDraftIn):
    """A draft to save; `base` is the version that it was made from."""

    base: Annotated[int, Field(strict=True, ge=1, le=10**9), WHOLE]
    note: Annotated[Text, Field(max_length=500)] | None = None


class PolicyOut(BaseModel):
    """A version of the policy."""

    version: int
    at: str
    by: str | None
    note: str | None
    document: dict[str, Any]


class WouldOut(BaseModel):
    """A comment that would be decided otherwise."""

    id: str
    before: Literal["approve", "hold", "reject"]
    after: Literal["approve", "hold", "reject"]


class PreviewOut(BaseModel):
    """The last comments under the policy in force and under the draft; for `unsure` further ones it can't be told."""

    compared: int
    unsure: int
    changed: list[WouldOut]


def _need(role: Role) -> None:
    if not person().role.includes(role):
        raise Forbidden(f"this is for the role {role} and above", code="role_needed")


@api.get("/authors/<author_key>/standing", responses={200: StandsOut})
def standing(path: AuthorPath) -> Response:
    """How an author stands."""
    with service().store.read() as session:
        authors.author(session, person().site_id, path.author_key)
        found = standings.stands(session, person().site_id, path.author_key, now_ms())
    return jsonify(found.view() if found else StandsOut(standing=None).model_dump())


@api.post("/authors/<author_key>/standing", responses={200: StoodOut, 409: Problem})
def stand(path: AuthorPath, body: StandingIn) -> Response:
    """Hold, ban or trust an author, or end that. Moderators hold; seniors and admins do all of it."""
    now, rejected = now_ms(), 0
    with service().store.write() as session:
        if body.standing is None:
            standings.lift(session, person(), path.author_key, now)
            view = StandsOut(standing=None).model_dump()
        else:
            until = millis(body.until)
            view = standings.give(session, person(), path.author_key, body.standing, until, now).view()
        if body.standing is Standing.BAN and body.reject_waiting:
            wanted = Act("reject", None, body.reject_waiting, body.note)
            grace = round(service().settings.grace_seconds * 1000)
            rejected = standings.reject_waiting(session, person(), path.author_key, wanted, now, grace)
    return jsonify(view | {"rejected": rejected})


@api.get("/articles", responses={200: ArticlesOut})
def list_articles(query: ArticlesQuery) -> Response:
    """Articles by their newest comment."""
    with service().store.read() as session:
        found = articles.listed(session, person().site_id, query.q, query.state)
    return jsonify({"articles": [one.view() for one in found]})


@api.get("/articles/<article_id>", responses={200: ArticleOut})
def article(path: ArticlePath) -> Response:
    """One article."""
    with service().store.read() as session:
        return jsonify(articles.one(session, person().site_id, path.article_id).view())


@api.post("/articles/<article_id>", responses={200: ArticleOut})
def change_article(path: ArticlePath, body: ArticleDeedIn) -> Response:
    """Close an article, open it again (seniors and admins), hold every new comment there, or let the rules decide."""
    with service().store.write() as session:
        articles.do(session, person(), path.article_id, body.do, now_ms())
        return jsonify(articles.one(session, person().site_id, path.article_id).view())


@api.post("/articles/<article_id>/slow-mode", responses={200: ArticleOut})
def slow_mode(path: ArticlePath, body: SlowIn) -> Response:
    """Set how long one author waits between two comments under an article, or end that."""
    with service().store.write() as session:
        articles.slow(session, person(), path.article_id, body.seconds)
        return jsonify(articles.one(session, person().site_id, path.article_id).view())


@api.get("/lock-down", responses={200: LockDownOut})
def lock_down_state() -> Response:
    """Whether every new comment of the site is held."""
    with service().store.read() as session:
        return jsonify(_lock_down(session))


@api.post("/lock-down", responses={200: LockDownOut})
def change_lock_down(body: LockDownIn) -> Response:
    """Begin or end a lock-down: every new comment of the site is held, whatever the rules say. Seniors and admins."""
    with service().store.write() as session:
        lock_down.by_person(session, person(), on=body.on)
        return jsonify(_lock_down(session))


def _lock_down(session: Session) -> dict[str, Any]:
    found = lock_down.standing(session, person().site_id)
    return found.view() if found else LockDownOut(on=False).model_dump()


@api.get("/policy", responses={200: PolicyOut, 404: Problem})
def policy(query: PolicyQuery) -> Response:
    """The policy in force, or an older version; for seniors and admins."""
    _need(Role.SENIOR)
    with service().store.read() as session:
        found = policies.stored(session, person().site_id, query.version)
        about = policy_history.one(session, found)
    return jsonify(about | {"document": found.document})


@api.post("/policy/preview", responses={200: PreviewOut})
def preview(body: PolicyDraftIn) -> Response:
    """Which of the last 1,000 comments a draft would decide otherwise; nothing is saved. For admins."""
    _need(Role.ADMIN)
    document = check(body.document)
    with service().store.read() as session:
        found = policy_preview.preview(session, person().site_id, document, now_ms())
    changed = [{"id": one.comment.id, "before": one.before, "after": one.after} for one in found.changed]
    return jsonify({"compared": found.compared, "unsure": found.unsure, "changed": changed})


@api.post("/policy", responses={200: PolicyOut, 409: Problem})
def save(body: PolicyIn) -> Response:
    """Make a draft the newest version; refused when somebody has saved since `base`. For admins."""
    _need(Role.ADMIN)
    document = check(body.document)
    with service().store.write() as session:
        policies.apply(session, person().site_id, document, person().id, note=body.note, base=body.base)
        found = policies.stored(session, person().site_id)
        about = policy_history.one(session, found)
    return jsonify(about | {"document": found.document})
