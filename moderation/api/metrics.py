"""What Prometheus reads. Not for everybody: it needs the token, or a caller on this machine."""

import hmac
import ipaddress

from flask import Response, current_app, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from moderation import metrics
from moderation.api.auth import bearer
from moderation.config import Settings
from moderation.errors import Forbidden, Unauthorized
from moderation.http import service
from moderation.services.measures import Gauges

api = APIBlueprint("metrics", __name__, abp_tags=[Tag(name="Operation", description="for whoever runs the service")],
                   abp_security=[{"metrics token": []}])  # fmt: skip

# Whoever comes through a proxy on this machine has its address, and one of these.
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via")


@api.get("/metrics", responses={200: {"description": "text for Prometheus", "content": {"text/plain": {}}}})
def read() -> Response:
    """Counts, times and ages for Prometheus, in its text format. Without MODERATION_METRICS_TOKEN only for callers on
    this machine itself."""
    _check(service().settings)
    gauges: Gauges = current_app.extensions["gauges"]
    return Response(metrics.exposition(gauges), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _check(settings: Settings) -> None:
    if settings.metrics_token:
        if not hmac.compare_digest(bearer().encode(), settings.metrics_token.encode()):
            raise Unauthorized("send the metrics token as: Authorization: Bearer TOKEN")
        return
    try:
        here = ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        here = False
    if not here or any(name in request.headers for name in _FORWARDED):
        raise Forbidden("from elsewhere this needs MODERATION_METRICS_TOKEN")
