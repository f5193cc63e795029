"""Wrong passwords slow an account down, from wherever they come; the rate per address stands beside it (limits.py).

It is counted by the address that was typed, whether there is such an account or not, so that nothing is told by it.
Whoever attacks an account can so slow its owner down as well, but not in a browser where they have signed in before:
that one holds a signed cookie and is counted by itself.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import TypeVar

from flask import Response, after_this_request, current_app, request
from itsdangerous import BadData, URLSafeTimedSerializer
from limits.storage import MemoryStorage, Storage

from moderation.errors import Invalid, TooMany, Unauthorized
from moderation.http import service
from moderation.limits import limiter
from moderation.services import accounts
from moderation.services.accounts import Person

FREE = 5  # wrong passwords without any wait
_FIRST_WAIT = 4  # seconds; doubled with each further one
LONGEST_WAIT = 600
_REMEMBERED = 24 * 3600  # seconds since the first wrong password
_DEVICE_DAYS = 180

_T = TypeVar("_T")
_memory = MemoryStorage()


def check_password(email: str, password: str) -> Person:
    """The moderator with this address and password.

    Raises Unauthorized without saying which was wrong, and TooMany (`too_many_tries`) while they have to wait; then
    not even the right password is looked at.
    """
    account = _account(email)
    who = _device(account) or account
    if (wait := _wait(who)) > 0:
        raise TooMany(
            f"too many wrong passwords; wait {wait} seconds, or sign in where you have signed in before",
            code="too_many_tries", extra={"retry_after": wait},
        )  # fmt: skip
    try:
        with service().store.read() as database:
            person = accounts.check_password(database, email, password)
    except Unauthorized as error:
        if error.code == "wrong_credentials":
            _failed(who, email)
        raise
    _counting(lambda storage: (storage.clear(_failures(who)), storage.clear(_turn(who))))
    return person


def remember_device(person: Person) -> None:
    """Lets this browser sign in to this account however many wrong passwords others try."""
    account = _account(person.email)
    known = _device(account) or secrets.token_urlsafe(16)

    @after_this_request
    def _set(response: Response) -> Response:
        response.set_cookie(
            _cookie(), _signer().dumps([account, known]), max_age=_DEVICE_DAYS * 86_400,
            secure=service().settings.https, httponly=True, samesite="Lax",
        )  # fmt: skip
        return response


def _account(email: str) -> str:
    """The address as a keyed hash, so that none is stored."""
    try:
        email = accounts.address(email)
    except Invalid:
        email = email.strip()
    key = str(current_app.secret_key).encode()
    return hmac.new(key, f"sign-in {email}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]


def _cookie() -> str:
    return "__Host-moderation-device" if service().settings.https else "moderation-device"


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="device")


def _device(account: str) -> str | None:
    """The id of this browser if it has signed in to this account before."""
    try:
        whose, known = _signer().loads(request.cookies.get(_cookie(), ""), max_age=_DEVICE_DAYS * 86_400)
    except (BadData, ValueError, TypeError):
        return None
    return str(known) if whose == account else None


def _failures(who: str) -> str:
    return f"LIMITS:sign-in-failures:{who}"


def _turn(who: str) -> str:
    return f"LIMITS:sign-in-turn:{who}"


def _wait(who: str) -> int:
    """Seconds until the next try; 0 takes the turn, which is given once however many come at the same moment."""

    def take(storage: Storage) -> int:
        failures = storage.get(_failures(who))
        if failures < FREE or storage.incr(_turn(who), _pause(failures + 1)) == 1:
            return 0
        return max(1, round(storage.get_expiry(_turn(who)) - time.time()))

    return _counting(take)


def _failed(who: str, email: str) -> None:
    failures = _counting(lambda storage: storage.incr(_failures(who), _REMEMBERED))
    if failures >= FREE:
        _counting(lambda storage: storage.incr(_turn(who), _pause(failures)))
    if failures == FREE:
        with service().store.write() as database:
            accounts.slowed(database, email)


def _pause(failures: int) -> int:
    """Seconds to wait after so many wrong passwords."""
    return int(min(LONGEST_WAIT, _FIRST_WAIT * 2 ** min(failures - FREE, 20)))


def _counting(work: Callable[[Storage], _T]) -> _T:
    """In Redis, where all web processes count together; while it is away, in this process."""
    try:
        return work(limiter.storage)
    except Exception:
        return work(_memory)
