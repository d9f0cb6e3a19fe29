"""The session of an agent: what one API key did under one name, read from the activity log."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Text, TextClause, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from webapp.kit.permissions import Permission
from webapp.models import ActivityLog
from webapp.models.arrays import IdArray
from webapp.services.accounts.actors import Actor
from webapp.services.errors import ConflictError, NotFoundError

MOST_KEYS_NAMED = 10


@dataclass(frozen=True)
class AgentSession:
    """What an API key did under the name that its client sent as `Agent-Session`."""

    name: str
    api_key_id: int
    owner_id: int


@dataclass(frozen=True)
class Subject:
    """Something that the session changed; its first and last line there are told by their ids."""

    kind: str
    id: int
    first_id: int
    last_id: int


@dataclass(frozen=True)
class Line:
    """What one line of the log says of a subject."""

    id: int
    action: str
    actor_id: int | None
    created_at: datetime
    changes: dict[str, Any]
    details: dict[str, Any]
    is_erased: bool


@dataclass
class History:
    """What became of one part of a subject since the session began with it, or was last undone.

    `own` holds, in their order, the first of the session's lines of each action that changed the
    same fields: enough to know how things were before. `other` is the first line of anybody else
    since then, and `undone` the line that undid the session here.
    """

    kind: str
    id: int
    part: str
    own: list[Line] = field(default_factory=list)
    last_id: int | None = None
    other: Line | None = None
    undone: Line | None = None


def find(session: Session, actor: Actor, name: str, api_key_id: int | None) -> AgentSession:
    """Return the session with this name that the actor may see: its own, or, for managers, any.

    A key sees what it did itself, unless it may read the activity log. Raises NotFoundError, and
    ConflictError where several keys have used the name and none is chosen by `api_key_id`.
    """
    sees_all = actor.may(Permission.ACTIVITY_READ)
    used = (
        select(ActivityLog.api_key_id, ActivityLog.actor_id)
        .where(
            ActivityLog.agent_session == name,
            ActivityLog.api_key_id.is_not(None),
            ActivityLog.actor_id.is_not(None),
        )
        .group_by(ActivityLog.api_key_id, ActivityLog.actor_id)
        .order_by((ActivityLog.actor_id == actor.user_id).desc(), ActivityLog.api_key_id)
        .limit(MOST_KEYS_NAMED)
    )
    if api_key_id is not None:
        used = used.where(ActivityLog.api_key_id == api_key_id)
    if not sees_all:
        used = used.where(ActivityLog.actor_id == actor.user_id)
        if actor.api_key_id is not None:
            used = used.where(ActivityLog.api_key_id == actor.api_key_id)
    found = [AgentSession(name, key or 0, owner or 0) for key, owner in session.execute(used)]
    # One's own comes before those of others.
    found = [one for one in found if one.owner_id == actor.user_id] or found
    if not found:
        raise NotFoundError("There is no such session of an agent.")
    if len(found) > 1:
        keys = ", ".join(str(one.api_key_id) for one in found)
        raise ConflictError(f"Several keys have used this name; send api_key_id, one of: {keys}.")
    return found[0]


def list_subjects(
    session: Session, agent_session: AgentSession, *, below: int | None, limit: int
) -> list[Subject]:
    """Return what the session changed, the last changed first, from below the id of a line."""
    first, last = func.min(ActivityLog.id), func.max(ActivityLog.id)
    statement = (
        select(ActivityLog.subject_kind, ActivityLog.subject_id, first, last)
        .where(
            ActivityLog.agent_session == agent_session.name,
            ActivityLog.api_key_id == agent_session.api_key_id,
            ActivityLog.subject_id.is_not(None),
        )
        .group_by(ActivityLog.subject_kind, ActivityLog.subject_id)
        .order_by(last.desc())
        .limit(limit)
    )
    if below is not None:
        statement = statement.having(last < below)
    rows = session.execute(statement)
    return [Subject(kind, id_ or 0, first_id, last_id) for kind, id_, first_id, last_id in rows]


def read_histories(
    session: Session, agent_session: AgentSession, subjects: Sequence[Subject]
) -> list[History]:
    """Return the history of each part of some subjects, in the order of the subjects.

    Whoever changes a subject locks it before it writes its line; where the caller has locked them
    all, nothing is under way that this does not see.
    """
    parameters = {
        "kinds": [subject.kind for subject in subjects],
        "ids": [subject.id for subject in subjects],
        "first_ids": [subject.first_id for subject in subjects],
        "name": agent_session.name,
        "api_key_id": agent_session.api_key_id,
    }
    return _read(session, _OF_SESSION, parameters, subjects)


def read_bulk_histories(
    session: Session, bulk_action_id: int, content_ids: Collection[int], since: datetime
) -> list[History]:
    """Return, as `read_histories` does, what a bulk action did to items that the caller has locked.

    `since` is when the action began. An item of which it wrote no line that is still there is left
    out.
    """
    parameters = {"ids": content_ids, "bulk_action_id": bulk_action_id, "since": since}
    subjects = [
        Subject("content", row.subject_id, row.first_id, row.last_id)
        for row in session.execute(_BULK_SUBJECTS, parameters)
    ]
    parameters = {
        "kinds": [subject.kind for subject in subjects],
        "ids": [subject.id for subject in subjects],
        "first_ids": [subject.first_id for subject in subjects],
        "bulk_action_id": bulk_action_id,
    }
    return _read(session, _OF_BULK_ACTION, parameters, subjects)


def _read(
    session: Session, whose: TextClause, parameters: dict[str, Any], subjects: Sequence[Subject]
) -> list[History]:
    histories: dict[tuple[str, int, str], History] = {}
    for row in session.execute(whose, parameters):
        key = (row.subject_kind, row.subject_id, row.part)
        history = histories.setdefault(key, History(*key))
        line = Line(
            row.id, row.action, row.actor_id, row.created_at, row.changes, row.details,
            row.erased_at is not None,
        )  # fmt: skip
        if row.whose == "undo":
            history.undone = line
        elif row.whose == "other":
            history.other = line
        else:
            history.own.append(line)
            history.last_id = row.last_id
    places = {(subject.kind, subject.id): place for place, subject in enumerate(subjects)}
    return sorted(histories.values(), key=lambda one: (places[one.kind, one.id], one.part))


# An account has parts, because to sign in is no change of its profile. What a session did to a
# part before it was undone there is over. Of each group of lines the first is enough, so that the
# answer does not grow with the number of edits.
# `is_own` and `is_undo` are conditions on a line: that it is of what is looked at, or undid that.
_HISTORIES = """
    WITH wanted AS (
        SELECT * FROM unnest(:kinds, :ids, :first_ids) AS wanted (kind, id, first_id)
    ), lines AS (
        SELECT line.id, subject_kind, subject_id, action, actor_id, created_at, changes, details,
            erased_at,
            coalesce({is_own}, false) AS is_own,
            coalesce(action LIKE '%.undo' AND {is_undo}, false) AS is_undo,
            CASE WHEN subject_kind IN ('content', 'category', 'tag') THEN 'whole'
                WHEN action = 'account.set_role' THEN 'role'
                WHEN action = 'account.edit' THEN 'profile'
                WHEN action = 'preferences.edit' THEN 'preferences'
                WHEN action LIKE '%.undo' THEN details ->> 'part'
                WHEN {is_own} THEN 'whole'
            END AS part,
            action LIKE 'preview.%' OR action LIKE 'comment.%' OR action IN ('review.claim',
                'review.release', 'review.invite', 'review.uninvite', 'review.opinion',
                'review.forget_guest') AS changes_nothing
        FROM wanted JOIN activity_logs AS line
            ON line.subject_kind = wanted.kind AND line.subject_id = wanted.id
        WHERE line.id >= wanted.first_id
    ), since AS (
        SELECT *, max(id) FILTER (WHERE is_undo)
            OVER (PARTITION BY subject_kind, subject_id, part) AS undo_id
        -- A link that shows an item changes nothing of it, nor does who reads it for a review, or
        -- says something about it.
        FROM lines WHERE part IS NOT NULL AND (is_own OR NOT changes_nothing)
    ), begun AS (
        SELECT *,
            min(id) FILTER (WHERE is_own AND id > coalesce(undo_id, 0)) OVER parts AS begun_id,
            max(id) FILTER (WHERE is_own) OVER parts AS last_id
        FROM since WINDOW parts AS (PARTITION BY subject_kind, subject_id, part)
    ), judged AS (
        SELECT *, CASE
            WHEN id = undo_id THEN 'undo'
            WHEN id < begun_id OR begun_id IS NULL THEN NULL
            WHEN is_own THEN 'own'
            ELSE 'other' END AS whose
        FROM begun
    ), grouped AS (
        SELECT *, CASE WHEN whose = 'own' THEN jsonb_build_array(
            action, details -> 'schedule_id', details -> 'preview_id', details -> 'name',
            details -> 'correction_id', details -> 'retraction_id',
            CASE WHEN action = 'review.submit' THEN details -> 'review_id' END,
            details -> 'thread_id', details -> 'comment_id',
            ARRAY(SELECT jsonb_object_keys(changes) ORDER BY 1)) END AS alike
        FROM judged WHERE whose IS NOT NULL
    )
    SELECT * FROM (
        SELECT DISTINCT ON (subject_kind, subject_id, part, whose, alike) * FROM grouped
        ORDER BY subject_kind, subject_id, part, whose, alike, id
    ) AS first_ones ORDER BY id
"""


def _histories(is_own: str, is_undo: str) -> TextClause:
    return text(_HISTORIES.format(is_own=is_own, is_undo=is_undo)).bindparams(
        bindparam("kinds", type_=ARRAY(Text)),
        bindparam("ids", type_=IdArray()),
        bindparam("first_ids", type_=IdArray()),
    )


_OF_SESSION = _histories(
    "(agent_session = :name AND api_key_id = :api_key_id)",
    "(details ->> 'agent_session' = :name"
    " AND details ->> 'api_key_id' = CAST(:api_key_id AS text))",
)
_OF_BULK_ACTION = _histories(
    "details ->> 'bulk_action_id' = CAST(:bulk_action_id AS text)",
    "details ->> 'undone_bulk_action_id' = CAST(:bulk_action_id AS text)",
)
_BULK_SUBJECTS = text(
    """
    SELECT subject_id, min(id) AS first_id, max(id) AS last_id FROM activity_logs
    WHERE subject_kind = 'content' AND subject_id = ANY (:ids) AND created_at >= :since
      AND details ->> 'bulk_action_id' = CAST(:bulk_action_id AS text)
    GROUP BY subject_id ORDER BY subject_id
    """
).bindparams(bindparam("ids", type_=IdArray()))
