"""Authenticator apps: enrolled by a person who has signed in, whose codes are each good once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import ColumnElement, Float, cast, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp.kit.one_time_codes import new_totp_secret, step_of, totp_address
from webapp.kit.sealed_secrets import UnreadableSecretError, seal, unseal
from webapp.models import TotpFactor
from webapp.services import activity
from webapp.services.accounts import factor_changes, recovery_codes
from webapp.services.accounts.actors import Actor
from webapp.services.accounts.sessions import Login, require_unchanged
from webapp.services.errors import ConflictError, InvalidInputError

log = structlog.get_logger()

PURPOSE = "totp secret"
_NOW = cast(func.extract("epoch", func.clock_timestamp()), Float)


@dataclass(frozen=True)
class NewSecret:
    """The only copy of a secret, bare and as the address that apps read."""

    secret: str = field(repr=False)
    address: str = field(repr=False)


@dataclass(frozen=True)
class _Shared:
    """What a code is held against, and the moment in seconds of the epoch."""

    secret: str
    is_sealed_anew: bool
    now: float


def begin(
    session: Session, actor: Actor, login: Login, secret_keys: Sequence[str], *, issuer: str
) -> NewSecret:
    """Make the secret of an app, which counts from its first right code on; see `confirm`.

    `login` is what came of the password once more. A secret that was not confirmed gives way.
    Raises AuthenticationError where the password was changed since, and ConflictError where the
    account has an app already.
    """
    require_unchanged(session, login)
    secret = new_totp_secret()
    sealed = seal(secret_keys[0], PURPOSE, actor.user_id, secret)
    statement = (
        insert(TotpFactor)
        .values(user_id=actor.user_id, sealed_secret=sealed)
        .on_conflict_do_update(
            index_elements=["user_id"],
            set_={"sealed_secret": sealed, "created_at": func.clock_timestamp()},
            where=TotpFactor.confirmed_at.is_(None),
        )
        .returning(TotpFactor.user_id)
    )
    if session.scalar(statement) is None:
        raise ConflictError("This account has an authenticator app; remove that one first.")
    activity.trace(session, actor.user_id, "second_factor.totp_begun")
    return NewSecret(secret, totp_address(secret, login=actor.login, issuer=issuer))


def confirm(session: Session, user_id: int, code: str, secret_keys: Sequence[str]) -> list[str]:
    """Let an app count, by a first right code; returns the recovery codes where there were none.

    Raises ConflictError where none waits for that, and InvalidInputError for a wrong code.
    """
    factor_changes.lock(session, user_id)
    waiting = (TotpFactor.user_id == user_id, TotpFactor.confirmed_at.is_(None))
    shared = _read(session, user_id, secret_keys, *waiting)
    if shared is None:
        raise ConflictError("No authenticator app waits for its first code; begin anew.")
    step = step_of(shared.secret, code, shared.now)
    if step is None:
        raise InvalidInputError("code", "is not the code that the app shows now")
    session.execute(
        update(TotpFactor)
        .where(*waiting)
        .values(confirmed_at=func.clock_timestamp(), last_step=step)
        .execution_options(synchronize_session=False)
    )
    codes = recovery_codes.make_first(session, user_id)
    factor_changes.follow(session, user_id, "totp_added", actor_id=user_id)
    return codes


def take(session: Session, user_id: int, code: str, secret_keys: Sequence[str]) -> bool:
    """Use the code of a time step up: it is good once, and so is none of a step before it.

    Of many uses of one at once the guarded update lets one through. A secret that was sealed under
    the former secret key is sealed under the present one.
    """
    counting = (TotpFactor.user_id == user_id, TotpFactor.confirmed_at.is_not(None))
    shared = _read(session, user_id, secret_keys, *counting)
    step = None if shared is None else step_of(shared.secret, code, shared.now)
    if shared is None or step is None:
        return False
    values: dict[str, object] = {"last_step": step}
    if shared.is_sealed_anew:
        values["sealed_secret"] = seal(secret_keys[0], PURPOSE, user_id, shared.secret)
    used = (
        update(TotpFactor)
        .where(*counting, func.coalesce(TotpFactor.last_step, -1) < step)
        .values(**values)
        .returning(TotpFactor.user_id)
    )
    return session.scalar(used) is not None


def since(session: Session, user_id: int) -> datetime | None:
    """Return since when an account has an app, or None."""
    return session.scalar(select(TotpFactor.confirmed_at).where(TotpFactor.user_id == user_id))


def remove(session: Session, user_id: int) -> bool:
    """Take the app of an account away; says whether there was one, in use or not."""
    gone = delete(TotpFactor).where(TotpFactor.user_id == user_id).returning(TotpFactor.user_id)
    return session.scalar(gone) is not None


def _read(
    session: Session, user_id: int, secret_keys: Sequence[str], *which: ColumnElement[bool]
) -> _Shared | None:
    row = session.execute(
        select(TotpFactor.sealed_secret, _NOW.label("now")).where(*which)
    ).one_or_none()
    if row is None:
        return None
    for place, secret_key in enumerate(secret_keys):
        try:
            secret = unseal(secret_key, PURPOSE, user_id, row.sealed_secret)
        except UnreadableSecretError:
            continue
        return _Shared(secret, place > 0, row.now)
    # The secret key was changed twice, or without naming the former one; recovery codes go on.
    log.error("second_factor.unreadable", user_id=user_id)
    return None
