"""Who may call a view. Every view wears exactly one of these marks; a test walks them all."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from flask import g, request
from sqlalchemy.orm import Session

from webapp.kit.roles import RoleName
from webapp.services.accounts import sessions
from webapp.services.accounts.actors import Actor
from webapp.services.errors import AuthenticationError
from webapp.settings import Settings

View = TypeVar("View", bound=Callable[..., Any])

MARK = "auth_mark"


@dataclass(frozen=True)
class AuthMark:
    """The least role that a caller needs; None lets everybody in."""

    role: RoleName | None


def public(view: View) -> View:
    """Let everybody call the view."""
    setattr(view, MARK, AuthMark(None))
    return view


def requires(role: RoleName) -> Callable[[View], View]:
    """Let accounts with this role, or a higher one, call the view."""

    def mark(view: View) -> View:
        setattr(view, MARK, AuthMark(role))
        return view

    return mark


def load_actor(session: Session, mark: AuthMark, settings: Settings) -> None:
    """Find out who calls and whether they may, and note the use of their session.

    Raises AuthenticationError (no token, or one that is not valid) and ForbiddenError.
    """
    if mark.role is None:
        return
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise AuthenticationError("Send a token: Authorization: Bearer …")
    actor = sessions.find_actor(session, token.strip())
    if actor is None:
        raise AuthenticationError("The token is unknown, expired or revoked; log in again.")
    g.known_user_id = actor.user_id
    if not actor.is_use_noted and actor.session_id is not None:
        sessions.note_use(session, actor.session_id)
        session.commit()
    actor.require(mark.role)
    g.actor = replace(actor, quotas=settings.quotas_of(actor.role))


def current_actor() -> Actor:
    """Return who calls; only for views that are not public."""
    actor: Actor = g.actor
    return actor
