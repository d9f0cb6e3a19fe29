"""Schedules: a row that says what shall happen to an item, and the machinery that makes it so."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from sqlalchemy import (
    CursorResult,
    Integer,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql import ColumnElement
from structlog.contextvars import bound_contextvars, get_contextvars

from webapp.jobs.messages import FireSchedules
from webapp.jobs.outbox import chunked, enqueue_many, wake_dispatcher
from webapp.jobs.pauses import is_kind_paused
from webapp.kit.lifecycle import Facts, Move
from webapp.kit.permissions import Permission
from webapp.models import Content, ContentVersion, Schedule
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, item_reads, lifecycle, naming, review_states, versions
from webapp.services.content.completeness import require_ready
from webapp.services.content.renderings import ensure_renderings
from webapp.services.content.visibility import visible_content
from webapp.services.errors import ConflictError, NotFoundError, StaleRevisionError

HANDED_AT_ONCE = 2_000
FIRED_IN_ONE_JOB = 500

_earlier = aliased(Schedule)

# The states are constants, because with parameters a prepared plan could not use partial indexes.
_IS_NEXT: ColumnElement[bool] = and_(
    Schedule.state == literal_column("'pending'"),
    ~exists().where(
        _earlier.content_id == Schedule.content_id,
        _earlier.state.in_([literal_column("'pending'"), literal_column("'handed'")]),
        func.row(_earlier.due_at, _earlier.id) < func.row(Schedule.due_at, Schedule.id),
    ),
)

_DUE = (
    select(Schedule.id)
    .where(_IS_NEXT, Schedule.due_at <= func.statement_timestamp(), ~is_kind_paused(FireSchedules))
    .order_by(Schedule.due_at, Schedule.id)
    .limit(bindparam("at_most", type_=Integer()))
    .with_for_update(skip_locked=True)
    .cte("due")
)
_HAND_OVER = (
    update(Schedule)
    .where(Schedule.id == _DUE.c.id)
    .values(state="handed")
    .returning(Schedule.id, Schedule.due_at, Schedule.request_id)
    .execution_options(synchronize_session=False)
)
_TAKE_BACK = text(
    """
    UPDATE schedules SET state = 'pending', updated_at = clock_timestamp()
    WHERE state = 'handed' AND due_at < clock_timestamp() - interval '1 minute'
      AND NOT EXISTS (
          SELECT 1 FROM jobs
          WHERE jobs.kind = 'schedules.fire'
            AND jobs.state IN ('ready', 'held', 'running', 'failed')
            AND jobs.payload -> 'schedule_ids' @> to_jsonb(schedules.id))
    """
)


@dataclass(frozen=True)
class ScheduleView:
    """One schedule, with what a person needs to recognise it."""

    schedule: Schedule
    title: str
    version_number: int | None


@dataclass(frozen=True)
class SchedulePlan:
    """What to do, when, and what if the moment was missed by an outage."""

    action: Literal["publish", "unpublish"]
    due_at: datetime
    version_number: int | None = None
    if_missed: Literal["run", "skip"] = "run"


def create(
    session: Session,
    actor: Actor,
    content_id: int,
    revisions: Collection[int] | None,
    plan: SchedulePlan,
) -> int:
    """Schedule an item and return the schedule's id.

    A publish pins a version (the newest, unless a number is given) and renders it now, so that its
    moment finds it ready. A moment that has passed is due at once. Raises NotFoundError,
    StaleRevisionError, ConflictError for an item that is put aside or has such a schedule, and
    IncompleteError, so that no schedule fires what is not complete.
    """
    item = content.lock_for_change(session, actor, content_id, revisions)
    _require_planning(actor, item, plan.action)
    number, is_release = plan.version_number or item.version, plan.action == "publish"
    facts = lifecycle.require_move(
        session, actor, item, Move.SCHEDULE, number=number, is_release=is_release
    )
    version_id = _pin(session, actor, item, number, facts) if is_release else None
    schedule_id = _insert(session, actor, content_id, version_id, plan)
    if facts.needs_approval:
        review_states.rest_upon_approval(session, content_id, number, schedule_id)
    activity.record(
        session, actor.user_id, "schedule.create", "content", content_id,
        schedule_id=schedule_id, due_at=plan.due_at.isoformat(), plan=plan.action,
    )  # fmt: skip
    wake_dispatcher(session)
    return schedule_id


def _insert(
    session: Session, actor: Actor, content_id: int, version_id: int | None, plan: SchedulePlan
) -> int:
    schedule_id: int | None = session.scalar(
        insert(Schedule)
        .values(
            content_id=content_id,
            version_id=version_id,
            action=plan.action,
            due_at=plan.due_at,
            if_missed=plan.if_missed,
            pinned_at=func.clock_timestamp(),
            created_by_id=actor.user_id,
            request_id=get_contextvars().get("request_id"),
        )
        .on_conflict_do_nothing(
            index_elements=["content_id", "action"],
            index_where=text("state IN ('pending', 'handed')"),
        )
        .returning(Schedule.id)
    )
    if schedule_id is None:
        raise ConflictError(f"The item already has a schedule to {plan.action}; change that one.")
    return schedule_id


def get(session: Session, actor: Actor, schedule_id: int) -> ScheduleView:
    """Return one schedule of an item that the actor may see. Raises NotFoundError."""
    row = session.execute(_visible(actor).where(Schedule.id == schedule_id)).one_or_none()
    if row is None:
        raise NotFoundError("There is no such schedule.")
    return ScheduleView(*row)


def list_for_content(session: Session, actor: Actor, content_id: int) -> list[ScheduleView]:
    """Return the open schedules of an item: at most one to publish and one to unpublish."""
    item_reads.require_item(session, actor, content_id)
    statement = _visible(actor).where(
        Schedule.content_id == content_id, Schedule.state.in_(["pending", "handed"])
    )
    return [ScheduleView(*row) for row in session.execute(statement.order_by(Schedule.due_at))]


def list_between(
    session: Session,
    actor: Actor,
    *,
    start: datetime | None,
    end: datetime | None,
    after: tuple[datetime, int] | None,
    limit: int,
) -> list[ScheduleView]:
    """Return schedules in the order of their moments, from `start` to before `end`."""
    statement = _visible(actor).order_by(Schedule.due_at, Schedule.id).limit(limit)
    if start is not None:
        statement = statement.where(Schedule.due_at >= start)
    if end is not None:
        statement = statement.where(Schedule.due_at < end)
    if after is not None:
        key = func.row(Schedule.due_at, Schedule.id)
        statement = statement.where(key > func.row(*after))
    return [ScheduleView(*row) for row in session.execute(statement)]


def change(
    session: Session,
    actor: Actor,
    schedule_id: int,
    revisions: Collection[int] | None,
    changes: dict[str, Any],
) -> None:
    """Change `due_at`, `if_missed` or the pinned `version_number` of a pending schedule.

    Authors change only what they planned themselves, while its version is approved. Raises
    NotFoundError, ForbiddenError, StaleRevisionError, and ConflictError once it is no longer
    pending.
    """
    item, schedule = _lock_open(session, actor, schedule_id, revisions, ("pending",))
    if schedule.action == "publish":
        lifecycle.require_telling(actor)
    if not actor.may(Permission.SCHEDULE_MANAGE):
        # An editor may have pinned another version since, which the author may not publish.
        pinned = get(session, actor, schedule_id).version_number or item.version
        lifecycle.require_approval(session, actor, item, pinned)
    values: dict[str, Any] = {
        name: changes[name] for name in ("due_at", "if_missed") if name in changes
    }
    if changes.get("version_number") is not None:
        if schedule.action != "publish":
            raise ConflictError("A schedule to unpublish pins no version.")
        number = changes["version_number"]
        facts = lifecycle.require_approval(session, actor, item, number)
        values["version_id"] = _pin(session, actor, item, number, facts)
        if facts.needs_approval:
            review_states.rest_upon_approval(session, item.id, number, schedule_id)
        values["pinned_at"] = func.clock_timestamp()
    before = _settled(schedule)
    session.execute(
        update(Schedule)
        .where(Schedule.id == schedule_id)
        .values(**values, revision=Schedule.revision + 1, updated_at=func.clock_timestamp())
    )
    session.refresh(schedule)
    activity.record(
        session, actor.user_id, "schedule.edit", "content", schedule.content_id,
        changes=activity.difference(before, _settled(schedule)), schedule_id=schedule_id,
    )  # fmt: skip
    wake_dispatcher(session)


def _settled(schedule: Schedule) -> dict[str, Any]:
    return {
        "due_at": schedule.due_at.isoformat(),
        "if_missed": schedule.if_missed,
        "version_id": schedule.version_id,
    }


def cancel(
    session: Session, actor: Actor, schedule_id: int, revisions: Collection[int] | None
) -> None:
    """Cancel a schedule that has not fired. Raises as `change` does.

    One that is handed over already can still be cancelled: whoever locks the item first, the
    firing or the cancelling, decides.
    """
    _, schedule = _lock_open(session, actor, schedule_id, revisions, ("pending", "handed"))
    schedule.state = "cancelled"
    schedule.revision += 1
    schedule.updated_at = func.clock_timestamp()
    session.flush()
    activity.record(
        session, actor.user_id, "schedule.cancel", "content", schedule.content_id,
        schedule_id=schedule_id,
    )  # fmt: skip


def hand_over_due(session: Session, at_most: int = HANDED_AT_ONCE) -> int:
    """Give due schedules to the publishing queue in batches and return how many.

    Any number of dispatchers may do this at once: each takes rows that no other has locked, and
    the rows change state in the transaction that writes their jobs. The later of two schedules of
    one item waits until the earlier is done: after an outage both are due, and only in their order
    do they leave the item as the editor meant. While the firing is paused they stay pending, so
    editors may still change them; those that fell due meanwhile are handed over when it ends.
    """
    rows = session.execute(_HAND_OVER, {"at_most": at_most}).all()
    ids = [row.id for row in sorted(rows, key=lambda row: (row.due_at, row.id))]
    if ids:
        batches = chunked(ids, FIRED_IN_ONE_JOB)
        # A batch has many causes and so no request id; a schedule that is due alone keeps its own.
        with bound_contextvars(request_id=rows[0].request_id if len(rows) == 1 else None):
            enqueue_many(session, [FireSchedules(schedule_ids=tuple(batch)) for batch in batches])
    return len(ids)


def take_back_forgotten(session: Session) -> int:
    """Make schedules pending again whose job is gone or was discarded; returns how many.

    A job that failed keeps its schedules, because an operator can retry it.
    """
    return cast(CursorResult[Any], session.execute(_TAKE_BACK)).rowcount


def _pin(session: Session, actor: Actor, item: Content, number: int, facts: Facts) -> int:
    version = versions.get_version(session, item.id, number)
    require_ready(session, actor, version)
    version = naming.claim_name(
        session, actor, item, version, may_renumber=not facts.needs_approval
    )
    ensure_renderings(session, [version.id])
    return version.id


def _visible(actor: Actor) -> Select[Schedule, str, int | None]:
    seen = visible_content(actor).with_only_columns(Content.id)
    return (
        select(
            Schedule,
            func.coalesce(ContentVersion.title, Content.title),
            ContentVersion.number,
        )
        .join(Content, Content.id == Schedule.content_id)
        .outerjoin(ContentVersion, ContentVersion.id == Schedule.version_id)
        .where(Schedule.content_id.in_(seen))
    )


def _require_planning(actor: Actor, item: Content, action: str) -> None:
    """Raise ForbiddenError unless the actor may plan this; a publication tells the followers."""
    if action == "publish":
        lifecycle.require_right(actor, item, Move.SCHEDULE)
        lifecycle.require_telling(actor)
    else:
        actor.require(Permission.SCHEDULE_MANAGE)


def _lock_open(
    session: Session,
    actor: Actor,
    schedule_id: int,
    revisions: Collection[int] | None,
    states: tuple[str, ...],
) -> tuple[Content, Schedule]:
    """Lock a schedule that is in one of some states, so that it changes or goes on, never both.

    Returns its item as well. Who may not change it is told so whatever its state is.
    """
    content_id = get(session, actor, schedule_id).schedule.content_id
    # The item is locked first, as the firing does, so that the two cannot deadlock.
    item = content.lock_for_change(session, actor, content_id, None)
    schedule = session.scalars(
        select(Schedule)
        .where(Schedule.id == schedule_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    _require_changing(actor, item, schedule)
    if schedule.state not in states:
        raise ConflictError(f"The schedule is {schedule.state} and can no longer be changed.")
    if revisions is not None and schedule.revision not in revisions:
        raise StaleRevisionError("The schedule has changed since you read it; read it again.")
    return item, schedule


def _require_changing(actor: Actor, item: Content, schedule: Schedule) -> None:
    """Raise ForbiddenError unless the actor may change a schedule.

    An author may change the publication of their own item that they planned themselves.
    """
    is_theirs = schedule.created_by_id == actor.user_id and schedule.action == "publish"
    if is_theirs and not actor.may(Permission.SCHEDULE_MANAGE):
        lifecycle.require_right(actor, item, Move.SCHEDULE)
    else:
        actor.require(Permission.SCHEDULE_MANAGE)
