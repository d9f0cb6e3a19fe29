"""The activity log: written with the action, in its transaction."""

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import structlog
from sqlalchemy import BigInteger, BindParameter, Text, TextClause, bindparam, insert, text
from sqlalchemy.orm import Session
from structlog.contextvars import get_contextvars

from webapp.adapters import built_statements
from webapp.models import ActivityLog
from webapp.services import origins

log = structlog.get_logger()

# A text beyond this many characters is told by its length and the first digits of its SHA-256.
LONGEST_VALUE = 200
# For many lines at once. Runs past the ORM, whose part costs more than all the rest of it.
_INSERT = insert(ActivityLog).inline()
# For statements that write a line among other things; `origin` gives the parameters.
ORIGIN = "request_id, address, user_agent, session_id, api_key_id, agent_session"
ORIGIN_VALUES = ":request_id, :address, :user_agent, :session_id, :api_key_id, :agent_session"
ORIGIN_PARAMETERS: tuple[BindParameter[Any], ...] = (
    *(
        bindparam(name, type_=Text())
        for name in ("request_id", "address", "user_agent", "agent_session")
    ),
    *(bindparam(name, type_=BigInteger()) for name in ("session_id", "api_key_id")),
)
Changes = dict[str, dict[str, Any]]


def trace(session: Session, user_id: int | None, action: str, **details: Any) -> None:  # noqa: ANN401
    """Log what concerns the safety of an account, and add a line for it where there is one."""
    log.info(action, user_id=user_id, **details)
    if user_id is not None:
        record(session, user_id, action, "user", user_id, **details)


def record(
    session: Session,
    actor_id: int | None,
    action: str,
    subject_kind: str,
    subject_id: int | None,
    *,
    changes: Changes | None = None,
    **details: Any,  # noqa: ANN401
) -> None:
    """Add one line: who did what (`noun.verb`) to what, and from which value to which.

    `changes` comes from `difference` or `sizes`. Details hold ids and words. Neither holds a
    secret, an address of a reader or a word of a draft. From where it came is what `origins` knows.
    """
    line = _line(actor_id, action, subject_kind, subject_id, changes, details)
    built_statements.first(session.connection(), _insert_of(tuple(line)), line)


@cache
def _insert_of(columns: tuple[str, ...]) -> TextClause:
    """Return the statement that adds a line with these columns."""
    names, values = ", ".join(columns), ", ".join(f":{name}" for name in columns)
    types = ActivityLog.__table__.columns
    return text(
        f"INSERT INTO activity_logs ({names}) VALUES ({values})"  # noqa: S608 - names of columns
    ).bindparams(*(bindparam(name, type_=types[name].type) for name in columns))


def record_many(
    session: Session,
    actor_id: int | None,
    action: str,
    subject_kind: str,
    subjects: Iterable[tuple[int, Mapping[str, Any]]],
    *,
    changes: Mapping[int, Changes] | None = None,
) -> None:
    """Add a line for each subject and its details, all in one batch.

    `changes` are by the ids of the subjects: of each of them, or of none.
    """
    changed = changes or {}
    lines = [
        _line(actor_id, action, subject_kind, subject_id, changed.get(subject_id), details)
        for subject_id, details in subjects
    ]
    if lines:
        session.connection().execute(_INSERT, lines)


def difference(
    before: Mapping[str, Any], after: Mapping[str, Any], *, whole: bool = False
) -> Changes:
    """Return what differs among the fields of `after`, with long texts told by their digest.

    With `whole` long texts are kept, so that a change can be undone: for what all may read anyway.
    """
    old = before if whole else {name: _bounded(value) for name, value in before.items()}
    return {
        name: {"old": old.get(name), "new": value if whole else _bounded(value)}
        for name, value in after.items()
        if before.get(name) != value
    }


def sizes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """Return which fields changed, and from which length to which: for what a draft says."""
    return {
        name: {"old": {"length": len(before[name])}, "new": {"length": len(value)}}
        for name, value in after.items()
        if before[name] != value
    }


def _bounded(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, str) and len(value) > LONGEST_VALUE:
        digest = hashlib.sha256(value.encode()).hexdigest()
        return {"length": len(value), "sha256": digest[:16]}
    return value


def _line(
    actor_id: int | None,
    action: str,
    subject_kind: str,
    subject_id: int | None,
    changes: Changes | None,
    details: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "actor_id": actor_id,
        "action": action,
        "subject_kind": subject_kind,
        "subject_id": subject_id,
        "details": {**details, **causes()},
        # What is not there is not named: a command may run before the step that adds its column.
        **({"changes": changes} if changes else {}),
        **{name: value for name, value in origin().items() if value is not None},
    }


def origin() -> dict[str, Any]:
    """Return from where what is written now comes, in the columns of a line."""
    known = origins.current()
    return {
        "request_id": get_contextvars().get("request_id"),
        "address": known.address,
        "user_agent": known.user_agent,
        "session_id": known.session_id,
        "api_key_id": known.api_key_id,
        "agent_session": known.agent_session,
    }


def causes() -> dict[str, Any]:
    """Return by which command or bulk action is changed what is written now, for the details."""
    known = origins.current()
    named = {"operator": known.operator, "bulk_action_id": known.bulk_action_id}
    return {name: value for name, value in named.items() if value is not None}
