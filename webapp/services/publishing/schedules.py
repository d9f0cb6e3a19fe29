"""Schedules: a row that says what shall happen to an item, and the machinery that makes it so."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from structlog.contextvars import get_contextvars

from webapp.jobs.outbox import wake_dispatcher
from webapp.kit.lifecycle import Facts, Move
from webapp.kit.permissions import Permission
from webapp.kit.timelines import Action, ActionKind, resting_upon
from webapp.kit.wall_times import WallTime
from webapp.models import Content, Schedule
from webapp.models.arrays import is_one_of
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, lifecycle, naming, review_states, versions
from webapp.services.content.completeness import require_ready
from webapp.services.content.renderings import ensure_renderings
from webapp.services.errors import ConflictError, StaleRevisionError
from webapp.services.publishing import timelines
from webapp.services.publishing.schedule_reads import get

IfMissed = Literal["run", "skip", "ask"]


@dataclass(frozen=True)
class SchedulePlan:
    """What to do, when, and what if the moment was missed by an outage.

    `wall` is the wall time that was meant, of which `due_at` is the instant. What comes more than
    `late_limit_seconds` late (None: the setting's) counts as missed.
    """

    action: ActionKind
    due_at: datetime
    version_number: int | None = None
    if_missed: IfMissed = "run"
    late_limit_seconds: int | None = None
    wall: WallTime | None = None


class _Pin(NamedTuple):
    """The version that an action publishes, and whether it may by virtue of an approval alone."""

    version_id: int | None
    rests_on_approval: bool


def create(
    session: Session,
    actor: Actor,
    content_id: int,
    revisions: Collection[int] | None,
    plan: SchedulePlan,
    *,
    is_judged: bool = True,
) -> int:
    """Schedule an item and return the schedule's id.

    A publish pins a version (the newest, unless a number is given) and renders it now, so that its
    moment finds it ready. A moment that has passed is due at once. Raises NotFoundError,
    StaleRevisionError, ConflictError for an item that is put aside, and IncompleteError, so that no
    schedule fires what is not complete. The item's timeline is judged with it, and ConflictError
    says what could not happen at its place; what puts an earlier timeline back is not judged.
    """
    item = content.lock_for_change(session, actor, content_id, revisions)
    require_planning(actor, item, plan.action)
    number, is_release = plan.version_number or item.version, plan.action == "publish"
    facts = lifecycle.require_move(
        session, actor, item, Move.SCHEDULE, number=number, is_release=is_release
    )
    if is_judged:
        before = timelines.open_actions(session, content_id)
        added = Action(plan.action, plan.due_at, number if is_release else None)
        timelines.require_possible(session, item, before, [*before, added])
    version_id = _pin(session, actor, item, number, facts) if is_release else None
    pin = _Pin(version_id, is_release and facts.needs_approval)
    schedule_id = _insert(session, actor, content_id, pin, plan)
    if pin.rests_on_approval:
        review_states.rest_upon_approval(session, content_id, number, schedule_id)
    activity.record(
        session, actor.user_id, "schedule.create", "content", content_id,
        schedule_id=schedule_id, due_at=plan.due_at.isoformat(), plan=plan.action,
    )  # fmt: skip
    wake_dispatcher(session)
    return schedule_id


def _insert(session: Session, actor: Actor, content_id: int, pin: _Pin, plan: SchedulePlan) -> int:
    schedule_id: int | None = session.scalar(
        insert(Schedule)
        .values(
            content_id=content_id,
            version_id=pin.version_id,
            rests_on_approval=pin.rests_on_approval,
            action=plan.action,
            due_at=plan.due_at,
            if_missed=plan.if_missed,
            late_limit_seconds=plan.late_limit_seconds,
            **wall_columns(plan.wall),
            pinned_at=func.clock_timestamp(),
            created_by_id=actor.user_id,
            request_id=get_contextvars().get("request_id"),
        )
        .on_conflict_do_nothing(
            index_elements=["content_id", "due_at"],
            index_where=text("state IN ('pending', 'handed', 'waiting')"),
        )
        .returning(Schedule.id)
    )
    if schedule_id is None:
        raise ConflictError("The item has a schedule for that very moment; choose another one.")
    return schedule_id


def change(
    session: Session,
    actor: Actor,
    schedule_id: int,
    revisions: Collection[int] | None,
    changes: dict[str, Any],
    *,
    is_judged: bool = True,
) -> None:
    """Change `due_at`, `if_missed`, `late_limit_seconds` or the pinned `version_number` of a
    pending schedule; with `due_at` goes the `wall` time that it is of, if it is of one.

    Authors change only what they planned themselves, while its version is approved. Raises
    NotFoundError, ForbiddenError, StaleRevisionError, and ConflictError once it is no longer
    pending, and where the item's timeline would then hold what cannot happen.
    """
    item, schedule = lock_open(session, actor, schedule_id, revisions, ("pending",))
    if is_judged:
        judge_change(session, item, schedule, changes)
    if schedule.action == "publish":
        lifecycle.require_telling(actor)
    require_pinned(session, actor, item, schedule)
    kept = ("due_at", "if_missed", "late_limit_seconds")
    values: dict[str, Any] = {name: changes[name] for name in kept if name in changes}
    if "due_at" in changes:
        values |= wall_columns(changes.get("wall"))
    if changes.get("version_number") is not None:
        values |= _pin_anew(session, actor, item, schedule, changes["version_number"])
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


def _pin_anew(
    session: Session, actor: Actor, item: Content, schedule: Schedule, number: int
) -> dict[str, Any]:
    """Return what another version changes in a schedule of a locked item."""
    if schedule.action != "publish":
        raise ConflictError(f"A schedule to {schedule.action} pins no version.")
    facts = lifecycle.require_approval(session, actor, item, number)
    version_id = _pin(session, actor, item, number, facts)
    if facts.needs_approval:
        review_states.rest_upon_approval(session, item.id, number, schedule.id)
    return {
        "version_id": version_id,
        "rests_on_approval": facts.needs_approval,
        "pinned_at": func.clock_timestamp(),
    }


def judge_change(
    session: Session, item: Content, schedule: Schedule, changes: dict[str, Any]
) -> None:
    """Raise ConflictError where a change of a schedule makes something of its timeline impossible.

    One that waited is counted on from then on.
    """
    if not changes.keys() & {"due_at", "version_number"}:
        return
    before = timelines.open_actions(session, item.id)
    after = []
    for action in before:
        if (action.of, action.id) == ("schedule", schedule.id):
            number = changes.get("version_number") if action.kind == "publish" else None
            due_at = changes.get("due_at", action.due_at)
            number = number or action.number
            after.append(replace(action, due_at=due_at, number=number, is_waiting=False))
        else:
            after.append(action)
    timelines.require_possible(session, item, before, after)


def wall_columns(wall: WallTime | None) -> dict[str, Any]:
    """Return the columns that keep the wall time that an instant is of, if it is of one."""
    if wall is None:
        return dict.fromkeys(("local_time", "zone", "fold", "zone_rules"))
    return {
        "local_time": wall.time, "zone": wall.zone, "fold": wall.fold, "zone_rules": wall.rules
    }  # fmt: skip


def _settled(schedule: Schedule) -> dict[str, Any]:
    return {
        "due_at": schedule.due_at.isoformat(),
        "if_missed": schedule.if_missed,
        "late_limit_seconds": schedule.late_limit_seconds,
        "version_id": schedule.version_id,
    }


def cancel(
    session: Session,
    actor: Actor,
    schedule_id: int,
    revisions: Collection[int] | None,
    *,
    and_following: bool = False,
    is_judged: bool = True,
) -> None:
    """Cancel a schedule that has not fired. Raises as `change` does.

    One that is handed over already can still be cancelled: whoever locks the item first, the
    firing or the cancelling, decides. Where others rest upon it, such as the end of what it would
    publish, they are cancelled with it if `and_following`, and else ConflictError names the first.
    """
    states = ("pending", "handed", "waiting")
    item, schedule = lock_open(session, actor, schedule_id, revisions, states)
    cancelled = [schedule]
    if is_judged:
        cancelled += _resting_upon(session, actor, item, schedule_id, may_go=and_following)
    for one in cancelled:
        one.state = "cancelled"
        one.revision += 1
        one.updated_at = func.clock_timestamp()
        session.flush()
        activity.record(
            session, actor.user_id, "schedule.cancel", "content", one.content_id,
            schedule_id=one.id,
        )  # fmt: skip


def _resting_upon(
    session: Session, actor: Actor, item: Content, schedule_id: int, *, may_go: bool
) -> list[Schedule]:
    """Return the schedules of a locked item that could not happen without one, for a change.

    Raises ConflictError where they may not go with it, and ForbiddenError for those of others.
    """
    actions = timelines.open_actions(session, item.id)
    gone = next(one for one in actions if (one.of, one.id) == ("schedule", schedule_id))
    fallen = resting_upon(timelines.place_of(session, item), actions, gone)
    bound = next((one for one in fallen if one.of != "schedule"), None)
    if fallen and (bound is not None or not may_go):
        first = bound or fallen[0]
        advice = "" if bound else ", or send ?and_following=true to cancel both"
        raise ConflictError(f"Without it {first} would come to nothing; cancel that first{advice}.")
    ids = [one.id for one in fallen if one.id is not None]
    if not ids:
        return []
    rows = session.scalars(
        select(Schedule)
        .where(is_one_of(Schedule.id, ids))
        .order_by(Schedule.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        _require_changing(actor, item, row)
    return list(rows)


def _pin(session: Session, actor: Actor, item: Content, number: int, facts: Facts) -> int:
    version = versions.get_version(session, item.id, number)
    require_ready(session, actor, version)
    version = naming.claim_name(
        session, actor, item, version, may_renumber=not facts.needs_approval
    )
    ensure_renderings(session, [version.id])
    return version.id


def require_planning(actor: Actor, item: Content, action: str) -> None:
    """Raise ForbiddenError unless the actor may plan this; a publication tells the followers."""
    if action == "publish":
        lifecycle.require_right(actor, item, Move.SCHEDULE)
        lifecycle.require_telling(actor)
    else:
        actor.require(Permission.SCHEDULE_MANAGE)
    if action == "archive":
        lifecycle.require_right(actor, item, Move.ARCHIVE)


def require_pinned(session: Session, actor: Actor, item: Content, schedule: Schedule) -> None:
    """Raise ForbiddenError unless an author may publish the version that a schedule pins.

    An editor may have pinned another one since, which has no approval.
    """
    if not actor.may(Permission.SCHEDULE_MANAGE):
        pinned = get(session, actor, schedule.id).version_number or item.version
        lifecycle.require_approval(session, actor, item, pinned)


def lock_open(
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
