"""All that is planned and was done in a stretch of time, with what is at odds and what is missing.

A schedule is at odds with something where it will fail or change nothing as things stand now. An
item has a gap where it is withdrawn and comes back later, and a day where nothing happens on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from webapp.models.arrays import MomentArray
from webapp.models.publishing.schedules import OPEN_STATES
from webapp.services.accounts.actors import Actor
from webapp.services.content.visibility import IS_SEEN, SEEN, seen_by
from webapp.services.publishing.open_actions import GIVEN, OPEN


@dataclass(frozen=True)
class TimelineEntry:
    """One schedule, or one release with `items` of them and no item of its own.

    `zone` and `local_time` are what an editor meant; `conflicts` are words of `CONFLICTS`. From a
    withdrawal on the item is away until `away_until`, where its return is planned.
    """

    of: Literal["schedule", "release"]
    id: int
    place: int
    due_at: datetime
    state: str
    failure: str | None
    zone: str | None
    local_time: datetime | None
    made_by_id: int | None
    made_by_name: str | None
    content_id: int | None
    title: str
    action: str | None
    version: int | None
    items: int | None
    conflicts: list[str]
    away_until: datetime | None


CONFLICTS = {
    "without_effect": "The item stands as this would bring it already, by then.",
    "put_aside": "The item is in the trash or the archive, or will be by then.",
    "still_public": "The item is public by then, and what is public is not archived.",
    "not_approved": "It rests upon an approval that the version has no more.",
    "slug_taken": "Another item has the slug of the version.",
}

_PAGE = text(
    f"""
    WITH {GIVEN}, shown AS MATERIALIZED (
        SELECT * FROM (
            (SELECT 'schedule' AS of, schedules.id, schedules.id AS place, due_at, state, failure,
                zone, local_time, created_by_id, content_id, version_id, action, rests_on_approval,
                '' AS name
             FROM schedules JOIN content ON content.id = content_id
             WHERE due_at >= :start AND due_at < :end AND {IS_SEEN}
                AND (due_at, schedules.id) > (:moment, :behind)
             ORDER BY due_at, schedules.id LIMIT :size)
            UNION ALL
            (SELECT 'release', id, -id, due_at, state, failure, zone, local_time, created_by_id,
                NULL, NULL, NULL, false, name
             FROM releases
             WHERE state = 'scheduled' AND due_at >= :start AND due_at < :end
                AND (due_at, -id) > (:moment, :behind)
             ORDER BY due_at, -id LIMIT :size)
            UNION ALL
            (SELECT 'release', id, -id, went_live_at, state, failure, zone, local_time,
                created_by_id, NULL, NULL, NULL, false, name
             FROM releases
             WHERE went_live_at >= :start AND went_live_at < :end AND state <> 'scheduled'
                AND (went_live_at, -id) > (:moment, :behind)
             ORDER BY went_live_at, -id LIMIT :size)
        ) AS all_kinds ORDER BY due_at, place LIMIT :size
    )
    SELECT shown.*, maker.display_name AS made_by_name, version.number AS version,
        coalesce(version.title, content.title, shown.name) AS title,
        content.status = 'trashed' AS is_put_aside, public.version_id AS public_version_id,
        earlier.action AS follows, earlier.version_id AS follows_version_id,
        CASE WHEN later.action = 'publish' THEN later.due_at END AS back_at,
        shown.rests_on_approval AND NOT EXISTS (
            SELECT FROM reviews
            WHERE reviews.version_id = shown.version_id AND reviews.state = 'approved')
            AS lacks_approval,
        EXISTS (
            SELECT FROM slugs
            WHERE slugs.slug = version.slug AND slugs.content_id <> shown.content_id
                AND (slugs.was_public OR :sees_all)) AS is_slug_taken,
        CASE WHEN shown.of = 'release' THEN (
            SELECT count(*) FROM release_entries WHERE release_id = shown.id) END AS items
    FROM shown
    LEFT JOIN content ON content.id = shown.content_id
    LEFT JOIN content_versions AS version ON version.id = shown.version_id
    LEFT JOIN users AS maker ON maker.id = shown.created_by_id
    LEFT JOIN publications AS public ON public.content_id = shown.content_id
    LEFT JOIN LATERAL (
        SELECT action, version_id FROM {OPEN} AS planned
        WHERE planned.content_id = shown.content_id
            AND (planned.due_at, planned.place) < (shown.due_at, shown.place)
        ORDER BY planned.due_at DESC, planned.place DESC LIMIT 1
    ) AS earlier ON true
    LEFT JOIN LATERAL (
        SELECT action, due_at FROM {OPEN} AS planned
        WHERE planned.content_id = shown.content_id
            AND (planned.due_at, planned.place) > (shown.due_at, shown.place)
        ORDER BY planned.due_at, planned.place LIMIT 1
    ) AS later ON true
    ORDER BY shown.due_at, shown.place
    """  # noqa: S608 - the parts are constants of the code
).bindparams(*SEEN)

_EMPTY_DAYS = text(
    f"""
    SELECT day FROM unnest(:days, :starts, :ends) AS wanted (day, starts, ends)
    WHERE NOT EXISTS (
        SELECT FROM schedules JOIN content ON content.id = content_id
        WHERE due_at >= wanted.starts AND due_at < wanted.ends AND {IS_SEEN})
    AND NOT EXISTS (
        SELECT FROM releases
        WHERE state = 'scheduled' AND due_at >= wanted.starts AND due_at < wanted.ends)
    AND NOT EXISTS (
        SELECT FROM releases WHERE went_live_at >= wanted.starts AND went_live_at < wanted.ends)
    ORDER BY day
    """  # noqa: S608 - the part is a constant of the code
).bindparams(
    *SEEN,
    bindparam("days", type_=ARRAY(Text)),
    bindparam("starts", type_=MomentArray()),
    bindparam("ends", type_=MomentArray()),
)


def list_timeline(
    session: Session,
    actor: Actor,
    *,
    start: datetime,
    end: datetime,
    after: tuple[datetime, int] | None,
    limit: int,
) -> list[TimelineEntry]:
    """Return what happens from `start` to before `end`, in the order of its moments.

    Schedules are of items that the actor may see; releases are scheduled or went live. `after` is
    the moment and the place that a page ended with.
    """
    moment, behind = after or (start, -(2**62))
    parameters = {
        "start": start, "end": end, "moment": moment, "behind": behind, "size": limit,
        **seen_by(actor),
    }  # fmt: skip
    return [_entry(row) for row in session.execute(_PAGE, parameters)]


def find_empty_days(
    session: Session, actor: Actor, days: Sequence[tuple[str, datetime, datetime]]
) -> list[str]:
    """Return the names of those days on which nothing happens; each has its first and last."""
    parameters = {
        "days": [day for day, _, _ in days],
        "starts": [starts for _, starts, _ in days],
        "ends": [ends for _, _, ends in days],
        **seen_by(actor),
    }
    return list(session.scalars(_EMPTY_DAYS, parameters))


def _entry(row: Any) -> TimelineEntry:  # noqa: ANN401
    is_open = row.of == "schedule" and row.state in OPEN_STATES
    is_withdrawal = is_open and row.action == "unpublish"
    return TimelineEntry(
        of=row.of, id=row.id, place=row.place, due_at=row.due_at, state=row.state,
        failure=row.failure, zone=row.zone, local_time=row.local_time,
        made_by_id=row.created_by_id, made_by_name=row.made_by_name, content_id=row.content_id,
        title=row.title, action=row.action, version=row.version, items=row.items,
        conflicts=_conflicts(row) if is_open else [],
        away_until=row.back_at if is_withdrawal else None,
    )  # fmt: skip


def _conflicts(row: Any) -> list[str]:  # noqa: ANN401
    """Return what an open schedule is at odds with, as things stand."""
    is_public = row.follows == "publish" or (
        row.follows is None and row.public_version_id is not None
    )
    shown = row.follows_version_id if row.follows == "publish" else row.public_version_id
    is_put_aside = row.is_put_aside or row.follows == "archive"
    if row.action == "publish":
        is_vain = is_public and shown == row.version_id
    else:
        is_vain = row.action == "unpublish" and not is_public
    found = {
        "put_aside": is_put_aside,
        "without_effect": is_vain and not is_put_aside,
        "still_public": row.action == "archive" and is_public and not is_put_aside,
        "not_approved": row.lacks_approval,
        "slug_taken": row.is_slug_taken,
    }
    return [name for name, is_so in found.items() if is_so]
