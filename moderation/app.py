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
from moderation.api import authors as authors_api
from moderation.api import (
    comments,
    examples,
    histogram,
    metrics,
    ops,
    public,
    reports,
    reviews,
    rules,
    sign_ins,
    threads,
    together,
    tokens,
    voices,
)
from moderation.api import dashboard as dashboard_api
from moderation.api import people as people_api
from moderation.api import queues as queues_api
from moderation.api.body import LARGE, of_validation_error
from moderation.api.document import Documented
from moderation.compat import akismet, coral, perspective
from moderation.config import Settings
from moderation.errors import ModerationError, SetupError, Unavailable
from moderation.queueing import Doorbell
from moderation.scoring import Classifier
from moderation.services.check_log import CheckLog
from moderation.services.intake_line import IntakeLine
from moderation.services.known_keys import KnownKeys
from moderation.services.measures import Gauges
from moderation.store.session import Store
from moderation.web import (
    account,
    audit,
    dashboard,
    deeds,
    demo,
    desk,
    docs,
    embed,
    join,
    keys,
    live,
    locale,
    oidc,
    people,
    preferences,
    queues,
    rooms,
    selection,
    session,
    sign_in,
)
from moderation.web import appeals as appeals_page
from moderation.web import articles as articles_page
from moderation.web import authors as authors_page
from moderation.web import bad_domains as bad_domains_page
from moderation.web import batch as batch_page
from moderation.web import examples as examples_page
from moderation.web import policy as policy_page
from moderation.web import reports as reports_page
from moderation.web import site_keys as site_keys_page
from moderation.web import statements as statements_page
from moderation.web import together as together_pages

_SECURITY: dict[str, SecurityScheme | dict[str, Any]] = {
    "site key": {"type": "http", "scheme": "bearer"},
    "moderator": {"type": "http", "scheme": "bearer"},
    "metrics token": {"type": "http", "scheme": "bearer", "description": "for Prometheus"},
    "publishable key": {"type": "http", "scheme": "bearer", "description": "everybody may see it"},
}

_SECRET_LENGTH = 32
_PATIENCE = 30.0  # as SQLite's: whoever waits longer for an answer has gone


def create_app(settings: Settings) -> Flask:
    """The web application for these settings; no connection is opened. Raises SetupError for what can't work."""
    _check(settings)
    app = Documented(
        __name__, info=Info(title="Comment moderation", version=__version__), doc_ui=False,
        validation_error_callback=of_validation_error, security_schemes=_SECURITY,
        template_folder="web/templates", static_folder="web/static",
    )  # fmt: skip
    app.config.update(MAX_CONTENT_LENGTH=LARGE, SECRET_KEY=settings.secret_key)
    store = Store(settings.database_url, patience=_PATIENCE)
    doorbell = Doorbell(settings.redis_url)
    app.extensions["moderation"] = http.Service(
        settings, store, doorbell, BoundedSemaphore(max(1, settings.web_threads // 4)),
        cache(lambda: Classifier.load(settings.scorer, settings.artefacts)), CheckLog(store),
        KnownKeys(store), IntakeLine(store, doorbell.ring, settings.secret_key),
    )  # fmt: skip
    app.extensions["gauges"] = Gauges(store, {"scorer": settings.scorer})
    http.install(app)
    limits.install(app, settings)
    session.install(app, settings)
    locale.install(app)
    rooms.install(app)
    keys.install(app)
    live.install(app, settings, store)
    oidc.install(app, settings)
    _handle_errors(app)
    for part in (
        comments, reports, threads, examples, public, reviews, queues_api, histogram, together, rules, voices,
        authors_api, dashboard_api, tokens, sign_ins, people_api, ops, metrics,
    ):  # fmt: skip
        app.register_api(part.api)
        session.csrf.exempt(part.api)  # programs send a key or a token; what takes a cookie checks for itself
    for system in (perspective, akismet, coral):
        app.register_blueprint(system.routes)
        session.csrf.exempt(system.routes)
    for room in (sign_in, desk, examples_page, docs, embed, preferences, deeds, selection, audit, dashboard):
        app.register_blueprint(room.pages)
    for room in (live, together_pages):
        app.register_blueprint(room.pages)
    for room in (account, join, oidc, people):
        app.register_blueprint(room.pages)
    app.register_blueprint(queues.pages)
    for room in (policy_page, authors_page, articles_page):
        app.register_blueprint(room.pages)
    for room in (reports_page, appeals_page, statements_page, batch_page, site_keys_page, bad_domains_page):
        app.register_blueprint(room.pages)
    session.csrf.exempt(statements_page.pages)  # whoever has the link may post the form, and nobody else can
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
    gaps = settings.gaps()
    if settings.smtp_host and not settings.base_url:  # a letter's link must not lead where a request's Host says
        gaps.append("MODERATION_SMTP_HOST needs MODERATION_BASE_URL")
    if gaps:
        raise SetupError("; ".join(gaps))
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
