"""The language of the pages: texts come from gettext catalogues in translations/, English is in the source."""

from typing import Any, cast

from flask import Flask, current_app, g, request
from flask_babel import Babel

from moderation.domain.text import apart
from moderation.web.texts import locale, of_templates

SOURCE = "en"
_babel = Babel()


def install(app: Flask, folder: str = "web/translations") -> None:
    """Chooses a language for each request and gives every template `lang` and `dir`. `folder` holds the catalogues."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = folder
    _babel.init_app(app, locale_selector=_chosen)
    with app.app_context():
        found = {str(one) for one in _babel.list_translations()}
    app.config["LANGUAGES"] = [SOURCE, *sorted(found - {SOURCE})]
    app.context_processor(_page_language)
    app.add_template_filter(apart)


def languages() -> list[str]:
    """Codes of the languages that there are catalogues for, English first."""
    return cast(list[str], current_app.config["LANGUAGES"])


def _chosen() -> str:
    """The person's own choice, else the best of what the browser asks for."""
    own = g.get("language")
    return own if own in languages() else request.accept_languages.best_match(languages()) or SOURCE


def _page_language() -> dict[str, Any]:
    here = locale()
    return {"lang": str(here).replace("_", "-"), "dir": here.text_direction, **of_templates()}
