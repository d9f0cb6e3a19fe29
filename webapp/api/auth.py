"""Who may call a view. Every view wears exactly one of these marks; a test walks them all."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import g, request
from sqlalchemy.orm import Session

from webapp.api.clients import client_address
from webapp.api.errors import RequestError
from webapp.kit.api_key_texts import PREFIX
from webapp.kit.permissions import Permission
from webapp.services import origins
from webapp.services.accounts import api_keys, sessions
from webapp.services.accounts.actors import Account, Actor
from webapp.services.accounts.holders import FindRow
from webapp.services.accounts.left_work import under_settings
from webapp.services.errors import AuthenticationError, ForbiddenError
from webapp.settings import Settings

View = TypeVar("View", bound=Callable[..., Any])

MARK = "auth_mark"
READS = frozenset({"GET", "HEAD"})
# Open to an account whose address is not proven, whatever the settings let it do besides.
OF_ONES_ACCOUNT = frozenset(
    {
        Permission.ACCOUNT_READ,
        Permission.ACCOUNT_EDIT,
        Permission.ACCOUNT_DELETE,
        Permission.ACCOUNT_EXPORT,
        Permission.CREDENTIAL_MANAGE,
    }
)
LACKS_FACTOR = (
    "Your role has to have a second factor: add one first, beginning with "
    "POST /api/v1/auth/second-factors/totp."
)
AGENT_SESSION = re.compile(r"[\x21-\x7e]{1,100}")


@dataclass(frozen=True)
class AuthMark:
    """The permission that a caller needs; None lets everybody in.

    With `knows_callers` a view for everybody is told who calls, where a valid token says so, and
    with `knows_callers_with` only where the query has this parameter. One
    that is `for_enrolment` is open to an account that has yet to add the second factor which its
    role has to have. One that `wants_account` gets it by `current_account`, out of the read that
    says who calls.
    """

    permission: Permission | None
    knows_callers: bool = False
    for_enrolment: bool = False
    wants_account: bool = False
    knows_callers_with: str | None = None


def public(view: View) -> View:
    """Let everybody call the view."""
    setattr(view, MARK, AuthMark(None))
    return view


def public_to_all(view: View) -> View:
    """Let everybody call the view, which shows more to some: `known_actor` says who calls."""
    setattr(view, MARK, AuthMark(None, knows_callers=True))
    return view


def public_but_for(parameter: str) -> Callable[[View], View]:
    """Let everybody call the view, which shows more to some with a parameter in the query."""

    def mark(view: View) -> View:
        setattr(view, MARK, AuthMark(None, knows_callers=True, knows_callers_with=parameter))
        return view

    return mark


def requires(
    permission: Permission, *, for_enrolment: bool = False, wants_account: bool = False
) -> Callable[[View], View]:
    """Let those call the view who have this permission.

    The services ask for more where it depends on what is asked for: an item of one's own or not.
    """

    def mark(view: View) -> View:
        made = AuthMark(permission, for_enrolment=for_enrolment, wants_account=wants_account)
        setattr(view, MARK, made)
        return view

    return mark


def load_actor(
    find: FindRow, open_session: Callable[[], Session], mark: AuthMark, settings: Settings
) -> None:
    """Find out who calls and whether they may, and note the use of their session or API key.

    A session of the database is opened only for that note.

    Raises AuthenticationError (no token or key, or one that is not valid), ForbiddenError, and
    RequestError for a name of an agent's session that is none. Where
    everybody may, a token that is not valid makes no difference.
    """
    try:
        actor = _find_actor(find, settings.access_token_idle_days, mark.wants_account)
    except AuthenticationError:
        if mark.permission is None:
            return
        raise
    g.known_user_id = actor.user_id
    if actor.api_key_id is None:
        origins.add(session_id=actor.session_id)
    else:
        origins.add(api_key_id=actor.api_key_id, agent_session=_agent_session())
    if not actor.is_use_noted:
        _note_use(open_session(), actor)
    lacks_factor = not actor.has_second_factor and settings.wants_second_factor(actor.role)
    if mark.permission is not None:
        if lacks_factor and not mark.for_enrolment:
            raise ForbiddenError(LACKS_FACTOR)
        if not actor.is_verified and mark.permission not in OF_ONES_ACCOUNT:
            _refuse_unverified(settings)
        actor.require(mark.permission)
    elif lacks_factor or (not actor.is_verified and settings.unverified_accounts == "nothing"):
        # It is shown what everybody is shown.
        return
    g.actor = under_settings(actor, settings)


def _refuse_unverified(settings: Settings) -> None:
    """Raise ForbiddenError where the settings keep unproven accounts from this request."""
    may = settings.unverified_accounts
    if may == "nothing" or (may == "read" and request.method not in READS):
        raise ForbiddenError(
            "Prove the address of your account first: open the link in the mail, or ask for "
            "another one with POST /api/v1/auth/verify-email/resend."
        )


def current_actor() -> Actor:
    """Return who calls; only for views that are not public."""
    actor: Actor = g.actor
    return actor


def current_account() -> Account:
    """Return the account of who calls; only for views whose mark `wants_account`."""
    account: Account = g.actor.account
    return account


def known_actor() -> Actor | None:
    """Return who calls a view for all, None for somebody who is not known."""
    actor: Actor | None = g.get("actor")
    return actor


def _find_actor(find: FindRow, idle_days: int, wants_account: bool) -> Actor:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise AuthenticationError("Send a token: Authorization: Bearer …")
    text = token.strip()
    if text.startswith(PREFIX):
        actor = api_keys.find_actor(find, text, wants_account=wants_account)
        if actor is None:
            raise AuthenticationError("The API key is unknown, expired or revoked.")
        return actor
    actor = sessions.find_actor(find, text, idle_days=idle_days, wants_account=wants_account)
    if actor is None:
        raise AuthenticationError("The token is unknown, expired or revoked; log in again.")
    return actor


def _agent_session() -> str | None:
    """Return the name that the client gives to a series of its requests. Raises RequestError."""
    name = request.headers.get("Agent-Session")
    if name is not None and AGENT_SESSION.fullmatch(name) is None:
        raise RequestError(400, "Agent-Session must be 1 to 100 visible ASCII characters.")
    return name


def _note_use(session: Session, actor: Actor) -> None:
    """Note the use, and commit before anything else is locked, so that none can wait."""
    if actor.api_key_id is not None:
        api_keys.note_use(session, actor.api_key_id)
    elif actor.session_id is not None:
        sessions.note_use(session, actor.session_id, client_address())
    session.commit()
