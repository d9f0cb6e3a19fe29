"""What follows for each item from a release that goes live, or is put back: by one statement."""

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import Text
from structlog.contextvars import get_contextvars

from webapp.models import Release
from webapp.models.arrays import IdArray
from webapp.models.publishing.schedules import COMING_STATES, OPEN_STATES
from webapp.services import activity
from webapp.services.publishing.schedule_notices import Ended, tell_of_ends

_OPEN = ", ".join(f"'{state}'" for state in OPEN_STATES)
_COMING = ", ".join(f"'{state}'" for state in COMING_STATES)

_CHANGED = """
    entry AS MATERIALIZED (
        SELECT entry.*, version.number FROM release_entries AS entry
        LEFT JOIN content_versions AS version ON version.id = entry.version_id
        WHERE entry.release_id = :release_id
          AND (entry.version_id IS DISTINCT FROM entry.former_version_id
               OR entry.action <> 'publish')
    )
"""
# A later decision ends the schedules that contradict it, as one by hand does: publishing those of
# the same version and older ones, and withdrawing all. What was planned for after the release, once
# the release was as it is, was judged with it in the timeline of the item and follows upon it.
_END = text(
    f"""
    WITH {_CHANGED}
    UPDATE schedules SET state = 'cancelled', failure = :reason, revision = revision + 1,
        updated_at = clock_timestamp()
    FROM entry
    WHERE schedules.content_id = entry.content_id AND schedules.state IN ({_OPEN})
      AND (schedules.due_at <= :due_at OR schedules.updated_at <= :planned_at)
      AND (entry.action <> 'publish' OR schedules.action = 'publish' AND EXISTS (
          SELECT FROM content_versions AS older
          WHERE older.id = schedules.version_id AND older.number <= entry.number)
        -- What follows upon a newer version is a return that was planned.
        AND NOT EXISTS (
          SELECT FROM schedules AS sooner
          JOIN content_versions AS newer ON newer.id = sooner.version_id
          WHERE sooner.content_id = entry.content_id AND sooner.state IN ({_COMING})
            AND newer.number > entry.number
            AND (sooner.due_at, sooner.id) < (schedules.due_at, schedules.id)))
    RETURNING schedules.id, schedules.content_id, schedules.action, schedules.due_at,
        schedules.created_by_id
    """  # noqa: S608 - constants of the code
)
# What was in review is public now.
_RECORD = text(
    f"""
    WITH {_CHANGED}, reviewed AS (
        UPDATE reviews SET state = 'voided', ended_at = clock_timestamp() FROM entry
        WHERE reviews.version_id = entry.version_id AND reviews.state = 'open'
        RETURNING reviews.id, reviews.content_id
    )
    INSERT INTO activity_logs (action, subject_kind, subject_id, details, request_id)
    SELECT 'content.' || action, 'content', content_id,
        jsonb_strip_nulls(jsonb_build_object('release_id', :release_id, 'version', number,
            'sequence', CASE WHEN :notify AND action = 'publish' THEN sequence_after END)),
        :request_id
    FROM entry
    UNION ALL
    SELECT 'schedule.supersede', 'content', ended.content_id,
        jsonb_build_object('schedule_id', ended.id, 'reason', CAST(:reason AS text)), :request_id
    FROM unnest(:ended_ids, :ended_of) AS ended (id, content_id)
    UNION ALL
    SELECT 'review.void', 'content', content_id, jsonb_build_object('review_id', id), :request_id
    FROM reviewed
    """  # noqa: S608 - constants of the code
).bindparams(bindparam("ended_ids", type_=IdArray()), bindparam("ended_of", type_=IdArray()))
_RECORD_UNDO = text(
    f"""
    INSERT INTO activity_logs
        (actor_id, action, subject_kind, subject_id, details, {activity.ORIGIN})
    SELECT :actor_id, one.action, 'content', one.content_id,
        jsonb_strip_nulls(jsonb_build_object('undone_release_id', :release_id,
            'version', (SELECT number FROM content_versions WHERE id = one.version_id))),
        {activity.ORIGIN_VALUES}
    FROM unnest(:content_ids, :version_ids, :actions) AS one (content_id, version_id, action)
    """  # noqa: S608 - constants of the code
).bindparams(
    *activity.ORIGIN_PARAMETERS,
    bindparam("content_ids", type_=IdArray()),
    bindparam("version_ids", type_=IdArray()),
    bindparam("actions", type_=ARRAY(Text)),
)


def record_lines(session: Session, release: Release) -> None:
    """Add a line for each item that a release has changed, in nobody's name, as of a schedule.

    It ends the schedules and reviews that are overtaken by it, and tells who made the schedules.
    """
    reason = f"Release {release.id} went live before its moment."
    of_release = {"release_id": release.id, "reason": reason}
    known = {"due_at": release.due_at, "planned_at": release.updated_at}
    ended = [Ended(*row) for row in session.execute(_END, {**of_release, **known})]
    tell_of_ends(session, ended, reason, None)
    session.execute(
        _RECORD,
        {
            **of_release,
            "ended_ids": [one.id for one in ended],
            "ended_of": [one.content_id for one in ended],
            "notify": release.telling == "each",
            "request_id": get_contextvars().get("request_id"),
        },
    )


def record_undo(
    session: Session, actor_id: int, release_id: int, lines: list[tuple[int, int | None, str]]
) -> None:
    """Add a line for each item that was put back: its id, what is public again, and the action."""
    if not lines:
        return
    session.execute(
        _RECORD_UNDO,
        {
            "actor_id": actor_id,
            "release_id": release_id,
            "content_ids": [content_id for content_id, _, _ in lines],
            "version_ids": [version_id or 0 for _, version_id, _ in lines],
            "actions": [action for _, _, action in lines],
            **activity.origin(),
        },
    )
