"""What is planned, day by day of a zone."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, cast
from zoneinfo import ZoneInfo

from flask import Response
from pydantic import BaseModel, Field

from webapp.api.answers import answer
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, Blueprint
from webapp.api.edge import open_session
from webapp.api.fields import PageQuery
from webapp.api.zone_fields import Day, ZoneName
from webapp.kit.cursors import decode_cursor, encode_cursor, split_page
from webapp.kit.permissions import Permission
from webapp.kit.zones import start_of_day, zone_named
from webapp.services.errors import InvalidInputError
from webapp.services.publishing.planned_moments import PlannedMoment, list_moments

blueprint = Blueprint("days", title="Schedules")

MOST_DAYS = 100


class DaysQuery(PageQuery):
    """Which days of which zone."""

    start: Annotated[Day, Field(alias="from", description="The first day.")]
    to: Annotated[Day, Field(description="The day after the last; 100 days later at most.")]
    zone: ZoneName = "UTC"


class Maker(BaseModel):
    """Who planned it."""

    id: int
    name: str


class EntryAnswer(BaseModel):
    """One moment of a day."""

    id: int | None = Field(description="The schedule; null where none is made yet.")
    recurrence_id: int | None
    content_id: int
    title: str
    action: str
    at: datetime
    local_time: datetime = Field(description="The same moment by the clocks of the zone.")
    version: int | None
    if_missed: str
    state: str = Field(description="That of the schedule; `expected` where none is made yet.")
    fired_at: datetime | None
    failure: str | None
    made_by: Maker | None = Field(description="Null where the account is gone.")


class DayAnswer(BaseModel):
    """A day of the zone: 23 or 25 hours long where its clocks change."""

    day: date
    starts_at: datetime
    ends_at: datetime
    hours: float
    entries: list[EntryAnswer]


class DayPage(BaseModel):
    """Days, without a gap. A day may go on, with more entries, at the top of the next page."""

    zone: str
    items: list[DayAnswer]
    next: str | None


@blueprint.get("/schedule/days", responses={200: DayPage, **ACCOUNT_PROBLEMS}, security=BEARER)
@requires(Permission.SCHEDULE_READ)
def list_days(query: DaysQuery) -> Response:
    """List what is planned day by day of a zone, with who planned it; empty days are shown as well.

    `limit` counts the entries of a page.
    """
    if not timedelta() < query.to - query.start <= timedelta(days=MOST_DAYS):
        raise InvalidInputError("to", f"must be 1 to {MOST_DAYS} days after `from`", place="query")
    zone = zone_named(query.zone)
    after: Any = None if query.cursor is None else decode_cursor(query.cursor, datetime, int)
    rows = list_moments(
        open_session(),
        current_actor(),
        start=start_of_day(query.start, zone),
        end=start_of_day(query.to, zone),
        after=after,
        limit=query.limit + 1,
    )
    page, last = split_page(rows, query.limit)
    first = query.start if after is None else _day_of(cast(datetime, after[0]), zone, query)
    final = query.to - timedelta(days=1) if last is None else _day_of(last.due_at, zone, query)
    return answer(
        DayPage(
            zone=query.zone,
            items=list(_days(first, final, page, zone)),
            next=None if last is None else encode_cursor(last.due_at, last.place),
        )
    )


def _day_of(moment: datetime, zone: ZoneInfo, query: DaysQuery) -> date:
    """Return the day of a moment, or the nearest that was asked for: a cursor may say anything."""
    try:
        day = moment.astimezone(zone).date()
    except OverflowError:
        day = moment.date()
    return min(max(day, query.start), query.to - timedelta(days=1))


def _days(
    first: date, final: date, rows: Sequence[PlannedMoment], zone: ZoneInfo
) -> Iterator[DayAnswer]:
    entries: dict[date, list[EntryAnswer]] = {}
    for row in rows:
        entry = _entry(row, zone)
        entries.setdefault(entry.local_time.date(), []).append(entry)
    for number in range((final - first).days + 1):
        day = first + timedelta(days=number)
        starts_at, ends_at = start_of_day(day, zone), start_of_day(day + timedelta(days=1), zone)
        hours = (ends_at - starts_at) / timedelta(hours=1)
        yield DayAnswer(
            day=day, starts_at=starts_at, ends_at=ends_at, hours=hours,
            entries=entries.get(day, []),
        )  # fmt: skip


def _entry(row: PlannedMoment, zone: ZoneInfo) -> EntryAnswer:
    is_known = row.made_by_id is not None and row.made_by_name is not None
    return EntryAnswer(
        id=row.schedule_id,
        recurrence_id=row.recurrence_id,
        content_id=row.content_id,
        title=row.title,
        action=row.action,
        at=row.due_at.astimezone(UTC),
        local_time=row.due_at.astimezone(zone),
        version=row.version,
        if_missed=row.if_missed,
        state=row.state,
        fired_at=row.fired_at,
        failure=row.failure,
        made_by=Maker(id=row.made_by_id, name=row.made_by_name) if is_known else None,
    )
