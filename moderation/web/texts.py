"""Texts in the page's language. Flask-Babel looks the language up anew for each of the hundreds that a page has."""

from collections.abc import Callable
from typing import Any

from babel import Locale
from flask import current_app, g, has_app_context
from flask_babel import get_locale, get_translations  # type: ignore[attr-defined]
from flask_babel.speaklater import LazyString  # type: ignore[import-untyped]
from markupsafe import Markup

_MOST = 5_000  # a template may ask for what is no constant


def locale() -> Locale:
    """The language of the page; English where there is none."""
    return get_locale() or Locale("en")


def gettext(text: str, /, **variables: Any) -> str:
    """A text in the language of the page."""
    found = _catalogue().text(text) if has_app_context() else text
    return found % variables if variables else found


def marked(text: str, /, **variables: Any) -> LazyString:
    """A text that is turned into the language of the page when it is shown."""
    return LazyString(gettext, text, **variables)


class _Catalogue:
    """What has been looked up in a catalogue: as it is, and as templates take it."""

    def __init__(self) -> None:
        self._translations = get_translations()
        self._texts: dict[str, str] = {}
        self._safe: dict[str, Markup] = {}

    def text(self, text: str) -> str:
        found = self._texts.get(text)
        if found is None:
            found = str(self._translations.ugettext(text))
            if len(self._texts) < _MOST:
                self._texts[text] = found
        return found

    def of_template(self, text: str, /, **variables: Any) -> Markup:
        found = self._safe.get(text)
        if found is None:
            found = Markup(self.text(text))  # nosec B704 # noqa: S704 - ours; what readers wrote comes as a variable
            if len(self._safe) < _MOST:
                self._safe[text] = found
        return found % variables if variables or "%" in found else found

    def many_of_template(self, one: str, many: str, num: int, /, **variables: Any) -> Markup:
        found = Markup(self._translations.ungettext(one, many, num))  # nosec B704 # noqa: S704 - as above
        return found % ({"num": num} | variables)


def _catalogue() -> _Catalogue:
    """The one of this request; a process keeps one for each language."""
    found: _Catalogue | None = g.get("catalogue")
    if found is None:
        kept = current_app.extensions.setdefault("catalogues", {})
        language = str(locale())
        found = g.catalogue = kept.get(language) or kept.setdefault(language, _Catalogue())
    return found


def of_templates() -> dict[str, Callable[..., Markup]]:
    """What templates call."""
    here = _catalogue()
    return {"_": here.of_template, "gettext": here.of_template, "ngettext": here.many_of_template}
