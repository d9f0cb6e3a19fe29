"""Schedules: what shall happen to an item, and when."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import BaseModel, Field

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
    Number,
    Omittable,
    PageQuery,
    Query,
)
from webapp.api.problems import FindingAnswer
from webapp.api.publishing.planned_times import (
    DueMoment,
    LocalTime,
    LocalTimeAnswer,
    local_of,
    meant_by,
)
from webapp.kit.cursors import decode_cursor
from webapp.kit.permissions import Permission
from webapp.services.content.checks import BROKEN_LINK
from webapp.services.errors import InvalidInputError
from webapp.services.publishing import (
    rehearsals,
    retries,
    schedule_reads,
    schedules,
    waiting_schedules,
)
from webapp.services.publishing.rehearsals import Stage
from webapp.services.publishing.schedule_reads import ScheduleView
from webapp.services.publishing.schedules import SchedulePlan
from webapp.services.publishing.waiting_schedules import Decision

blueprint = Blueprint("schedules", title="Schedules")

LateLimit = Annotated[
    Number,
    Field(
        ge=1,
        le=366 * 86_400,
        description="From how late on, in seconds, `skip` skips and `ask` asks; without it, as the"
        " server is set up.",
    ),
]


class NewSchedule(Input):
    """What to do and when."""

    action: Literal["publish", "unpublish", "archive"] = "publish"
    at: Omittable[DueMoment] = None
    local: Omittable[LocalTime] = Field(
        None, description="When, by a clock in a zone, in the place of `at`."
    )
    version: Id | None = Field(None, description="The version to publish; the newest if left out.")
    if_missed: Literal["run", "skip", "ask"] = Field(
        "run",
        description="What to do when an outage made it late: run it all the same, skip it, or let"
        " it wait for a decision.",
    )
    late_limit_seconds: Omittable[LateLimit] = None


class ScheduleChanges(Input):
    """What to change; a field that is left out stays."""

    at: Omittable[DueMoment] = None
    local: Omittable[LocalTime] = None
    version: Omittable[Id] = None
    if_missed: Omittable[Literal["run", "skip", "ask"]] = None
    late_limit_seconds: Omittable[LateLimit] = None


class WaitingDecision(Input):
    """What shall become of a schedule that waits."""

    decision: Literal["run", "skip", "move"] = Field(
        description="Run it at the moment that it has, or at once where that has passed; skip it; "
        "or move it."
    )
    at: Omittable[DueMoment] = Field(None, description="Where to move it.")
    local: Omittable[LocalTime] = Field(None, description="Where to move it, by a clock in a zone.")


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
    local: LocalTimeAnswer | None = Field(
        description="The wall time that was meant, where it was planned by one."
    )
    version: int | None
    if_missed: Literal["run", "skip", "ask"]
    late_limit_seconds: int | None
    state: Literal["pending", "handed", "waiting", "fired", "missed", "failed", "cancelled"]
    fired_at: datetime | None
    failure: str | None = Field(
        description="Why it failed, which later publication or withdrawal cancelled it, or what it "
        "waits to have decided."
    )
    rehearsed_at: datetime | None = Field(
        description="When it was last looked at what would keep it from being what was meant: when "
        "it was made or changed, and once more before its moment."
    )
    rehearsal: list[FindingAnswer] = Field(
        description="What was found then. An error would make it fail or end; nothing is refused."
        " Links are judged by what will be public, which takes the permission `future.read`."
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
    meant = meant_by(body.at, body.local)
    if meant is None:
        raise InvalidInputError("at", "is missing, and so is `local`; send one of them")
    plan = SchedulePlan(
        body.action, meant.due_at, body.version, body.if_missed, body.late_limit_seconds, meant.wall
    )
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
    given = body.model_dump(exclude_none=True, exclude={"at", "local"})
    changes = {"version_number" if name == "version" else name: given[name] for name in given}
    meant = meant_by(body.at, body.local)
    if meant is not None:
        changes |= {"due_at": meant.due_at, "wall": meant.wall}
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


@blueprint.post(
    "/schedule/<int:schedule_id>/decide",
    responses={200: ScheduleAnswer, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_PUBLISH_APPROVED)
def decide(path: SchedulePath, header: IfMatch, body: WaitingDecision) -> Response:
    """Decide about a schedule that waits; `failure` has the question.

    One waits because its moment was missed and `if_missed` is `ask`, or because the rules of its
    zone have changed, so that the wall time that was meant is another instant by now.
    """
    meant = meant_by(body.at, body.local)
    if (body.decision == "move") != (meant is not None):
        raise InvalidInputError("at", "or `local` says where to move it, and only then")
    decision = Decision(body.decision, *(meant or ()))
    waiting_schedules.decide(
        open_session(), current_actor(), path.schedule_id, header.revisions(), decision
    )
    return _answer_with(path.schedule_id)


@blueprint.post(
    "/schedule/<int:schedule_id>/retry",
    responses={200: ScheduleAnswer, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_PUBLISH_APPROVED)
def retry(path: SchedulePath, header: IfMatch) -> Response:
    """Let a schedule that failed be carried out at once, with the version that it pinned.

    Refused (409) where a version has gone public since.
    """
    retries.retry(open_session(), current_actor(), path.schedule_id, header.revisions())
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
        local=local_of(row),
        version=view.version_number,
        if_missed=row.if_missed,
        late_limit_seconds=row.late_limit_seconds,
        state=row.state,
        fired_at=row.fired_at,
        failure=row.failure,
        rehearsed_at=row.rehearsed_at,
        rehearsal=_told(row.rehearsal or ()),
    )


def _told(findings: Iterable[dict[str, Any]]) -> list[FindingAnswer]:
    """Return what a rehearsal has found, without what only who sees ahead may learn.

    Whether a link is found broken says what is planned for an item of somebody else.
    """
    sees_ahead = current_actor().may(Permission.FUTURE_READ)
    return [
        FindingAnswer.model_validate(found)
        for found in findings
        if sees_ahead or found["rule"] != BROKEN_LINK
    ]
