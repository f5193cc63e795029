"""Rate limits: of the routes that need no key (sign-in, the public form), and of each site key where the operator sets
one. Redis counts; without it, memory does."""

import hashlib
import hmac
import math
import time
from functools import partial

from flask import Flask, Response, current_app, request
from flask_limiter import Limiter
from flask_limiter.errors import RateLimitExceeded
from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, RateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry

from moderation.by_turns import aside
from moderation.config import Settings
from moderation.domain.address import counted
from moderation.errors import TooMany
from moderation.http import of_error, service
from moderation.services import sites

_TIME_LIMIT = 0.05
_SILENCE = 2.0  # seconds for which Redis is not asked about site keys once it has failed: each call would wait for it


def _who() -> str:
    return caller_hash("limits")[:32]


def caller_hash(purpose: str) -> str:
    """The caller's address as a keyed hash, so that no address is ever stored; another purpose, another hash.

    An IPv6 caller counts by its /64.
    """
    address = counted(request.remote_addr or "")
    key = str(current_app.secret_key).encode()
    return hmac.new(key, f"{purpose} {address}".encode(), hashlib.sha256).hexdigest()


limiter = Limiter(
    _who,
    in_memory_fallback_enabled=True,
    swallow_errors=True,
    key_prefix="limits",
)


# One count for all ways to sign in, and one for all public forms.
limit_sign_in = limiter.shared_limit(lambda: service().settings.sign_in_rate, scope="sign-in", methods=["POST"])
# Beginning to sign in elsewhere makes us call that service, which may be slow to answer.
limit_oidc = limiter.shared_limit(lambda: service().settings.sign_in_rate, scope="oidc", methods=["GET"])
limit_public = limiter.shared_limit(lambda: service().settings.public_rate, scope="public", methods=["POST"])
# The author's page about a rejection: opened as often as a person may want to, its form as seldom as any other.
limit_statements = limiter.shared_limit("60 per minute", scope="statements", methods=["GET"])
limit_appeals = limiter.shared_limit(lambda: service().settings.public_rate, scope="appeals", methods=["POST"])


def install(app: Flask, settings: Settings) -> None:
    """Starts counting for this app. No connection is made before the first limited request."""
    # The client's own retries would block a web thread for seconds on a dead server.
    options = {
        "socket_timeout": _TIME_LIMIT, "socket_connect_timeout": _TIME_LIMIT, "retry": Retry(NoBackoff(), 0),
    }  # fmt: skip
    app.config.setdefault("RATELIMIT_STORAGE_URI", settings.redis_url.replace("unix://", "redis+unix://", 1))
    app.config.setdefault("RATELIMIT_STORAGE_OPTIONS", options)
    limiter.init_app(app)
    # Each limit stands at its view and counts there. To look before every request whether there is one for the whole
    # app, which there is not, takes a twentieth of a short request.
    app.before_request_funcs[None].remove(limiter._check_request_limit)
    app.register_error_handler(RateLimitExceeded, _too_many)


def count_call(key: str) -> None:
    """Counts a call with this site key, where the settings limit them. Raises TooMany.

    Only a key that is one of ours comes here, so nobody else can use a site's calls up.
    """
    rate = service().settings.site_key_rate
    if not rate:
        return
    digest = sites.digest(key)[:32]
    for item in parse_many(rate):
        taken, until = aside(partial(_hit, item, digest))
        if not taken:
            wait = max(1, math.ceil(until - time.time()))
            raise TooMany(f"too many calls with this key; wait {wait} seconds", extra={"retry_after": wait})


def _hit(item: RateLimitItem, digest: str) -> tuple[bool, float]:
    """Whether there is room, and when there will be. While Redis is away each process counts for itself."""
    if time.monotonic() >= _redis.silent_until:
        try:
            return _counted(limiter.limiter, item, digest)
        except Exception:
            _redis.silent_until = time.monotonic() + _SILENCE
    return _counted(_alone, item, digest)


def _counted(counter: RateLimiter, item: RateLimitItem, digest: str) -> tuple[bool, float]:
    return counter.hit(item, "site-key", digest), counter.get_window_stats(item, "site-key", digest).reset_time


class _Redis:
    silent_until = 0.0


_redis = _Redis()
_alone = FixedWindowRateLimiter(MemoryStorage())


def _too_many(_error: RateLimitExceeded) -> Response:
    limit = limiter.current_limit
    wait = max(1, math.ceil(limit.reset_at - time.time())) if limit else 60
    return of_error(TooMany(f"too many tries from here; wait {wait} seconds", extra={"retry_after": wait}))
