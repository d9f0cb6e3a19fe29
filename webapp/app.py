"""The assembly of the API."""

from dataclasses import replace

from flask_openapi3.models.info import Info

from webapp.adapters.issuer_exchange import sign_in_issuers
from webapp.adapters.logs import configure_logs
from webapp.api.accounts import (
    accounts,
    address_changes,
    api_keys,
    auth_tokens,
    identities,
    issuers,
    passkeys,
    password_changes,
    second_factors,
    verifications,
)
from webapp.api.answer_headers import AnswerHeaders, WithAnswerHeaders
from webapp.api.audience import follows, notifications
from webapp.api.clients import BehindProxies, refuse_hidden_clients
from webapp.api.content import (
    autosaves,
    checks,
    comments,
    comparisons,
    content,
    labels,
    notices,
    previews,
    tags,
    taxonomy,
    versions,
)
from webapp.api.context import WebContext
from webapp.api.edge import ImprintApp, install_edge
from webapp.api.errors import install_error_handlers
from webapp.api.interchange import imports
from webapp.api.metrics import install_metrics
from webapp.api.operations import (
    account_deletions,
    account_exports,
    activity,
    bulk_actions,
    undo,
)
from webapp.api.operations.operators import install_operators
from webapp.api.problems import Problem
from webapp.api.publishing import (
    calendar_feeds,
    corrections,
    forecasts,
    published,
    recurrences,
    refreshes,
    release_entries,
    releases,
    review_links,
    reviews,
    schedule_days,
    schedules,
    searching,
    timeline,
)
from webapp.api.publishing.public_reads import PublicReads
from webapp.api.rate_limits import install_rate_limits
from webapp.api.routing import install_routing
from webapp.bootstrap import web_context
from webapp.pages.calendar import install_calendar
from webapp.pages.docs import describe_permissions, describe_problems, install_docs
from webapp.pages.export import install_export
from webapp.pages.freeze_account import install_freeze_account
from webapp.pages.page_script import install_page_script
from webapp.pages.preview import install_preview
from webapp.pages.refusals import install_page_refusals
from webapp.pages.reset_password import install_reset_password
from webapp.pages.review import install_review
from webapp.pages.unsubscribe import install_unsubscribe
from webapp.pages.verify_email import install_verify_email
from webapp.serving.bodies import Bodies
from webapp.serving.server import Server
from webapp.settings import Settings

BLUEPRINTS = (
    accounts.blueprint,
    auth_tokens.blueprint,
    second_factors.blueprint,
    passkeys.blueprint,
    verifications.blueprint,
    password_changes.blueprint,
    address_changes.blueprint,
    issuers.blueprint,
    identities.blueprint,
    api_keys.blueprint,
    content.blueprint,
    autosaves.blueprint,
    versions.blueprint,
    comparisons.blueprint,
    checks.blueprint,
    previews.blueprint,
    labels.blueprint,
    comments.blueprint,
    schedules.blueprint,
    schedule_days.blueprint,
    calendar_feeds.blueprint,
    recurrences.blueprint,
    releases.blueprint,
    release_entries.blueprint,
    corrections.blueprint,
    reviews.blueprint,
    review_links.blueprint,
    imports.blueprint,
    taxonomy.blueprint,
    tags.blueprint,
    published.blueprint,
    forecasts.blueprint,
    refreshes.blueprint,
    searching.blueprint,
    timeline.blueprint,
    follows.blueprint,
    notifications.blueprint,
    notices.blueprint,
    activity.blueprint,
    undo.blueprint,
    bulk_actions.blueprint,
    account_deletions.blueprint,
    account_exports.blueprint,
)
PAGES = (
    install_page_script,
    install_preview,
    install_calendar,
    install_review,
    install_reset_password,
    install_verify_email,
    install_freeze_account,
    install_export,
    install_unsubscribe,
    install_page_refusals,
)


def create_app(settings: Settings | None = None) -> ImprintApp:
    """Return the application, connected to nothing yet.

    Without a database's URL it can still show its documents.
    """
    settings = settings or Settings.from_environment(needs_secret_key=True)
    configure_logs(settings)
    app = ImprintApp(
        "webapp",
        info=Info(title="Imprint", version="1", description=DESCRIPTION),
        security_schemes={"bearer": BEARER_SCHEME},
        doc_ui=False,
        validation_error_model=Problem,
        static_folder=None,
    )
    if settings.prometheus_multiproc_dir is not None:
        settings.prometheus_multiproc_dir.mkdir(parents=True, exist_ok=True)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.json.sort_keys = False  # type: ignore[attr-defined]
    install_routing(app)
    install_error_handlers(app)
    install_edge(app)
    refuse_hidden_clients(app, settings)
    install_metrics(app)
    for blueprint in BLUEPRINTS:
        app.register_api(blueprint)
    install_operators(app)
    install_docs(app)
    for install_page in PAGES:
        install_page(app)
    describe_problems(app)
    describe_permissions(app)
    install_rate_limits(app, settings)
    # The library's own command writes the document to a file; `/openapi.json` serves it.
    app.cli.commands.pop("openapi", None)
    app.context = _context(settings) if settings.database_url else None
    if app.context is not None:
        app.wsgi_app = PublicReads(app.wsgi_app, app.context.readers)  # type: ignore[method-assign]
    headers = AnswerHeaders(settings)
    app.wsgi_app = WithAnswerHeaders(app.wsgi_app, headers)  # type: ignore[method-assign]
    app.wsgi_app = BehindProxies(app.wsgi_app, settings)  # type: ignore[method-assign]
    return app


def _context(settings: Settings) -> WebContext:
    """Return what the API has at hand; issuers are for it alone, and no worker loads them."""
    return replace(web_context(settings), issuers=sign_in_issuers(settings.issuers()))


def create_server(settings: Settings | None = None) -> Server:
    """Return the application as granian serves it, with threads for each class of requests."""
    settings = settings or Settings.from_environment(needs_secret_key=True)
    bodies = Bodies(settings.body_seconds, settings.max_body_bytes)
    return Server(create_app(settings).wsgi_app, bodies, AnswerHeaders(settings))


BEARER_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "The token of a session (POST /api/v1/auth/token), or an API key.",
}

DESCRIPTION = """Imprint publishes content on time and tells its followers.

Errors are `application/problem+json`. Lists are pages: pass `next` as `cursor`. Changes of what
exists want `If-Match` with the ETag that was read (items, schedules, accounts, roles, categories).
Any POST may carry an `Idempotency-Key`.

Moments are RFC 3339 with an offset: `2031-05-17T09:00:00+02:00`, in an address with `%2B` for the
`+`. Bodies are UTF-8. What could be meant in two ways is refused: a name that stands twice, in a
body or a query, and a number or a flag in another spelling than JSON's.

Texts in answers are plain and have to be escaped before they stand in HTML: titles, names,
excerpts, metadata, and bodies as their authors wrote them. Only `html` of a published item is HTML,
and safe.
"""
