"""Schedules: what shall happen to an item, and when."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import AfterValidator, BaseModel, Field

from webapp.api.answers import answer, page_of
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import BEARER, NOT_MODIFIED, PRUNED, Blueprint
from webapp.api.content.content import CHANGE_PROBLEMS
from webapp.api.content.warnings import Warnings, warnings_of
from webapp.api.edge import open_session, web_context
from webapp.api.fields import (
    ContentPath,
    Flag,
    Id,
    IfMatch,
    Input,
    Moment,
    Omittable,
    PageQuery,
    Query,
)
from webapp.api.problems import FindingAnswer
from webapp.kit.clock import utc_now
from webapp.kit.cursors import decode_cursor
from webapp.kit.permissions import Permission
from webapp.services.publishing import rehearsals, schedule_reads, schedules
from webapp.services.publishing.rehearsals import Stage
from webapp.services.publishing.schedule_reads import ScheduleView
from webapp.services.publishing.schedules import SchedulePlan

blueprint = Blueprint("schedules", title="Schedules")

LONGEST_AGO = timedelta(days=1)
"""How long a moment may have passed: what is older is a slip of the pen, not a late request."""


def _not_long_past(moment: datetime) -> datetime:
    if moment < utc_now() - LONGEST_AGO:
        raise ValueError("has passed more than a day ago")
    return moment


DueMoment = Annotated[
    Moment,
    AfterValidator(_not_long_past),
    Field(description="When; a moment that has passed, by a day at most, is due at once."),
]


class NewSchedule(Input):
    """What to do and when."""

    action: Literal["publish", "unpublish", "archive"] = "publish"
    at: DueMoment
    version: Id | None = Field(None, description="The version to publish; the newest if left out.")
    if_missed: Literal["run", "skip"] = Field(
        "run", description="What to do when an outage made it late: run it all the same, or skip."
    )


class ScheduleChanges(Input):
    """What to change; a field that is left out stays."""

    at: Omittable[DueMoment] = None
    version: Omittable[Id] = None
    if_missed: Omittable[Literal["run", "skip"]] = None


class SchedulePath(Query):
    """Which schedule."""

    schedule_id: Id


class TimelineQuery(PageQuery):
    """Which page of an item's timeline, or of what has become of its schedules."""

    history: Flag = Field(False, description="The schedules that have ended, made last first.")


class CancelQuery(Query):
    """What else goes with a schedule."""

    and_following: Flag = Field(
        False, description="Cancel the later ones too that would come to nothing without it."
    )


class CalendarQuery(PageQuery):
    """From when, and to before when."""

    start: Omittable[Moment] = Field(None, alias="from")
    to: Omittable[Moment] = None


class ScheduleAnswer(BaseModel):
    """A schedule and what it has come to."""

    id: int
    content_id: int
    title: str
    action: Literal["publish", "unpublish", "archive"]
    at: datetime
    version: int | None
    if_missed: Literal["run", "skip", "ask"]
    state: Literal["pending", "handed", "waiting", "fired", "missed", "failed", "cancelled"]
    fired_at: datetime | None
    failure: str | None = Field(
        description="Why it failed, or which later publication or withdrawal cancelled it."
    )
    rehearsed_at: datetime | None = Field(
        description="When it was last looked at what would keep it from being what was meant: when "
        "it was made or changed, and once more before its moment."
    )
    rehearsal: list[FindingAnswer] = Field(
        description="What was found then. An error would make it fail or end; nothing is refused."
    )


class PlannedAnswer(ScheduleAnswer):
    """A schedule that was just made, and what checks say of the version that it pins."""

    warnings: Warnings


class SchedulePage(BaseModel):
    """A page of schedules."""

    items: list[ScheduleAnswer]
    next: str | None


@blueprint.post(
    "/content/<int:content_id>/schedule",
    responses={201: PlannedAnswer, **CHANGE_PROBLEMS, **PRUNED},
    security=BEARER,
)
@requires(Permission.CONTENT_PUBLISH_APPROVED)
def create(path: ContentPath, header: IfMatch, body: NewSchedule) -> Response:
    """Add an action to an item's timeline; a publish pins one version, whatever is edited later.

    An item has up to 100 open schedules, each at a moment of its own: to publish a version, swap it
    for another, return to an older one, unpublish, archive. The timeline is walked from where the
    item stands now, and what could not happen at its place, or would change nothing there, is
    refused (409) with the name of the other schedule and its moment.

    A later decision overrules it: publishing the same version or a newer one cancels a schedule to
    publish, and unpublishing cancels every open schedule of the item, with the reason in `failure`.
    A schedule for a newer version with what follows it, and one to unpublish, outlive a
    publication, and the trash refuses an item with an open schedule. What becomes of the account
    that made a schedule changes nothing.

    Who may not publish alone schedules exactly a version that has an approval (403), and the
    schedule is cancelled where that is taken back.
    """
    plan = SchedulePlan(body.action, body.at, body.version, body.if_missed)
    schedule_id = schedules.create(
        open_session(), current_actor(), path.content_id, header.revisions(), plan
    )
    _rehearse(schedule_id)
    return _answer_with(schedule_id, 201)


