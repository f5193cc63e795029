"""Every text of the pages comes from the catalogues: with one of brackets, nothing is left outside of them."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask

from moderation.domain.lifecycle import Role
from moderation.errors import ModerationError
from moderation.services import accounts
from moderation.store.session import Store
from moderation.store.tables import Site
from moderation.web import locale
from tests.integration.pages import HTML, Person
from tests.integration.populated import populate
from tests.services import PASSWORD

ROOT = Path(__file__).parents[2]
MAPPINGS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
_ERRORS = {error.__name__: None for error in ModerationError.__subclasses__()}
KEYWORDS = _ERRORS | {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "marked": None,
    "N_": None,
}
# Whose words these are is no page's business: readers' and moderators' texts, addresses, code, names of keys.
_DATA = {"bdi", "code", "kbd", "pre", "q", "script", "textarea"}
# Words that are the same in every language.
_NAMES = re.compile(r"^\S+|\S+@\S+|https?://\S+|\b(?:UTC|CSV|HTML|API|YAML)\b")
_VOID = {"input", "br", "img", "meta", "link", "hr", "wbr", "base", "col"}
_SAID = ("title", "aria-label", "placeholder", "alt", "aria-valuetext", "aria-roledescription")


@pytest.fixture(scope="module")
def catalogues(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with an Arabic catalogue that says everything in brackets: ⟦Approve⟧."""
    catalogue = Catalog(locale="ar")
    for _, _, message, _, _ in extract_from_dir(ROOT / "moderation", MAPPINGS, keywords=KEYWORDS):  # type: ignore[arg-type]
        if isinstance(message, tuple):
            catalogue.add(message, tuple(f"⟦{message[1]}⟧" for _ in range(catalogue.num_plurals)))
        else:
            catalogue.add(message, f"⟦{message}⟧")
    folder = tmp_path_factory.mktemp("translations")
    target = folder / "ar" / "LC_MESSAGES"
    target.mkdir(parents=True)
    with open(target / "messages.mo", "wb") as file:
        write_mo(file, catalogue)
    return str(folder)


class _Texts(HTMLParser):
    """What a page says in words of its own: (where, text)."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.said: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        data = (
            tag in _DATA
            or given.get("dir") == "auto"
            or given.get("translate") == "no"
            or (tag != "html" and "lang" in given)
        )
        inside = data or any(of_data for _, of_data in self.open)
        if not inside or tag == "textarea":
            self.said += [(f"{tag}.{name}", given[name] or "") for name in _SAID if given.get(name)]
        if tag not in _VOID:
            self.open.append((tag, data))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not any(of_data for _, of_data in self.open):
            self.said.append((self.open[-1][0] if self.open else "", " ".join(data.split())))


def test_nothing_is_said_outside_of_the_catalogues(
    app: Flask, store: Store, site: tuple[str, str], work: Any, catalogues: str
) -> None:
    locale.install(app, catalogues)
    # Data in another alphabet: whatever Latin letter stands outside of brackets is a text of ours.
    there = populate(app, store, site, work, "слово", "https://пример.example/")
    with store.write() as session:
        session.get_one(Site, site[0]).name = "слово"
        accounts.create_moderator(session, site[0], "admin@example.org", PASSWORD, Role.ADMIN, "слово")
    admin = Person(app.test_client())
    admin.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "ar"
    admin.sign_in("admin@example.org")
    bare: list[tuple[str, str]] = []
    for path in [*there.pages, "/review", "/review?status=rejected&sort=newest", "/review/nothing", "/forgot"]:
        answer = admin.client.get(path, headers=HTML)
        assert 'lang="ar" dir="rtl"' in answer.text, path
        rest = "\n".join(f"{where} {text}" for where, text in _Texts(answer.text).said)
        while (shorter := re.sub(r"⟦[^⟦⟧]*⟧", "", rest)) != rest:
            rest = shorter
        bare += [(path, line) for line in rest.split("\n") if re.search(r"[A-Za-z]{2}", _NAMES.sub("", line))]
    found = sorted({f"{line}   on {path}" for path, line in bare})
    assert not found, "\n".join(found)


def test_the_list_for_translators_is_up_to_date() -> None:
    with open(ROOT / "moderation/web/translations/messages.pot", "rb") as file:
        listed = read_po(file)
    found = {
        message[0] if isinstance(message, tuple) else message
        for _, _, message, _, _ in extract_from_dir(ROOT / "moderation", MAPPINGS, keywords=KEYWORDS)  # type: ignore[arg-type]
    }
    assert [text for text in found if text not in listed] == [], "run: make messages"
