"""Recurrences: what shall happen to an item again and again, by the clocks of a zone."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal, cast

from flask import Response
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from webapp.api.answers import answer, page_of
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import BEARER, NOT_MODIFIED, Blueprint
from webapp.api.content.content import CHANGE_PROBLEMS
from webapp.api.edge import open_session
from webapp.api.fields import (
    ContentPath,
    Flag,
    Id,
    IfMatch,
    Input,
    Number,
    Omittable,
    PageQuery,
    Query,
)
from webapp.api.zone_fields import Day, ZoneName
from webapp.kit.cursors import decode_cursor
from webapp.kit.permissions import Permission
from webapp.kit.recurrence_rules import LONGEST_RULE, WallMoment, read_rule
from webapp.kit.zones import zone_named
from webapp.services.publishing import recurrences
from webapp.services.publishing.recurrences import PastOccurrence, RecurrencePlan, RecurrenceView

blueprint = Blueprint("recurrences", title="Recurrences")

WALL_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?")


def _wall_time(value: Any) -> datetime:  # noqa: ANN401
    if not isinstance(value, str) or WALL_TIME.fullmatch(value) is None:
        raise ValueError("must be a wall time without an offset, such as 2031-05-17T07:00")
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError("is a wall time that no calendar has") from error


WallTime = Annotated[datetime, BeforeValidator(_wall_time)]
Rule = Annotated[
    str,
    Field(
        min_length=1, max_length=LONGEST_RULE,
        description="As RRULE says it, without COUNT and UNTIL: FREQ=WEEKLY;BYDAY=MO.",
    ),
    AfterValidator(read_rule),
]  # fmt: skip
Which = Annotated[
    Literal["newest", "newest_approved"],
    Field(description="Which version is published: as things stand an hour before the moment."),
]
InGap = Annotated[
    Literal["after", "skip"],
    Field(
        description="A time that clocks leave out: it is as much later as they jump, or skipped."
    ),
]
InFold = Annotated[
    Literal["earlier", "later"], Field(description="Which one, of a time that clocks show twice.")
]
IfMissed = Annotated[
    Literal["run", "skip"],
    Field(description="What to do when an outage made one late: run it all the same, or skip."),
]
Count = Annotated[Number, Field(ge=1, le=1_000, description="How many moments, from the start on.")]


class NewRecurrence(Input):
    """What recurs, and by which clocks."""

    action: Literal["publish", "unpublish"] = "publish"
    which: Which = "newest_approved"
    rule: Rule
    zone: ZoneName
    start: WallTime = Field(
        description="From which wall time on. It gives the day and the time that the rule does not"
        " say, and is a moment itself only where it matches the rule."
    )
    in_gap: InGap
    in_fold: InFold
    if_missed: IfMissed = "run"
    until: Omittable[Day] = Field(None, description="The last day, by the clocks of the zone.")
    count: Omittable[Count] = None


class RecurrenceChanges(Input):
    """What to change; a field that is left out stays, and null takes `until` and `count` away."""

    which: Omittable[Which] = None
    rule: Omittable[Rule] = None
    zone: Omittable[ZoneName] = None
    start: Omittable[WallTime] = None
    in_gap: Omittable[InGap] = None
    in_fold: Omittable[InFold] = None
    if_missed: Omittable[IfMissed] = None
    until: Day | None = None
    count: Count | None = None
    state: Omittable[Literal["active", "paused"]] = None


class TrialQuery(Query):
    """Whether to make it, or to show what it would be."""

    dry_run: Annotated[Flag, Field(description="Show the next moments, and make nothing.")] = False


class RecurrencePath(ContentPath):
    """Which recurrence of which item."""

    recurrence_id: Id


class MomentAnswer(BaseModel):
    """One moment to come."""

    local_time: datetime = Field(description="As the rule says it, by the clocks of its zone.")
    at: datetime
    shown_as: datetime = Field(description="What the clocks of the zone show at that instant.")
    clock: Literal["once", "skipped", "twice"] = Field(
        description="How often clocks show this time; `skipped` is one that they leave out."
    )


class PastAnswer(BaseModel):
    """What came of one moment: the schedule that was made for it, or why none was."""

    local_time: datetime
    at: datetime
    schedule_id: int | None
    state: str
    reason: str | None


class RecurrenceTrial(BaseModel):
    """What a recurrence would do."""

    next: list[MomentAnswer]


class RecurrenceAnswer(BaseModel):
    """A recurrence."""

    id: int
    content_id: int
    action: str
    which: str
    rule: str
    zone: str
    start: datetime
    in_gap: str
    in_fold: str
    if_missed: str
    until: date | None
    count: int | None
    state: Literal["active", "paused", "ended"]
    ended_because: str | None
    made_by: str | None = Field(description="Who answers for it: who made or changed it last.")
    created_at: datetime
    next_at: datetime | None = Field(description="The next moment that is written down.")


class WholeRecurrence(RecurrenceAnswer):
    """A recurrence with what comes of it."""

    next: list[MomentAnswer] = Field(description="Ten at most.")
    past: list[PastAnswer] = Field(description="What was decided, newest first; ten at most.")


class RecurrencePage(BaseModel):
    """A page of recurrences."""

    items: list[RecurrenceAnswer]
    next: str | None


@blueprint.post(
    "/content/<int:content_id>/recurrences",
    responses={200: RecurrenceTrial, 201: WholeRecurrence, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.SCHEDULE_RECUR)
def create(path: ContentPath, query: TrialQuery, header: IfMatch, body: NewRecurrence) -> Response:
    """Let something happen to an item again and again; with `dry_run` it is only shown.

    For each moment a schedule is made an hour before, by your rights of then, with the version that
    is the newest (approved) one then. A moment for which there is nothing newer than what has been
    public is skipped, with the reason. Wall time is kept, whatever the clocks do. A key makes none.
    """
    plan = RecurrencePlan(**body.model_dump())
    recurrence_id, coming = recurrences.create(
        open_session(), current_actor(), path.content_id, header.revisions(), plan,
        is_trial=query.dry_run,
    )  # fmt: skip
    if recurrence_id is None:
        return answer(RecurrenceTrial(next=_moments(coming, plan.zone)))
    return _answer_with(path.content_id, recurrence_id, 201)


@blueprint.get(
    "/content/<int:content_id>/recurrences",
    responses={200: RecurrencePage, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.SCHEDULE_READ)
def list_for_content(path: ContentPath, query: PageQuery) -> Response:
    """List the recurrences of an item, newest first, those that have ended as well."""
    below: Any = None
    if query.cursor is not None:
        (below,) = decode_cursor(query.cursor, int)
    views = recurrences.list_for_content(
        open_session(), current_actor(), path.content_id, below=below, limit=query.limit + 1
    )
    page = page_of(
        views, query.limit, lambda view: RecurrenceAnswer(**_fields(view)),
        lambda view: (view.recurrence.id,),
    )  # fmt: skip
    return answer(RecurrencePage(**page))


@blueprint.get(
    "/content/<int:content_id>/recurrences/<int:recurrence_id>",
    responses={200: WholeRecurrence, **NOT_MODIFIED, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.SCHEDULE_READ)
def read(path: RecurrencePath) -> Response:
    """Read one with its next moments and what came of the last; its ETag is for If-Match."""
    return _answer_with(path.content_id, path.recurrence_id)


@blueprint.patch(
    "/content/<int:content_id>/recurrences/<int:recurrence_id>",
    responses={200: WholeRecurrence, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.SCHEDULE_RECUR)
def change(path: RecurrencePath, header: IfMatch, body: RecurrenceChanges) -> Response:
    """Change a recurrence, pause it, or let it go on; you answer for it from then on.

    A schedule that was made for a moment to come is cancelled, and made anew where it goes on.
    """
    given = body.model_dump(exclude_unset=True)
    recurrences.change(
        open_session(), current_actor(), path.content_id, path.recurrence_id,
        header.revisions(), given,
    )  # fmt: skip
    return _answer_with(path.content_id, path.recurrence_id)


@blueprint.delete(
    "/content/<int:content_id>/recurrences/<int:recurrence_id>",
    responses={200: WholeRecurrence, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.SCHEDULE_RECUR)
def end(path: RecurrencePath, header: IfMatch) -> Response:
    """End a recurrence for good, with the schedules that were made for moments to come."""
    recurrences.end(
        open_session(), current_actor(), path.content_id, path.recurrence_id, header.revisions()
    )
    return _answer_with(path.content_id, path.recurrence_id)


def _answer_with(content_id: int, recurrence_id: int, status: int = 200) -> Response:
    session = open_session()
    view = recurrences.get(session, current_actor(), content_id, recurrence_id)
    row = view.recurrence
    coming = recurrences.next_moments(session, row)
    past = recurrences.list_past(session, recurrence_id)
    shown = WholeRecurrence(
        **_fields(view), next=_moments(coming, row.zone), past=[_past(one) for one in past]
    )
    location = f"/api/v1/content/{content_id}/recurrences/{recurrence_id}"
    # Its moments come and go, and what came of them changes, without a change of it.
    return answer(
        shown, status, revision=row.revision, is_all_counted=False,
        location=location if status == 201 else None,
    )  # fmt: skip


def _fields(view: RecurrenceView) -> dict[str, Any]:
    row = view.recurrence
    names = (
        "id", "content_id", "action", "which", "rule", "zone", "start", "in_gap", "in_fold",
        "if_missed", "until", "count", "state", "ended_because", "created_at",
    )  # fmt: skip
    shown = {name: getattr(row, name) for name in names}
    return {**shown, "made_by": view.made_by_name, "next_at": view.next_at}


def _moments(coming: list[WallMoment], zone: str) -> list[MomentAnswer]:
    clocks = zone_named(zone)
    return [
        MomentAnswer(
            local_time=moment.local_time,
            at=moment.at,
            shown_as=moment.at.astimezone(clocks),
            clock=cast(Any, moment.clock),
        )
        for moment in coming
    ]


def _past(one: PastOccurrence) -> PastAnswer:
    return PastAnswer(**vars(one))
