"""A worker's own /metrics, in a process beside it: for machines without a web process."""

import hmac
import logging
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from moderation import metrics
from workers.runtime import Runtime

log = logging.getLogger(__name__)


def serve(runtime: Runtime) -> None:
    """Answers until the process is told to end. Without a token it listens on this machine only."""
    token, port = runtime.settings.metrics_token, runtime.settings.metrics_port
    host = "0.0.0.0" if token else "127.0.0.1"  # nosec B104 # noqa: S104 (who asks must show the token)
    try:
        server = ThreadingHTTPServer((host, port), _handler(token))
    except OSError as error:
        log.error("metrics: port %d can't be used: %s", port, type(error).__name__)
        return
    server.serve_forever()


def _handler(token: str) -> type[BaseHTTPRequestHandler]:
    wanted = f"Bearer {token}".encode()

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            shown = self.headers.get("Authorization", "").encode("latin-1")
            if token and not hmac.compare_digest(shown, wanted):
                self._answer(401, b"send the metrics token as: Authorization: Bearer TOKEN\n")
            elif self.path != "/metrics":
                self._answer(404, b"only /metrics is here\n")
            else:
                self._answer(200, metrics.exposition())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", CONTENT_TYPE_PLAIN_0_0_4)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing: a request's line and address are no business of a log."""

    return Handler
