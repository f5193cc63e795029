"""A certified OpenID Connect provider as a process, and the way through its pages without a browser."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin

import requests

from tests.e2e.clients.environments import node_client

CLIENT = {"client_id": "moderation", "client_secret": "a secret between the two services"}
PEOPLE: dict[str, dict[str, Any]] = {
    "olena": {"email": "Olena@example.org", "email_verified": True, "name": "Olena K."},
    "bob": {"email": "bob@example.org", "email_verified": True, "name": "Bob B."},
    "eve": {"email": "olena@example.org", "email_verified": False, "name": "Eve"},
    "cy": {"email": "cy@example.org", "email_verified": True, "name": "Cy"},
}


class Provider:
    """The provider's process; `accept` lets it send browsers back to an address."""

    def __init__(self) -> None:
        folder = node_client("oidc-provider")
        self.process = subprocess.Popen(
            ["node", folder / "provider.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True,
        )  # fmt: skip
        self.issuer = str(self._ask(CLIENT | {"people": PEOPLE})["issuer"])

    def accept(self, redirect_uri: str) -> None:
        """From now on it is well and sends browsers back to this address."""
        assert self._ask({"redirect_uri": redirect_uri}) == {"ready": True}

    def _ask(self, what: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps(what), file=self.process.stdin, flush=True)
        for line in self.process.stdout:
            if line.startswith('{"issuer"') or line.startswith('{"ready"'):
                return dict(json.loads(line))
        raise AssertionError("the provider has ended")

    def stop(self) -> None:
        """Ends it."""
        self.process.kill()
        self.process.wait()


@contextmanager
def provider() -> Iterator[Provider]:
    """A provider that ends with the block."""
    made = Provider()
    try:
        yield made
    finally:
        made.stop()


def signed_in_at(browser: requests.Session, address: str, login: str, until: str) -> str:
    """Follows an authorization address, signs in and consents; returns the address that leads back, unopened."""
    answer = browser.get(address, allow_redirects=False, timeout=30)
    for _ in range(12):
        if answer.is_redirect:
            address = urljoin(answer.url, answer.headers["Location"])
            if address.startswith(until):
                return address
            answer = browser.get(address, allow_redirects=False, timeout=30)
        else:
            assert answer.status_code == 200, answer.text
            prompt = "login" if 'value="login"' in answer.text else "consent"
            form = {"prompt": prompt, "login": login, "password": "any"}
            answer = browser.post(answer.url, data=form, allow_redirects=False, timeout=30)
    raise AssertionError("the provider leads in circles")
