"""Look lines of the activity log up, newest first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, select, tuple_
from sqlalchemy.orm import Session

from webapp.models import ActivityLog, User

Place = tuple[datetime, int]
"""The moment and the id of a line: where it stands among the others."""


@dataclass(frozen=True)
class Wanted:
    """Which lines: those to which all that is given applies.

    `action` is a whole action, or its first word with a dot behind it, which means all of that
    noun. `since` is the first moment, and `until` the one before which lines have to be.
    """

    actor_id: int | None = None
    action: str | None = None
    subject_kind: str | None = None
    subject_id: int | None = None
    session_id: int | None = None
    api_key_id: int | None = None
    agent_session: str | None = None
    address: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class ActivityLine:
    """One line. `actor_login` is None where nobody was logged in, or the account is gone."""

    id: int
    created_at: datetime
    actor_id: int | None
    actor_login: str | None
    action: str
    subject_kind: str
    subject_id: int | None
    changes: dict[str, Any]
    details: dict[str, Any]
    address: str | None
    user_agent: str | None
    session_id: int | None
    api_key_id: int | None
    agent_session: str | None
    request_id: str | None
    erased_at: datetime | None


def list_lines(
    session: Session, wanted: Wanted, *, before: Place | None, limit: int
) -> list[ActivityLine]:
    """Return lines, newest first, from before a place."""
    place = (ActivityLog.created_at, ActivityLog.id)
    statement = (
        select(
            ActivityLog.id, ActivityLog.created_at, ActivityLog.actor_id,
            User.login.label("actor_login"), ActivityLog.action, ActivityLog.subject_kind,
            ActivityLog.subject_id, ActivityLog.changes, ActivityLog.details, ActivityLog.address,
            ActivityLog.user_agent, ActivityLog.session_id, ActivityLog.api_key_id,
            ActivityLog.agent_session, ActivityLog.request_id, ActivityLog.erased_at,
        )
        .outerjoin(User, User.id == ActivityLog.actor_id)
        .where(*_conditions(wanted))
        .order_by(*(column.desc() for column in place))
        .limit(limit)
    )  # fmt: skip
    if before is not None:
        statement = statement.where(tuple_(*place) < before)
    return [ActivityLine(**row._asdict()) for row in session.execute(statement)]


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    same = (
        "actor_id", "subject_kind", "subject_id", "session_id", "api_key_id", "agent_session",
        "address",
    )  # fmt: skip
    found = [
        getattr(ActivityLog, name) == getattr(wanted, name)
        for name in same
        if getattr(wanted, name) is not None
    ]
    if wanted.action is not None:
        # Spelt as the index is, with constants in the place of parameters.
        noun = func.split_part(ActivityLog.action, literal_column("'.'"), literal_column("1"))
        is_noun = wanted.action.endswith(".")
        found.append(noun == wanted.action[:-1] if is_noun else ActivityLog.action == wanted.action)
    if wanted.since is not None:
        found.append(ActivityLog.created_at >= wanted.since)
    if wanted.until is not None:
        found.append(ActivityLog.created_at < wanted.until)
    return found
