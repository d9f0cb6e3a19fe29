"""A new password, set by the owner of an account who knows the present one."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.jobs.account_messages import SendPasswordChanged
from webapp.jobs.outbox import enqueue
from webapp.models import AccessToken
from webapp.services import activity
from webapp.services.accounts import accounts
from webapp.services.accounts.actors import Actor
from webapp.services.accounts.sessions import Login, require_unchanged
from webapp.services.errors import AuthenticationError


def change(
    session: Session,
    actor: Actor,
    login: Login,
    password: str,
    *,
    site_words: tuple[str, ...] = (),
) -> None:
    """Set a new password for who is asking, and mail the owner of the account that it happened.

    `login` is what came of the password of before. All other sessions end, all API keys, and every
    token that could set another password. The account is locked: of two changes at once the second
    finds another password than it knew, a login that was checked against the old one opens
    nothing, and a session that was ended meanwhile changes nothing any more. Raises
    AuthenticationError then, and InvalidInputError for a password that would be guessed.
    """
    require_unchanged(session, login)
    is_open = select(AccessToken.id).where(
        AccessToken.id == actor.session_id,
        AccessToken.revoked_at.is_(None),
        AccessToken.expires_at > func.clock_timestamp(),
    )
    if session.scalar(is_open) is None:
        raise AuthenticationError("This session has ended; log in again.")
    accounts.set_password(
        session,
        actor.user_id,
        password,
        site_words=site_words,
        but_session=actor.session_id,
        field="new_password",
    )
    activity.trace(session, actor.user_id, "password.change")
    enqueue(session, SendPasswordChanged(user_id=actor.user_id))
