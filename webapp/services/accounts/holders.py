"""Who holds a token or a key: the one rule of what still opens anything, and for whom.

And of which accounts work at all.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from webapp.kit.quotas import Quotas
from webapp.kit.roles import RoleName
from webapp.models import AccessToken, ApiKey, Role, User
from webapp.services.accounts.actors import Account, Actor

QuotasOfRole = Callable[[RoleName], Quotas]
"""Returns how much an account of a role may make."""

FindRow = Callable[[Select[Any], dict[str, Any]], Any | None]
"""Returns the one row of a statement that was built once, or None."""


def is_on() -> ColumnElement[bool]:
    """Return the condition that an account works: it is neither switched off nor frozen."""
    return and_(User.disabled_at.is_(None), User.frozen_at.is_(None))


def select_holder(
    credential: type[AccessToken] | type[ApiKey],
    secret_hash: InstrumentedAttribute[bytes],
    *columns: InstrumentedAttribute[Any],
    is_use_noted: ColumnElement[bool],
) -> Select[Any]:
    """Build the statement that finds the holder of a credential by its hash, `:secret_hash`.

    It finds nobody where the credential has ended or the account does not work. Build it once: to
    build it at each request costs half of what a token adds to one.
    """
    return (
        select(
            credential.id,
            User.id.label("user_id"),
            User.login,
            Role.name.label("role"),
            is_use_noted.label("is_use_noted"),
            User.email_proven_at.is_not(None).label("is_verified"),
            User.second_factor_at.is_not(None).label("has_second_factor"),
            *columns,
        )
        .join(User, User.id == credential.user_id)
        .join(Role, Role.id == User.role_id)
        .where(
            secret_hash == bindparam("secret_hash"),
            credential.revoked_at.is_(None),
            credential.expires_at > func.clock_timestamp(),
            is_on(),
        )
    )


def with_account(holder: Select[Any]) -> Select[Any]:
    """Add to a statement of `select_holder` what an account may read of itself."""
    return holder.add_columns(User.email, User.display_name, User.bio, User.created_at)


def account_of(row: Any) -> Account:  # noqa: ANN401
    """Return the account of a row of `with_account`."""
    return Account(
        id=row.user_id,
        login=row.login,
        email=row.email,
        display_name=row.display_name,
        bio=row.bio,
        role=RoleName(row.role),
        created_at=row.created_at,
        email_verified=row.is_verified,
    )


def actor_of(row: Any, **credential: Any) -> Actor:  # noqa: ANN401
    """Return the actor of a row of `select_holder`; `credential` says what they came with."""
    actor = Actor(
        user_id=row.user_id,
        login=row.login,
        role=RoleName(row.role),
        is_use_noted=row.is_use_noted,
        is_verified=row.is_verified,
        has_second_factor=row.has_second_factor,
    )
    return replace(actor, **credential)


def account_actor(session: Session, user_id: int, quotas_of: QuotasOfRole) -> Actor | None:
    """Return an account as an actor, for work that it has left to a worker; None if it is off."""
    row = session.execute(
        select(User.login, Role.name)
        .join(Role, Role.id == User.role_id)
        .where(User.id == user_id, is_on())
    ).one_or_none()
    if row is None:
        return None
    role = RoleName(row.name)
    return Actor(user_id, row.login, role, quotas=quotas_of(role))
