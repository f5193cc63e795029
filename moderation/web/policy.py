"""/policy: the rules of the site. Every save goes by a preview, and makes a new version."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask import session as cookie
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Role
from moderation.errors import Conflict, Invalid
from moderation.http import service
from moderation.scoring import ATTRIBUTES
from moderation.services import policies, policy_changes, policy_history, policy_preview
from moderation.services.policy_document import check, read_yaml
from moderation.store.session import now_ms
from moderation.web import policy_form, policy_words, rooms
from moderation.web.opened import excerpt, hidden_ids
from moderation.web.policy_form import FIELDS_OF, Group
from moderation.web.session import as_response, person, require_sign_in

pages = Blueprint("policy", __name__, url_prefix="/policy")
pages.before_request(require_sign_in)

_EXCERPT = 160
_LISTED = 100
_NOTE = 500


@pages.before_request
def _need() -> None:
    """Seniors read; whoever changes anything must be an admin."""
    rooms.need(Role.SENIOR if request.method == "GET" else Role.ADMIN)


@dataclass(frozen=True)
class Draft:
    """What somebody wants the policy to be: made from version `base`."""

    document: dict[str, Any]
    base: int


@pages.get("")
def form() -> Response:
    """The rules in force."""
    with service().store.read() as session:
        now = policies.stored(session, person().site_id)
    return _form(policy_form.of_document(now.document), now.version)


@pages.post("/form")
def change_form() -> Response:
    """Adds or takes away rows; all that was typed stays, and nothing is saved."""
    if request.form.get("document"):  # back from the preview
        return _form(policy_form.of_document(_posted_document()), _base())
    groups, deed = policy_form.of_form(request.form), request.form.get("do", "")
    verb, _separator, which = deed.partition(":")
    trouble = None
    if verb == "add":
        policy_form.add_rule(groups, which, request.form.get(f"{which}.new", ""))
    elif verb == "remove":
        policy_form.remove(groups, which)
    elif verb == "place" and not policy_form.add_place(groups, which, request.form.get(f"new.{which}", "")):
        trouble = _("Enter a name that is not there yet.")
    return _form(groups, _base(), trouble)


@pages.get("/file")
def file() -> Response:
    """The same as a file."""
    with service().store.read() as session:
        now = policies.stored(session, person().site_id)
    return _file(policies.show(now.document), now.version)


@pages.post("/preview")
def preview() -> Response:
    """What a draft would change: of the form, of the file, or an older version."""
    base = _base()
    if wanted := request.form.get("version", ""):
        with service().store.read() as session:
            older = policies.stored(session, person().site_id, _number(wanted))
        note = _("Version %(version)s again", version=older.version)
        return _preview(Draft(older.document, base), note)
    if "file" in request.form:
        return _preview_file(request.form["file"].replace("\r\n", "\n"), base)
    groups = policy_form.of_form(request.form)
    try:
        document = check(policy_form.to_data(groups))
    except Invalid as error:
        rest = policy_form.place_problems(groups, error.extra["problems"])
        wrong = policy_words.explain(groups) + [("", "", policy_words.problem("", words)) for words in rest]
        return _form(groups, base, status=422, wrong=wrong)
    return _preview(Draft(document, base))


@pages.post("")
def save() -> Response:
    """Makes the draft the newest version; one that was made from an older version is shown again instead."""
    draft, note = Draft(_posted_document(), _base()), request.form.get("note", "").strip()[:_NOTE]
    try:
        with service().store.write() as session:
            version = policies.apply(
                session, person().site_id, draft.document, person().id, note=note.replace("\0", ""), base=draft.base
            )  # fmt: skip
    except Conflict:
        return _preview(draft, note)
    cookie["said_here"] = _("Saved as version %(version)s. New comments are decided by it.", version=version)
    return as_response(redirect("/policy", 303))


@pages.get("/history")
def history() -> Response:
    """All versions, the newest first, or what differs between two."""
    first, second = (request.args.get(name, "") for name in ("from", "to"))
    with service().store.read() as session:
        versions = policy_history.versions(session, person().site_id)
        compared = _compared(session, _number(first), _number(second)) if first and second else None
    return make_response(render_template("policy_history.html", versions=versions, compared=compared, pw=policy_words))


def _compared(session: Session, first: int, second: int) -> dict[str, Any]:
    before, after = (policies.stored(session, person().site_id, version) for version in (first, second))
    return {"from": first, "to": second} | _differences(before.document, after.document)


def _differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    found = policy_changes.changes(before, after)
    lines = policy_changes.text_diff(before, after)
    kinds = {"+": "came", "-": "went", "@": "where"}
    return {"changes": found, "lines": [(kinds.get(line[:1], ""), line) for line in lines]}


def _preview(draft: Draft, note: str = "") -> Response:
    with service().store.read() as session:
        now = policies.stored(session, person().site_id)
        page: dict[str, Any] = {"note": note, "base": now.version, "document": json.dumps(draft.document)}
        if now.version != draft.base:
            page["meanwhile"] = policy_history.since(session, person().site_id, draft.base)
        page |= _differences(now.document, draft.document)
        if page["changes"]:
            found = policy_preview.preview(session, person().site_id, draft.document, now_ms())
            page |= {"found": found, "rows": _rows(session, found.changed[:_LISTED]), "listed": _LISTED}
    status = 409 if "meanwhile" in page else 200
    return make_response(render_template("policy_preview.html", **page, pw=policy_words), status)


def _rows(session: Session, changed: Sequence[policy_preview.Changed]) -> list[dict[str, Any]]:
    hidden = hidden_ids(session, [one.comment for one in changed])
    return [
        {
            "id": one.comment.id, "excerpt": excerpt(one.comment, _EXCERPT), "hidden": one.comment.id in hidden,
            "before": one.before, "after": one.after, "status": one.comment.status, "author": one.comment.author_name,
            "because": policy_words.because(tuple(one.reasons_after) or tuple(one.reasons_before)),
        }
        for one in changed
    ]  # fmt: skip


def _preview_file(text: str, base: int) -> Response:
    try:
        return _preview(Draft(check(read_yaml(text)), base))
    except Invalid as error:
        return _file(text, base, error.detail)


def _form(
    groups: list[Group], base: int, trouble: str | None = None, *, status: int = 200,
    wrong: list[tuple[str, str, str]] | None = None,
) -> Response:  # fmt: skip
    page = render_template(
        "policy.html", groups=groups, base=base, trouble=trouble, wrong=wrong, pw=policy_words,
        said=cookie.pop("said_here", None), kinds=[kind for kind in FIELDS_OF if kind != "score"],
        attributes=ATTRIBUTES,
        may_change=person().role.includes(Role.ADMIN),
    )  # fmt: skip
    return make_response(page, status)


def _file(text: str, base: int, problem: str | None = None) -> Response:
    page = render_template("policy_file.html", text=text, base=base, problem=problem,
                           may_change=person().role.includes(Role.ADMIN))  # fmt: skip
    return make_response(page, 422 if problem else 200)


def _posted_document() -> dict[str, Any]:
    """The draft as the preview's form carries it; it is checked again, for a browser sends what it likes."""
    return check(read_yaml(request.form.get("document", "")))


def _base() -> int:
    return _number(request.form.get("base", ""))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid("this is no version's number", extra={"field": "version"})
    return int(text)
