"""API keys: made by a person who has signed in, recognised, listed and revoked."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp.jobs.leases import seconds_from_now
from webapp.kit.api_key_texts import SHOWN_LENGTH, is_key, new_key
from webapp.kit.permissions import Permission, Scope, permissions_of_scopes
from webapp.kit.tokens import hash_token
from webapp.models import ApiKey
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.accounts.holders import (
    FindRow,
    account_of,
    actor_of,
    select_holder,
    with_account,
)
from webapp.services.accounts.opened_sessions import SECONDS_A_DAY
from webapp.services.accounts.sessions import Login, require_unchanged
from webapp.services.errors import ConflictError, NotFoundError, QuotaError

# The use of a key is noted as often as this, so that most requests write nothing.
NOTE_USE_SECONDS = 60


@dataclass(frozen=True)
class ApiKeyLine:
    """A key as its owner sees it in a list."""

    id: int
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True)
class NewApiKey:
    """A new key, with the only copy of its text."""

    line: ApiKeyLine
    key: str


def create(
    session: Session,
    actor: Actor,
    login: Login,
    *,
    name: str,
    scopes: Collection[Scope],
    days: int,
    most: int,
) -> NewApiKey:
    """Make a key of an account that ends after so many days.

    The password is asked for again, so that who finds a session open cannot make something of it
    that outlives it; `login` is what came of it. The account is locked, so that a change of its
    password and this take turns. Raises ForbiddenError (for every key: none makes another),
    AuthenticationError where the password was changed since, ConflictError for a name that another
    key has, and QuotaError beyond `most` live keys (0: any number).
    """
    actor.require(Permission.CREDENTIAL_MANAGE)
    require_unchanged(session, login)
    _free_name(session, actor.user_id, name)
    key = new_key()
    statement = (
        insert(ApiKey)
        .values(
            user_id=actor.user_id,
            name=name,
            prefix=key[:SHOWN_LENGTH],
            key_hash=hash_token(key),
            scopes=sorted({scope.value for scope in scopes}),
            expires_at=seconds_from_now(days * SECONDS_A_DAY),
        )
        .on_conflict_do_nothing(
            index_elements=["user_id", "name"], index_where=ApiKey.revoked_at.is_(None)
        )
        .returning(*_LINE)
    )
    made = session.execute(statement).one_or_none()
    if made is None:
        raise ConflictError(f"You have a key {name}; revoke it first, or take another name.")
    _require_room(session, actor.user_id, most)
    line = ApiKeyLine(**made._asdict())
    activity.trace(
        session, actor.user_id, "api_key.create", key_id=line.id, scopes=line.scopes,
        expires_at=line.expires_at.isoformat(),
    )  # fmt: skip
    return NewApiKey(line, key)


def list_keys(session: Session, user_id: int, *, after_id: int, limit: int) -> list[ApiKeyLine]:
    """Return the live keys of an account, oldest first, from above `after_id`."""
    statement = select(*_LINE).where(_is_live(user_id), ApiKey.id > after_id)
    rows = session.execute(statement.order_by(ApiKey.id).limit(limit))
    return [ApiKeyLine(**row._asdict()) for row in rows]


def revoke(session: Session, actor: Actor, key_id: int) -> None:
    """End a key of the actor. Raises NotFoundError when it is not theirs or was revoked."""
    actor.require(Permission.CREDENTIAL_MANAGE)
    revoked = session.scalar(
        update(ApiKey)
        .where(
            ApiKey.id == key_id, ApiKey.user_id == actor.user_id, ApiKey.revoked_at.is_(None)
        )
        .values(revoked_at=func.clock_timestamp())
        .returning(ApiKey.id)
    )  # fmt: skip
    if revoked is None:
        raise NotFoundError("You have no such key.")
    activity.trace(session, actor.user_id, "api_key.revoke", key_id=key_id)


_HOLDER = select_holder(
    ApiKey,
    ApiKey.key_hash,
    ApiKey.scopes,
    is_use_noted=func.coalesce(ApiKey.last_used_at > seconds_from_now(-NOTE_USE_SECONDS), False),
)
_HOLDER_WITH_ACCOUNT = with_account(_HOLDER)


def find_actor(find: FindRow, key: str, *, wants_account: bool = False) -> Actor | None:
    """Return who comes with this key; None when it is unknown, ended, or its owner's account off.

    The owner's role is that of this moment, and the key's scopes bound it. With `wants_account` the
    same read brings what the account shows of itself.
    """
    if not is_key(key):
        return None
    statement = _HOLDER_WITH_ACCOUNT if wants_account else _HOLDER
    row = find(statement, {"secret_hash": hash_token(key)})
    if row is None:
        return None
    return actor_of(
        row,
        api_key_id=row.id,
        key_permissions=permissions_of_scopes(row.scopes),
        account=account_of(row) if wants_account else None,
    )


def note_use(session: Session, key_id: int) -> None:
    """Note that a key is in use, unless another request has in this minute.

    Commit before anything else is locked, so that none can wait.
    """
    session.execute(
        update(ApiKey)
        .where(
            ApiKey.id == key_id,
            or_(
                ApiKey.last_used_at.is_(None),
                ApiKey.last_used_at <= seconds_from_now(-NOTE_USE_SECONDS),
            ),
        )
        .values(last_used_at=func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )


_LINE = (
    ApiKey.id,
    ApiKey.name,
    ApiKey.prefix,
    ApiKey.scopes,
    ApiKey.created_at,
    ApiKey.expires_at,
    ApiKey.last_used_at,
)


def _is_live(user_id: int) -> ColumnElement[bool]:
    return and_(
        ApiKey.user_id == user_id,
        ApiKey.revoked_at.is_(None),
        ApiKey.expires_at > func.clock_timestamp(),
    )


def _free_name(session: Session, user_id: int, name: str) -> None:
    """Take its name from a key that has expired, which its owner sees no more."""
    session.execute(
        update(ApiKey)
        .where(
            ApiKey.user_id == user_id,
            ApiKey.name == name,
            ApiKey.revoked_at.is_(None),
            ApiKey.expires_at <= func.clock_timestamp(),
        )
        .values(revoked_at=ApiKey.expires_at)
        .execution_options(synchronize_session=False)
    )


def _require_room(session: Session, user_id: int, most: int) -> None:
    """Raise QuotaError where an account has more live keys than it may, the newest included."""
    if not most:
        return
    keys = select(ApiKey.id).where(_is_live(user_id)).limit(most + 1).subquery()
    counted = session.scalar(select(func.count()).select_from(keys)) or 0
    if counted > most:
        raise QuotaError(f"This account has {most} of at most {most} keys; revoke one first.")