@blueprint.get(
    "/content/<int:content_id>/schedule",
    responses={200: SchedulePage, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.SCHEDULE_READ)
def list_for_content(path: ContentPath, query: TimelineQuery) -> Response:
    """List the open schedules of an item in the order of its timeline, or those that have ended."""
    asked = open_session(), current_actor(), path.content_id
    if query.history:
        before: Any = None if query.cursor is None else decode_cursor(query.cursor, int)
        ended = schedule_reads.list_ended(
            *asked, before=before and before[0], limit=query.limit + 1
        )
        page = page_of(ended, query.limit, _shape, lambda view: (view.schedule.id,))
        return answer(SchedulePage(**page))
    after: Any = None if query.cursor is None else decode_cursor(query.cursor, datetime, int)
    views = schedule_reads.list_open(*asked, after=after, limit=query.limit + 1)
    return answer(SchedulePage(**page_of(views, query.limit, _shape, _place)))


@blueprint.get(
    "/schedule/<int:schedule_id>",
    responses={200: ScheduleAnswer, **NOT_MODIFIED, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.SCHEDULE_READ)
def read(path: SchedulePath) -> Response:
    """Read one schedule; its ETag is what a change of it wants in If-Match."""
    return _answer_with(path.schedule_id)


@blueprint.patch(
    "/schedule/<int:schedule_id>",
    responses={200: ScheduleAnswer, **CHANGE_PROBLEMS, **PRUNED},
    security=BEARER,
)
@requires(Permission.CONTENT_PUBLISH_APPROVED)
def change(path: SchedulePath, header: IfMatch, body: ScheduleChanges) -> Response:
    """Change a pending schedule; authors change those that they made for their own items."""
    given = body.model_dump(exclude_none=True)
    names = {"at": "due_at", "version": "version_number", "if_missed": "if_missed"}
    changes = {names[name]: value for name, value in given.items()}
    schedules.change(open_session(), current_actor(), path.schedule_id, header.revisions(), changes)
    _rehearse(path.schedule_id)
    return _answer_with(path.schedule_id)


@blueprint.delete(
    "/schedule/<int:schedule_id>",
    responses={200: ScheduleAnswer, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_PUBLISH_APPROVED)
def cancel(path: SchedulePath, header: IfMatch, query: CancelQuery) -> Response:
    """Cancel a pending schedule; authors cancel those that they made for their own items.

    Where a later one would come to nothing without it, this is refused (409) with its name, unless
    `and_following` cancels those as well.
    """
    schedules.cancel(
        open_session(), current_actor(), path.schedule_id, header.revisions(),
        and_following=query.and_following,
    )  # fmt: skip
    return _answer_with(path.schedule_id)


@blueprint.get("/schedule", responses={200: SchedulePage, **CHANGE_PROBLEMS}, security=BEARER)
@requires(Permission.SCHEDULE_READ)
def list_between(query: CalendarQuery) -> Response:
    """List schedules in the order of their moments."""
    after: Any = None if query.cursor is None else decode_cursor(query.cursor, datetime, int)
    views = schedule_reads.list_between(
        open_session(),
        current_actor(),
        start=query.start,
        end=query.to,
        after=after,
        limit=query.limit + 1,
    )
    return answer(SchedulePage(**page_of(views, query.limit, _shape, _place)))


def _place(view: ScheduleView) -> tuple[datetime, int]:
    return view.schedule.due_at, view.schedule.id


def _rehearse(schedule_id: int) -> None:
    rehearsals.rehearse(open_session(), Stage.under(web_context().settings), [schedule_id])


def _answer_with(schedule_id: int, status: int = 200) -> Response:
    view = schedule_reads.get(open_session(), current_actor(), schedule_id)
    row = view.schedule
    if status != 201:
        return answer(_shape(view), status, revision=row.revision)
    number = view.version_number
    warnings = None if number is None else warnings_of(row.content_id, number)
    made = PlannedAnswer(**_shape(view).model_dump(), warnings=warnings)
    location = f"/api/v1/schedule/{schedule_id}"
    return answer(made, status, revision=row.revision, location=location)


def _shape(view: ScheduleView) -> ScheduleAnswer:
    row = view.schedule
    return ScheduleAnswer(
        id=row.id,
        content_id=row.content_id,
        title=view.title,
        action=row.action,
        at=row.due_at,
        version=view.version_number,
        if_missed=row.if_missed,
        state=row.state,
        fired_at=row.fired_at,
        failure=row.failure,
        rehearsed_at=row.rehearsed_at,
        rehearsal=[FindingAnswer.model_validate(found) for found in row.rehearsal or ()],
    )
