"""Addresses of our own pages that a site hands on to readers; each carries its own proof and needs no sign-in."""

from dataclasses import dataclass

from itsdangerous import BadData, URLSafeSerializer

_SALT = "statement of reasons"


@dataclass(frozen=True)
class Links:
    """Makes them from the service's public address and its secret key.

    They are made when an event is read, not when it is written: so they follow a new address, and nothing secret is
    kept with the event. The same event always has the same link.
    """

    base_url: str
    secret_key: str

    def statement(self, decision_id: str) -> str | None:
        """The author's page about this rejection; None while the service does not know its own address."""
        if not self.base_url or not self.secret_key:
            return None
        return f"{self.base_url.rstrip('/')}/statement/{statement_token(self.secret_key, decision_id)}"


def statement_token(secret_key: str, decision_id: str) -> str:
    """The last part of that address."""
    return str(URLSafeSerializer(secret_key, salt=_SALT).dumps(decision_id))


def read_statement_token(secret_key: str, token: str) -> str | None:
    """The decision's id; None for a token that is not ours."""
    try:
        found = URLSafeSerializer(secret_key, salt=_SALT).loads(token)
    except BadData:
        return None
    return found if isinstance(found, str) else None
