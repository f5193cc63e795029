"""A moderator's browser for tests without a browser: forms are posted as the page gives them."""

import html
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from moderation.services.accounts import Person as Moderator
from tests.services import PASSWORD

HTML = {"Accept": "text/html"}
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Person:
    """Somebody with a browser. `see` opens a page; `send` posts a form with that page's token."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.token = ""

    def see(self, path: str) -> TestResponse:
        """The page at this path; its form token is remembered."""
        answer = self.client.get(path, headers=HTML)
        if found := _TOKEN.search(answer.text):
            self.token = html.unescape(found[1])
        return answer

    def send(self, path: str, **fields: Any) -> TestResponse:
        """Posts a form."""
        return self.client.post(path, data={"csrf_token": self.token} | fields, headers=HTML)

    def sign_in(self, email: str = "ann@example.org") -> "Person":
        """Signs in with PASSWORD."""
        self.see("/login")
        assert self.send("/login", email=email, password=PASSWORD).status_code == 303
        self.see("/review")
        return self


@pytest.fixture
def ann(app: Flask, person: Moderator) -> Person:
    """The moderator ann@example.org, signed in."""
    return Person(app.test_client()).sign_in()
