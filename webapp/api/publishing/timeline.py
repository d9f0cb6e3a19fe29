"""The timeline of the newsroom: what is planned in a stretch, at odds, and missing."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from flask import Response
from pydantic import BaseModel, Field

from webapp.api.answers import answer, page_of
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, Blueprint
from webapp.api.edge import open_session
from webapp.api.fields import Moment, PageQuery
from webapp.api.publishing.schedule_days import Maker
from webapp.api.zone_fields import ZoneName
from webapp.kit.cursors import decode_cursor
from webapp.kit.permissions import Permission
from webapp.kit.zones import start_of_day, zone_named
from webapp.services.errors import InvalidInputError
from webapp.services.publishing.timeline_pages import (
    CONFLICTS,
    TimelineEntry,
    find_empty_days,
    list_timeline,
)

blueprint = Blueprint("timeline", title="Schedules")

LONGEST_STRETCH = timedelta(days=100)


class TimelineQuery(PageQuery):
    """Which stretch, by the clocks of which zone."""

    start: Annotated[Moment, Field(alias="from", description="From this moment on.")]
    to: Annotated[Moment, Field(description="Before this one, 100 days later at most.")]
    zone: ZoneName = "UTC"


class Conflict(BaseModel):
    """What keeps an action from doing what was meant, as things stand."""

    rule: Literal["without_effect", "put_aside", "still_public", "not_approved", "slug_taken"]
    message: str


class TimelineEntryAnswer(BaseModel):
    """A schedule, or a release with all that is in it."""

    of: Literal["schedule", "release"]
    id: int
    at: datetime
    local_time: datetime = Field(description="The same moment by the clocks of the asked zone.")
    meant_zone: str | None = Field(description="The zone that an editor meant, where one was said.")
    meant_local_time: datetime | None
    state: str
    failure: str | None
    made_by: Maker | None = Field(description="Null where the account is gone.")
    content_id: int | None = Field(description="Null of a release.")
    title: str = Field(description="Of the version, of the item, or the name of the release.")
    action: str | None
    version: int | None
    items: int | None = Field(description="How many items a release has.")
    conflicts: list[Conflict] = Field(description="Of an action that is still to happen.")
    away_until: datetime | None = Field(
        description="Of a withdrawal: when the item comes back, so that readers find a gap."
    )


class TimelinePage(BaseModel):
    """A page of the timeline."""

    items: list[TimelineEntryAnswer]
    next: str | None
    empty_days: list[date] | None = Field(
        description="Whole days of the zone with nothing on them; with the first page alone."
    )


@blueprint.get("/timeline", responses={200: TimelinePage, **ACCOUNT_PROBLEMS}, security=BEARER)
@requires(Permission.SCHEDULE_READ)
def read_timeline(query: TimelineQuery) -> Response:
    """List what happens to all items in a stretch, with what is at odds and what is missing.

    Schedules are of items that you may see; releases are scheduled, or went live.
    """
    if not timedelta() < query.to - query.start <= LONGEST_STRETCH:
        raise InvalidInputError(
            "to", f"must lie behind `from`, by {LONGEST_STRETCH.days} days at most", place="query"
        )
    zone, session, actor = zone_named(query.zone), open_session(), current_actor()
    after: Any = None if query.cursor is None else decode_cursor(query.cursor, datetime, int)
    rows = list_timeline(
        session, actor, start=query.start, end=query.to, after=after, limit=query.limit + 1
    )
    page = page_of(
        rows, query.limit, lambda row: _shape(row, zone), lambda row: (row.due_at, row.place)
    )
    empty = None
    if after is None:
        empty = find_empty_days(session, actor, list(_days(query.start, query.to, zone)))
    return answer(TimelinePage(**page, empty_days=empty))


def _days(
    start: datetime, end: datetime, zone: ZoneInfo
) -> Iterator[tuple[str, datetime, datetime]]:
    """Yield the days of a zone that lie within a stretch as a whole."""
    day = start.astimezone(zone).date()
    while (ends_at := start_of_day(day + timedelta(days=1), zone)) <= end:
        starts_at = start_of_day(day, zone)
        if starts_at >= start:
            yield day.isoformat(), starts_at, ends_at
        day += timedelta(days=1)


def _shape(row: TimelineEntry, zone: ZoneInfo) -> TimelineEntryAnswer:
    is_known = row.made_by_id is not None and row.made_by_name is not None
    return TimelineEntryAnswer(
        of=row.of,
        id=row.id,
        at=row.due_at.astimezone(UTC),
        local_time=row.due_at.astimezone(zone),
        meant_zone=row.zone,
        meant_local_time=row.local_time,
        state=row.state,
        failure=row.failure,
        made_by=Maker(id=row.made_by_id, name=row.made_by_name) if is_known else None,
        content_id=row.content_id,
        title=row.title,
        action=row.action,
        version=row.version,
        items=row.items,
        conflicts=[Conflict(rule=rule, message=CONFLICTS[rule]) for rule in row.conflicts],
        away_until=row.away_until,
    )
