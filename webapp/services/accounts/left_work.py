"""Who has left work to a worker, by an account or a key, and what they may do by now."""

from dataclasses import replace

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from webapp.kit.permissions import permissions_of_scopes
from webapp.kit.requirements import read_requirements
from webapp.kit.roles import RoleName
from webapp.models import ApiKey, Role, User
from webapp.services.accounts.actors import Actor
from webapp.services.accounts.holders import is_on
from webapp.settings import Settings


def under_settings(actor: Actor, settings: Settings) -> Actor:
    """Return an actor with all that the settings say of it, at each door by which it comes."""
    return replace(
        actor,
        quotas=settings.quotas_of(actor.role),
        review_policy=settings.review_policy,
        required_fields=read_requirements(settings.required_fields),
        is_bound_by_checks=settings.checks_refuse,
    )


def find_maker(session: Session, user_id: int, api_key_id: int | None) -> Actor | None:
    """Return an account as an actor, bounded by the key that it came with, as both are by now.

    None where the account does not work any more, or the key has ended. What the settings say is
    added by `under_settings`.
    """
    key = and_(
        ApiKey.id == api_key_id,
        ApiKey.user_id == User.id,
        ApiKey.revoked_at.is_(None),
        ApiKey.expires_at > func.clock_timestamp(),
    )
    row = session.execute(
        select(
            User.login,
            Role.name.label("role"),
            User.email_proven_at.is_not(None).label("is_verified"),
            User.second_factor_at.is_not(None).label("has_second_factor"),
            ApiKey.scopes,
        )
        .join(Role, Role.id == User.role_id)
        .outerjoin(ApiKey, key)
        .where(User.id == user_id, is_on())
    ).one_or_none()
    if row is None or (api_key_id is not None and row.scopes is None):
        return None
    return Actor(
        user_id,
        row.login,
        RoleName(row.role),
        api_key_id=api_key_id,
        key_permissions=None if api_key_id is None else permissions_of_scopes(row.scopes),
        is_verified=row.is_verified,
        has_second_factor=row.has_second_factor,
    )
