"""create_app: wiring only."""

import logging
from functools import cache
from threading import BoundedSemaphore
from typing import Any

from flask import Flask, Response
from flask_openapi3.models.info import Info
from flask_openapi3.models.security_scheme import SecurityScheme
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from moderation import __version__, http, limits
from moderation.api import comments, examples, ops, public, reviews, threads, tokens
from moderation.api.body import LARGE, of_validation_error
from moderation.api.document import Documented
from moderation.compat import akismet, coral, perspective
from moderation.config import Settings
from moderation.errors import ModerationError, SetupError, Unavailable
from moderation.queueing import Doorbell
from moderation.scoring import Classifier
from moderation.services.check_log import CheckLog
from moderation.store.session import Store
from moderation.web import demo, desk, docs, embed, session, sign_in
from moderation.web import examples as examples_page

_SECURITY: dict[str, SecurityScheme | dict[str, Any]] = {
    "site key": {"type": "http", "scheme": "bearer"},
    "moderator": {"type": "http", "scheme": "bearer"},
    "publishable key": {"type": "http", "scheme": "bearer", "description": "everybody may see it"},
}

_SECRET_LENGTH = 32


def create_app(settings: Settings) -> Flask:
    """The web application for these settings; no connection is opened. Raises SetupError for what can't work."""
    _check(settings)
    app = Documented(
        __name__, info=Info(title="Comment moderation", version=__version__), doc_ui=False,
        validation_error_callback=of_validation_error, security_schemes=_SECURITY,
        template_folder="web/templates", static_folder="web/static",
    )  # fmt: skip
    app.config.update(MAX_CONTENT_LENGTH=LARGE, SECRET_KEY=settings.secret_key)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    store = Store(settings.database_url)
    app.extensions["moderation"] = http.Service(
        settings, store, Doorbell(settings.redis_url), BoundedSemaphore(max(1, settings.web_threads // 4)),
        cache(lambda: Classifier.load(settings.scorer, settings.artefacts)), CheckLog(store),
    )  # fmt: skip
    http.install(app)
    limits.install(app, settings)
    session.install(app, settings)
    _handle_errors(app)
    for part in (comments, threads, examples, public, reviews, tokens, ops):
        app.register_api(part.api)
        session.csrf.exempt(part.api)  # programs send a key or a token; what takes a cookie checks for itself
    for system in (perspective, akismet, coral):
        app.register_blueprint(system.routes)
        session.csrf.exempt(system.routes)
    for room in (sign_in, desk, examples_page, docs, embed):
        app.register_blueprint(room.pages)
    if settings.demo:
        app.register_blueprint(demo.pages)
        session.csrf.exempt(demo.pages)  # it asks for the page's origin instead, like the public API
    app.add_url_rule("/openapi.json", "openapi", lambda: app.api_doc)
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    return app


def _check(settings: Settings) -> None:
    if len(settings.secret_key) < _SECRET_LENGTH:
        raise SetupError(f"MODERATION_SECRET_KEY needs at least {_SECRET_LENGTH} characters")
    try:
        Doorbell(settings.redis_url)
    except ValueError as error:
        raise SetupError(f"MODERATION_REDIS_URL: {error}") from None


def _handle_errors(app: Flask) -> None:
    app.register_error_handler(ModerationError, http.of_error)
    app.register_error_handler(HTTPException, http.of_http_exception)
    app.register_error_handler(SQLAlchemyError, _database_down)
    app.register_error_handler(Exception, http.of_fault)


def _database_down(error: SQLAlchemyError) -> Response:
    logging.getLogger("moderation").error("database: %s", type(error).__name__, exc_info=error)
    return http.of_error(Unavailable("the database can't be used now; try again", extra={"retry_after": 5}))
