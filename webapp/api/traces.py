"""The trace of what was refused, which outlives the roll-back of its request."""

from typing import Any

import structlog
from flask import g, request

from webapp.api.context import WebContext
from webapp.kit.logins import one_form
from webapp.kit.tokens import keyed_digest
from webapp.services import activity
from webapp.services.accounts.identities import NotLetInError
from webapp.services.accounts.second_factors import WrongSecondFactorError
from webapp.services.accounts.sessions import WrongCredentialsError
from webapp.services.errors import ForbiddenError, ServiceError

log = structlog.get_logger()


def trace_refusal(context: WebContext, error: ServiceError) -> None:
    """Note a failed login, first step or second, and a refused role, in a transaction of their own.

    A login that belongs to no account leaves a line as well, so that the answer to it takes as much
    work. The brake for guesses bounds how many there are. What was typed there may be a password,
    hence the keyed digest.
    """
    if isinstance(error, WrongCredentialsError):
        key = context.settings.require_secret_key().encode()
        body = request.get_json(silent=True)
        login = str(body.get("login", "")) if isinstance(body, dict) else ""
        login_hash = keyed_digest(key, "login", one_form(login))[:16]
        log.warning("login.failed", user_id=error.user_id, login_hash=login_hash)
        with context.sessions.begin() as session:
            activity.record(session, None, "login.failed", "user", error.user_id)
    elif isinstance(error, WrongSecondFactorError):
        log.warning("second_factor.failed", user_id=error.user_id)
        if error.user_id is not None:
            with context.sessions.begin() as session:
                activity.record(session, None, "second_factor.failed", "user", error.user_id)
    elif isinstance(error, NotLetInError):
        log.warning("login.failed", user_id=error.user_id, reason=error.reason)
        if error.user_id is not None:
            with context.sessions.begin() as session:
                activity.record(session, None, "login.failed", "user", error.user_id)
    elif isinstance(error, ForbiddenError) and "known_user_id" in g:
        asked: dict[str, Any] = {"method": request.method, "path": request.path}
        log.warning("role.refused", user_id=g.known_user_id, **asked)
        with context.sessions.begin() as session:
            activity.record(session, g.known_user_id, "role.refused", "user", None, **asked)
