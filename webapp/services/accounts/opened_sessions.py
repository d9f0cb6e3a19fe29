"""New login sessions: a token becomes one, once its holder has shown all that they have to."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, LargeBinary, Text, bindparam, func, select, text
from sqlalchemy.orm import Session

from webapp.adapters import built_statements
from webapp.kit.tokens import hash_token
from webapp.models import AccessToken
from webapp.services import activity
from webapp.services.errors import ConflictError

SECONDS_A_DAY = 86_400
# The account is locked by a statement before this one, whose snapshot therefore holds the sessions
# of every login that had its turn earlier. It does not see the row that it inserts itself.
_OPEN = text(
    """
    WITH opened AS (
        INSERT INTO access_tokens (user_id, token_hash, user_agent, address, expires_at)
        VALUES (:user_id, :token_hash, :user_agent, :address,
            clock_timestamp() + make_interval(secs => :seconds))
        ON CONFLICT (token_hash) DO NOTHING
        RETURNING expires_at
    ), live AS (
        SELECT id, row_number() OVER (
            ORDER BY coalesce(last_used_at, created_at) DESC, id DESC
        ) AS place
        FROM access_tokens
        WHERE user_id = :user_id AND revoked_at IS NULL AND expires_at > clock_timestamp()
    ), ended AS (
        UPDATE access_tokens SET revoked_at = clock_timestamp()
        FROM live
        WHERE access_tokens.id = live.id AND access_tokens.revoked_at IS NULL
            AND :most > 0 AND live.place >= :most AND EXISTS (SELECT FROM opened)
    )
    SELECT expires_at FROM opened
    """
).bindparams(
    *(bindparam(name, type_=BigInteger()) for name in ("user_id", "seconds", "most")),
    *(bindparam(name, type_=Text()) for name in ("user_agent", "address")),
    bindparam("token_hash", type_=LargeBinary()),
)


@dataclass(frozen=True)
class OpenedSession:
    """A new session, with the only copy of its token."""

    access_token: str
    expires_at: datetime


def hand_out(
    session: Session,
    user_id: int,
    token: str,
    *,
    days: int,
    user_agent: str,
    address: str,
    most: int = 0,
    **details: str,
) -> OpenedSession:
    """Open a session with this token for an account that has shown all that it has to.

    The account has to be locked. Where the token has opened one before, it is that session. The
    activity log tells the `details` with it. Raises ConflictError when that session has ended.
    """
    values = {
        "user_id": user_id,
        "token_hash": hash_token(token),
        "user_agent": user_agent[:200],
        "address": address,
        "seconds": days * SECONDS_A_DAY,
        "most": most,
    }
    row = built_statements.first(session.connection(), _OPEN, values)
    if row is not None:
        opened: OpenedSession | None = OpenedSession(token, row.expires_at)
    else:
        opened = find_opened(session, user_id, token)
    if opened is None:
        raise ConflictError("The session of this Idempotency-Key has ended; use a new key.")
    activity.trace(session, user_id, "login.ok", **details)
    return opened


def find_opened(session: Session, user_id: int, token: str) -> OpenedSession | None:
    """Return the live session of an account that was opened with this token, or None."""
    expires_at: datetime | None = session.scalar(
        select(AccessToken.expires_at).where(
            AccessToken.token_hash == hash_token(token),
            AccessToken.user_id == user_id,
            AccessToken.revoked_at.is_(None),
            AccessToken.expires_at > func.clock_timestamp(),
        )
    )
    return None if expires_at is None else OpenedSession(token, expires_at)
