"""Rate limits of the routes that need no key: sign-in and the public form. Redis counts; without it, memory does."""

import hashlib
import hmac
import ipaddress
import math
import time

from flask import Flask, Response, current_app, request
from flask_limiter import Limiter
from flask_limiter.errors import RateLimitExceeded
from redis.backoff import NoBackoff
from redis.retry import Retry

from moderation.config import Settings
from moderation.errors import TooMany
from moderation.http import of_error, service

_TIME_LIMIT = 0.05


def _who() -> str:
    """The caller's address as a keyed hash, so that no address is ever stored. An IPv6 caller counts by its /64."""
    address = request.remote_addr or ""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        known = None
    if known and known.version == 6:
        address = str(ipaddress.ip_network((known, 64), strict=False).network_address)
    return hmac.new(str(current_app.secret_key).encode(), address.encode(), hashlib.sha256).hexdigest()[:32]


limiter = Limiter(
    _who,
    in_memory_fallback_enabled=True,
    swallow_errors=True,
    key_prefix="limits",
)

# One count for all ways to sign in, and one for all public forms.
limit_sign_in = limiter.shared_limit(lambda: service().settings.sign_in_rate, scope="sign-in", methods=["POST"])
limit_public = limiter.shared_limit(lambda: service().settings.public_rate, scope="public", methods=["POST"])


def install(app: Flask, settings: Settings) -> None:
    """Starts counting for this app. No connection is made before the first limited request."""
    # The client's own retries would block a web thread for seconds on a dead server.
    options = {
        "socket_timeout": _TIME_LIMIT, "socket_connect_timeout": _TIME_LIMIT, "retry": Retry(NoBackoff(), 0),
    }  # fmt: skip
    app.config.setdefault("RATELIMIT_STORAGE_URI", settings.redis_url.replace("unix://", "redis+unix://", 1))
    app.config.setdefault("RATELIMIT_STORAGE_OPTIONS", options)
    limiter.init_app(app)
    app.register_error_handler(RateLimitExceeded, _too_many)


def _too_many(_error: RateLimitExceeded) -> Response:
    limit = limiter.current_limit
    wait = max(1, math.ceil(limit.reset_at - time.time())) if limit else 60
    return of_error(TooMany(f"too many tries from here; wait {wait} seconds", extra={"retry_after": wait}))
