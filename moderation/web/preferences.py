"""/settings: what a moderator has chosen for their own pages."""

from dataclasses import replace
from typing import Any

from babel import Locale
from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request
from flask import session as cookie
from flask_babel import gettext as _
from flask_babel import lazy_gettext as marked

from moderation.domain.keys import BadKey, Scope, shown
from moderation.errors import Invalid
from moderation.http import service, wants_page
from moderation.services import preferences
from moderation.services.preferences import BLURS, ROWS, THEMES, Preferences
from moderation.web import keys, locale
from moderation.web.session import as_response, person, require_sign_in

pages = Blueprint("preferences", __name__, url_prefix="/settings")
pages.before_request(require_sign_in)

_BLUR_WORDS = {
    "off": marked("Never"),
    "severe": marked("When it looks severe"),
    "all": marked("Always"),
}
_THEME_WORDS = {"auto": marked("As the device has it"), "light": marked("Light"), "dark": marked("Dark")}
_SCOPE_WORDS = {
    Scope.DESK: marked("On the desk"),
    Scope.REASON: marked("While the reasons of a rejection are offered"),
    Scope.ROOM: marked("After the key for pages"),
}


@pages.get("")
def form() -> Response:
    """The choices as they are."""
    return _page(keys.preferences(), said=cookie.pop("saved", None))


@pages.post("")
def save() -> Response:
    """Keeps them; a key that two actions would share is refused beside its field."""
    given, own = request.form, {}
    for row in keys.table():
        own[row.name] = given.get(row.name, row.default).strip()
    if given.get("restore"):
        wanted = replace(keys.preferences(), keys={})
    else:
        wanted = Preferences(
            keys_on="keys_on" in given, keys=own, blur=given.get("blur", ""),
            theme=given.get("theme", ""), language=given.get("language", ""),
            rows=_number(given.get("rows", "")), advance="advance" in given, quick_reject="quick_reject" in given,
        )  # fmt: skip
    try:
        if wanted.language and wanted.language not in locale.languages():
            raise Invalid("there is no such language", extra={"field": "language"})
        _keep(wanted)
    except Invalid as error:
        return _page(wanted, error)
    cookie["saved"] = _("The default keys are back.") if given.get("restore") else _("Saved.")
    return as_response(redirect("/settings", 303))


@pages.post("/keys")
def switch() -> Response:
    """Switches the keys on or off, and back to the page that this was asked for on."""
    _keep(replace(keys.preferences(), keys_on="keys_on" in request.form))
    if not wants_page():
        return jsonify({"keys_on": "keys_on" in request.form})
    return as_response(redirect("/review", 303))


def _keep(wanted: Preferences) -> None:
    with service().store.write() as session:
        preferences.save(session, person(), wanted, keys.table())


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0


def _page(wanted: Preferences, error: Invalid | None = None, said: str | None = None) -> Response:
    names = {code: Locale.parse(code).get_display_name(Locale.parse(code)) for code in locale.languages()}
    page = {
        "chosen": wanted, "said": said, "wrong": _wrong(error), "rows": ROWS,
        "trouble": _("Nothing was saved: something does not fit. It is marked below.") if error else None,
        "blurs": [(name, _BLUR_WORDS[name]) for name in BLURS],
        "themes": [(name, _THEME_WORDS[name]) for name in THEMES],
        "languages": names, "groups": _groups(wanted),
    }  # fmt: skip
    return make_response(render_template("settings.html", **page), error.status if error else 200)


def _groups(wanted: Preferences) -> list[tuple[str, list[dict[str, str]]]]:
    """Fields for keys: by scope, each with its name, its label, its value and the default."""
    rows = {scope: [] for scope in Scope}  # type: dict[Scope, list[dict[str, str]]]
    for row in keys.table():
        value = wanted.keys.get(row.name, row.default)
        rows[row.scope].append({
            "name": row.name, "label": keys.label(row), "default": _read(row.default),
            "value": value if row.name in wanted.keys else _read(row.default),
        })  # fmt: skip
    return [(str(_SCOPE_WORDS[scope]), fields) for scope, fields in rows.items()]


def _read(typed: str) -> str:
    return " ".join(shown(key) for key in typed.split())


def _wrong(error: Invalid | None) -> dict[str, str]:
    """By field, what is wrong with it."""
    if error is None:
        return {}
    refused: dict[str, BadKey] = error.extra.get("keys", {})
    if not refused:
        words: dict[str, Any] = {"rows": _("A number from %(first)s to %(last)s.", first=ROWS[0], last=ROWS[-1])}
        return {error.extra["field"]: words.get(error.extra["field"], _("This can't be chosen."))}
    labels = {row.name: keys.label(row) for row in keys.table()}
    return {name: _key_trouble(bad, labels) for name, bad in refused.items()}


def _key_trouble(bad: BadKey, labels: dict[str, str]) -> str:
    if bad.taken_by is None:
        return _("“%(key)s” can't be used: take a letter, a sign, or one with Shift+, Alt+ or Ctrl+.", key=bad.key)
    return _("“%(key)s” is also the key of “%(other)s”.", key=shown(bad.key), other=labels[bad.taken_by])
