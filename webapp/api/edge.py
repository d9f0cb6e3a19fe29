"""The life of a request: an id, an actor, one transaction, and the answer.

Only this edge commits. Whatever raises rolls back and becomes a problem document.
"""

import re
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from flask import Response, current_app, g, request
from flask_openapi3.openapi import OpenAPI
from sqlalchemy.orm import Session
from structlog.contextvars import bind_contextvars, clear_contextvars

from webapp.api.auth import MARK, AuthMark, load_actor
from webapp.api.context import WebContext
from webapp.api.errors import RequestError
from webapp.api.metrics import known_method
from webapp.api.password_door import require_open_door
from webapp.api.request_ids import choose_request_id
from webapp.api.told_paths import told_path
from webapp.api.traces import trace_refusal
from webapp.kit.missing_settings import DATABASE_URL_IS_NOT_SET
from webapp.services import idempotency, origins
from webapp.services.accounts.actors import Actor
from webapp.services.content import renderings
from webapp.services.content.renderings import (
    RENDERED_AHEAD,
    RENDERS_APART,
    RenderedTexts,
    RenderingNeededError,
)
from webapp.services.errors import ServiceError, UnavailableError
from webapp.services.idempotency import StoredAnswer
from webapp.services.origins import LONGEST_USER_AGENT, Origin
from webapp.settings import MissingSettingError

log = structlog.get_logger()

IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")
# A version may be saved while the one before it is rendered, and be the newest then.
MOST_RENDERINGS = 4
KEPT_HEADERS = ("Content-Type", "ETag", "Location")
UNKEPT_ANSWER = "answer_is_not_kept"


