"""Carry out schedules that are due: in one batch, and singly where a batch fails."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Double, Text, any_, bindparam, cast, func, select, text, update
from sqlalchemy.exc import DataError, IntegrityError, InternalError, OperationalError
from sqlalchemy.orm import Session, load_only
from structlog.contextvars import get_contextvars

from webapp.kit.lifecycle import Standing
from webapp.models import Content, ContentVersion, Rendering, Schedule
from webapp.models.arrays import IdArray, is_one_of
from webapp.services import activity
from webapp.services.content import lifecycle
from webapp.services.content.renderings import keep_renderings, render_version
from webapp.services.content.version_texts import read_stored, stored
from webapp.services.errors import DamagedVersionError, UnavailableError, UnrenderableError
from webapp.services.publishing import schedule_notices, supersession, waiting_schedules
from webapp.services.publishing.publishing import Release, release_ready, withdraw

# What the database said is for the operators' log and record, and not for the API's answers.
FAILURE = "It could not be published; the operators' log has the reason."
# Why an item was left out, by where it stands.
_STANDS = {
    Standing.ARCHIVED: "The item is archived.",
    Standing.TRASHED: "The item is in the trash.",
    Standing.PUBLISHED: "The item is public, and what is public is not archived.",
}


# By the id of a version, why it has no rendering.
_Unrendered = dict[int, UnrenderableError | UnavailableError | DamagedVersionError]


# To put a statement together costs a batch more than to send it, so these are made once.
_IN_BATCH = Schedule.id == any_(bindparam("schedule_ids", type_=IdArray()))
_WITHOUT_RENDERING = select(Schedule.version_id).where(
    _IN_BATCH,
    Schedule.action == "publish",
    Schedule.state == "handed",
    # As a value, it is looked up by its key for each; as a condition, the whole table may be read.
    select(Rendering.version_id)
    .where(Rendering.version_id == Schedule.version_id)
    .scalar_subquery()
    .is_(None),
)
_LOCK_ITEMS = text(
    """
    SELECT FROM content
    WHERE id IN (SELECT content_id FROM schedules WHERE id = ANY (:schedule_ids))
    ORDER BY id FOR UPDATE OF content
    """
).bindparams(bindparam("schedule_ids", type_=IdArray()))
_LOCK_SCHEDULES = (
    select(
        Schedule.id, Schedule.content_id, Schedule.version_id, Schedule.action, Schedule.due_at,
        Schedule.if_missed, Schedule.late_limit_seconds,
        cast(func.extract("epoch", func.clock_timestamp() - Schedule.due_at), Double).label("late"),
        supersession.is_superseded().label("is_superseded"),
    )
    .where(_IN_BATCH, Schedule.state == "handed")
    .order_by(Schedule.id)
    .with_for_update(of=Schedule)
)  # fmt: skip
_END = (
    update(Schedule)
    .where(_IN_BATCH, Schedule.state == "handed")
    .values(
        state=bindparam("end", type_=Text()),
        updated_at=func.clock_timestamp(),
        revision=Schedule.revision + 1,
    )
    .execution_options(synchronize_session=False)
)
_END_FIRED = text(
    """
    WITH fired AS (
        UPDATE schedules SET state = 'fired', fired_at = clock_timestamp(),
            updated_at = clock_timestamp(), revision = revision + 1
        WHERE id = ANY (:schedule_ids) AND state = 'handed'
        RETURNING id, content_id, version_id, action
    ), reviewed AS (
        -- What was in review is public, and nobody is asked for it any more.
        UPDATE reviews SET state = 'voided', ended_at = clock_timestamp() FROM fired
        WHERE fired.action = 'publish' AND reviews.version_id = fired.version_id
          AND reviews.state = 'open'
        RETURNING reviews.id, reviews.content_id
    )
    INSERT INTO activity_logs (action, subject_kind, subject_id, details, request_id)
    SELECT 'content.' || action, 'content', content_id, jsonb_build_object('schedule_id', id),
        :request_id
    FROM fired
    UNION ALL
    SELECT 'review.void', 'content', content_id, jsonb_build_object('review_id', id), :request_id
    FROM reviewed
    """
).bindparams(bindparam("schedule_ids", type_=IdArray()))


class DueSchedule(NamedTuple):
    """What there is to know of a schedule at its moment."""

    id: int
    content_id: int
    version_id: int | None
    action: str
    due_at: datetime


@dataclass
class Firing:
    """What became of a batch of schedules, by their ids.

    `failed` says why, for the operators; `refused` says it for editors and authors, where it is
    in their hands.
    """

    fired: list[int] = field(default_factory=list)
    postponed: list[int] = field(default_factory=list)
    missed: list[int] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    superseded: list[int] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    lateness_seconds: list[float] = field(default_factory=list)


def fire(
    session: Session,
    schedule_ids: Sequence[int],
    *,
    missed_after_seconds: float,
) -> Firing:
    """Carry out handed schedules and say what became of each.

    The rows are locked, and only those still `handed` are touched, so a schedule fires once however
    often this runs. A schedule that is later than it may be (than `missed_after_seconds`, where it
    says nothing of its own) and says `skip` is marked as missed, one that says `ask` waits for
    somebody's decision, and one that would bring back what was replaced after it was made is
    cancelled. Who made a schedule, and what has become of that account, makes no difference.

    When the database refuses the batch, each schedule is tried alone, so one bad row never holds up
    the rest: the one that is refused alone is marked as failed, and one that only met a lock, a
    deadlock or another passing trouble goes back to `pending`. Where trouble was all there was, the
    error leaves this function, and the job is tried again later.

    Schedules render what they pin when they are made. A version that has no rendering all the same
    is rendered here, before anything is locked; one that is refused fails alone.
    """
    result = Firing()
    without_text = _render_missing(session, schedule_ids)
    # The items are locked before the schedules, as every other change does, so none can deadlock.
    session.execute(_LOCK_ITEMS, {"schedule_ids": schedule_ids})
    due: list[DueSchedule] = []
    for row in session.execute(_LOCK_SCHEDULES, {"schedule_ids": schedule_ids}):
        if row.is_superseded:
            result.superseded.append(row.id)
        elif row.if_missed != "run" and row.late > (row.late_limit_seconds or missed_after_seconds):
            (result.missed if row.if_missed == "skip" else result.asked).append(row.id)
        else:
            due.append(DueSchedule(row.id, row.content_id, row.version_id, row.action, row.due_at))
            result.lateness_seconds.append(row.late)
    due, unavailable = _leave_out(due, without_text, result)
    trouble = _carry_out(session, due, result) or unavailable
    settled = result.fired or result.missed or result.asked or result.failed or result.superseded
    if trouble is not None and not settled:
        raise trouble
    _record(session, result)
    return result


def _render_missing(session: Session, schedule_ids: Sequence[int]) -> _Unrendered:
    """Render the pinned versions that have no rendering; returns why some still have none."""
    refused: _Unrendered = {}
    pinned = session.scalars(_WITHOUT_RENDERING, {"schedule_ids": schedule_ids})
    missing = [version_id for version_id in pinned if version_id is not None]
    whole = stored(is_one_of(ContentVersion.id, missing))
    for found in read_stored(session, whole) if missing else ():
        try:
            version = found.read()
            keep_renderings(session, [version], {version.id: render_version(version)})
        except (UnrenderableError, UnavailableError, DamagedVersionError) as error:
            refused[found.row.id] = error
    return refused


def _leave_out(
    due: list[DueSchedule], without_text: _Unrendered, result: Firing
) -> tuple[list[DueSchedule], UnavailableError | None]:
    """Settle the schedules whose version has no rendering; returns the others, and any trouble."""
    if not without_text:
        return due, None
    rendered: list[DueSchedule] = []
    trouble = None
    for row in due:
        error = without_text.get(row.version_id or 0) if row.action == "publish" else None
        if error is None:
            rendered.append(row)
        elif isinstance(error, UnavailableError):
            result.postponed.append(row.id)
            trouble = error
        else:
            result.failed[row.id] = result.refused[row.id] = str(error)
    return rendered, trouble


def _carry_out(session: Session, due: list[DueSchedule], result: Firing) -> OperationalError | None:
    """Carry schedules out together, or one by one; returns the last passing trouble, if any."""
    if not due:
        return None
    try:
        with session.begin_nested():
            _apply(session, due, result)
    except (IntegrityError, DataError, InternalError, OperationalError) as error:
        if session.connection().invalidated:
            raise
        if len(due) > 1:
            troubles = [_carry_out(session, [schedule], result) for schedule in due]
            return next((trouble for trouble in troubles if trouble is not None), None)
        if isinstance(error, OperationalError) and not is_beyond_limits(error):
            result.postponed.append(due[0].id)
            return error
        result.failed[due[0].id] = str(error.orig).partition("\n")[0][:1000]
    return None


def is_beyond_limits(error: OperationalError) -> bool:
    """Say whether PostgreSQL can never do it (class 54), rather than not now."""
    return str(getattr(error.orig, "sqlstate", "")).startswith("54")


def _apply(session: Session, due: list[DueSchedule], result: Firing) -> None:
    releases = [
        Release(row.content_id, row.version_id, row.due_at)
        for row in due
        if row.action == "publish" and row.version_id is not None
    ]
    reached = release_ready(session, releases) if releases else set()
    withdrawn = [row.content_id for row in due if row.action == "unpublish"]
    if withdrawn:
        withdraw(session, withdrawn)
        # An item that is not public any more has already got what the schedule wanted.
        reached |= set(withdrawn)
    archived = [row.content_id for row in due if row.action == "archive"]
    if archived:
        # Nor has one that is in there already anything to wait for.
        reached |= lifecycle.archive_all(session, archived)
    fired = [row.id for row in due if row.content_id in reached]
    # The ends and the lines of the activity log, which are nobody's and come from nowhere.
    parameters = {"schedule_ids": fired, "request_id": get_contextvars().get("request_id")}
    session.execute(_END_FIRED, parameters)
    result.fired += fired
    standings = _standings(session, {row.content_id for row in due} - reached)
    for row in due:
        if row.content_id not in reached:
            result.failed[row.id] = result.refused[row.id] = _STANDS[standings[row.content_id]]


def _standings(session: Session, content_ids: set[int]) -> dict[int, Standing]:
    """Return where items stand that were left out of a batch."""
    if not content_ids:
        return {}
    items = session.scalars(
        select(Content)
        .options(load_only(Content.status, Content.trashed_at, Content.archived_at))
        .where(is_one_of(Content.id, content_ids))
        .execution_options(populate_existing=True)
    )
    return {item.id: lifecycle.standing_of(item) for item in items}


def _record(session: Session, result: Firing) -> None:
    supersession.end_at_firing(session, result.superseded)
    waiting_schedules.ask_about_missed(session, result.asked)
    ends = {
        "missed": result.missed,
        "failed": list(result.failed),
        "pending": result.postponed,
    }
    for end, schedule_ids in ends.items():
        if schedule_ids:
            session.execute(_END, {"schedule_ids": schedule_ids, "end": end})
    for schedule_id, reason in result.failed.items():
        session.execute(
            update(Schedule)
            .where(Schedule.id == schedule_id)
            .values(failure=result.refused.get(schedule_id, FAILURE))
            .execution_options(synchronize_session=False)
        )
        activity.record(session, None, "schedule.fail", "schedule", schedule_id, reason=reason)
    if result.failed:
        reasons = {each: result.refused.get(each, FAILURE) for each in result.failed}
        schedule_notices.tell_of_failures(session, reasons)