class ImprintApp(OpenAPI):
    """A Flask application that runs each view in one unit of work."""

    context: WebContext | None = None

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return what it is given: no view here is a coroutine, and to ask costs at each call."""
        return func

    def dispatch_request(self) -> Response:
        """Run the view of this request, anew after each text that had to be rendered for it."""
        for _ in range(MOST_RENDERINGS):
            try:
                return self._dispatch_in_transaction()
            except RenderingNeededError as needed:
                # The transaction has ended, and with it every lock; what it found is asked again.
                if "texts" in g and g.texts.are_needed:
                    g.texts.render_needed()
                else:
                    render_apart(needed.version_ids)
        raise UnavailableError("The item changes too often just now; try again soon.")

    def _dispatch_in_transaction(self) -> Response:
        """Run the view of this request; commit if it went well, roll back if it did not."""
        if request.method == "OPTIONS" and request.url_rule is not None:
            # It is asked before a request that has a token, and tells nothing that needs one.
            return self._say_methods()
        view = self.view_functions.get(request.endpoint or "")
        mark: AuthMark | None = getattr(view, MARK, None)
        try:
            if self.context is not None:
                require_open_door(view, self.context.settings)
            if mark is not None:
                load_actor_if_needed(mark)
            key = idempotency_key() if request.method == "POST" and view is not None else None
            if key is not None and not getattr(view, UNKEPT_ANSWER, False):
                response = self._dispatch_once(key)
            else:
                response = self.make_response(super().dispatch_request())
            if "session" in g and response.status_code < 400:
                g.session.commit()
            return response
        except ServiceError as error:
            if "session" in g:
                g.session.rollback()
            if self.context is not None:
                trace_refusal(self.context, error)
            raise
        finally:
            if "session" in g:
                g.pop("session").close()

    def _say_methods(self) -> Response:
        """Answer what may be done with this address, whoever asks."""
        response = self.make_default_options_response()
        response.status_code = 204
        return response

    def _dispatch_once(self, key: str) -> Response:
        """Answer a repeated POST with what was answered the first time."""
        is_known = "actor" in g
        fingerprint = idempotency.fingerprint_of(
            web_context().settings.require_secret_key(),
            request.method,
            request.path,
            request.headers.get("If-Match", ""),
            g.actor.role.value if is_known else "",
            request.get_data(),
        )
        # Clients that nobody knows have no keys of their own, so theirs are told apart by what
        # comes with them: none can take a key from another one. What a person was answered is not
        # for a machine that has less of their rights, so an API key's answers are its own.
        scope = _scope_of(g.actor) if is_known else f"anonymous:{fingerprint.hex()}"
        session = open_session()
        kept = idempotency.find_answer(session, scope, key, fingerprint)
        if kept is not None:
            headers = {**kept.headers, "Idempotency-Replayed": "true"}
            return Response(kept.body, kept.status, headers)
        response = self.make_response(super().dispatch_request())
        if response.status_code < 400:
            headers = {
                name: response.headers[name] for name in KEPT_HEADERS if name in response.headers
            }
            stored = StoredAnswer(response.status_code, headers, response.get_data())
            idempotency.keep_answer(session, scope, key, fingerprint, stored)
        return response


def _scope_of(actor: Actor) -> str:
    """Return within what the Idempotency-Keys of a caller are its own."""
    if actor.api_key_id is not None:
        return f"api_key:{actor.api_key_id}"
    return f"user:{actor.user_id}"


def web_context() -> WebContext:
    """Return the parts that the application was assembled with. Raises MissingSettingError."""
    context: WebContext | None = current_app.context  # type: ignore[attr-defined]
    if context is None:
        raise MissingSettingError(DATABASE_URL_IS_NOT_SET)
    return context


def render_saves_ahead() -> None:
    """Let a version that this request saves be rendered, which its view is then run anew for.

    It is gone with the transaction that ends for the rendering, so its text is rendered instead.
    """
    if "texts" not in g:
        g.texts = RenderedTexts()
    open_session().info[RENDERED_AHEAD] = g.texts


def open_session() -> Session:
    """Return the session of this request, opened by its first use."""
    if "session" not in g:
        g.session = web_context().sessions(info={RENDERS_APART: True})
    session: Session = g.session
    return session


def render_apart(version_ids: Sequence[int]) -> None:
    """Render versions while no transaction is open, and keep the renderings.

    Raises UnrenderableError and UnavailableError.
    """
    sessions = web_context().sessions
    with sessions() as session:
        versions = renderings.find_missing(session, version_ids)
    rendered = {version.id: renderings.render_version(version) for version in versions}
    with sessions.begin() as session:
        renderings.keep_renderings(session, versions, rendered)


def load_actor_if_needed(mark: AuthMark) -> None:
    """Find out who calls, where the view wants to know."""
    is_asked = mark.permission is not None
    wanted = mark.knows_callers_with
    is_of_use = mark.knows_callers and (wanted is None or wanted in request.args)
    if is_asked or (is_of_use and "Authorization" in request.headers):
        context = web_context()
        load_actor(context.single_reads.first, open_session, mark, context.settings)


def keeps_no_answer(view: Any) -> Any:  # noqa: ANN401
    """Mark a view whose answer is not kept under an Idempotency-Key.

    The answer holds a secret, or a repeated request does nothing more than the first one.
    """
    setattr(view, UNKEPT_ANSWER, True)
    return view


def install_edge(app: ImprintApp) -> None:
    """Give each request an id, bind it to the log, and log the writes and the refusals.

    Reads that went well are left to the access log of the server in front.
    """

    @app.before_request
    def begin() -> None:
        clear_contextvars()
        request_id = choose_request_id(request.headers.get("X-Request-ID", ""))
        bind_contextvars(request_id=request_id, address=request.remote_addr)
        user_agent = request.user_agent.string[:LONGEST_USER_AGENT] or None
        origins.enter(Origin(address=request.remote_addr, user_agent=user_agent))
        g.request_id = request_id
        g.started = time.perf_counter()

    @app.teardown_request
    def forget(_error: BaseException | None) -> None:
        origins.leave()

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-ID"] = g.get("request_id", "")
        # What says nothing of caches may be somebody's own, or an error with its request_id.
        response.headers.setdefault("Cache-Control", "no-store")
        if request.method not in {"GET", "HEAD", "OPTIONS"} or response.status_code >= 400:
            log.info(
                "request.done",
                address=request.remote_addr,
                user_id=g.get("known_user_id"),
                method=known_method(request.method),
                path=told_path(request.path),
                status=response.status_code,
                milliseconds=round((time.perf_counter() - g.get("started", 0.0)) * 1000, 1),
            )
        return response


def idempotency_key() -> str | None:
    """Return the Idempotency-Key of this request, if it has one. Raises RequestError."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and IDEMPOTENCY_KEY.fullmatch(key) is None:
        raise RequestError(400, "Idempotency-Key must be 1 to 255 printable ASCII characters.")
    return key
