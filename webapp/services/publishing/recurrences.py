"""Recurrences of an item: made, shown before they are made, listed, changed and ended."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from webapp.jobs.messages import PlanRecurrence
from webapp.jobs.outbox import enqueue_anew
from webapp.kit.lifecycle import Move
from webapp.kit.permissions import Permission
from webapp.kit.recurrence_rules import WallMoment, list_moments
from webapp.models import Content, Occurrence, Recurrence, Schedule, User
from webapp.models.arrays import is_one_of
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, item_reads, lifecycle
from webapp.services.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    QuotaError,
    StaleRevisionError,
)
from webapp.services.publishing import recurrence_planning, schedules

MOST_SHOWN = 10
MOST_OF_ONE_ITEM = 20
NO_MOMENT = "has no moment to come within ten years of its start"
ENDED_BY_HAND = "It was ended."


@dataclass(frozen=True)
class RecurrencePlan:
    """What recurs, by which rule, and what becomes of times that clocks leave out or show twice."""

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


@dataclass(frozen=True)
class RecurrenceView:
    """A recurrence, and who answers for it."""

    recurrence: Recurrence
    made_by_name: str | None
    next_at: datetime | None


@dataclass(frozen=True)
class PastOccurrence:
    """What came of one moment."""

    local_time: datetime
    at: datetime
    schedule_id: int | None
    state: str
    reason: str | None


def create(
    session: Session,
    actor: Actor,
    content_id: int,
    revisions: Collection[int] | None,
    wanted: RecurrencePlan,
    *,
    is_trial: bool = False,
) -> tuple[int | None, list[WallMoment]]:
    """Make a recurrence of an item and return its id with its next moments.

    A trial writes nothing. Raises NotFoundError, ForbiddenError, StaleRevisionError,
    InvalidInputError for a rule without a moment to come, ConflictError for an item that is put
    aside, and QuotaError beyond `MOST_OF_ONE_ITEM`.
    """
    item = content.lock_for_change(session, actor, content_id, revisions)
    _require_planning(actor, item, wanted.action)
    lifecycle.require_move(session, actor, item, Move.PREVIEW)
    recurrence = Recurrence(content_id=content_id, made_by_id=actor.user_id, **vars(wanted))
    _require_start(session, recurrence)
    coming = _require_moments(session, recurrence)
    if is_trial:
        return None, coming
    going_on = select(Recurrence.id).where(
        Recurrence.content_id == content_id, Recurrence.state != "ended"
    )
    if len(session.scalars(going_on.limit(MOST_OF_ONE_ITEM)).all()) == MOST_OF_ONE_ITEM:
        raise QuotaError(f"The item has {MOST_OF_ONE_ITEM} recurrences; end one of them.")
    session.add(recurrence)
    session.flush()
    _go_on(session, recurrence)
    activity.record(
        session, actor.user_id, "recurrence.create", "content", content_id,
        recurrence_id=recurrence.id, plan=wanted.action, rule=wanted.rule, zone=wanted.zone,
    )  # fmt: skip
    return recurrence.id, coming


def list_for_content(
    session: Session, actor: Actor, content_id: int, *, below: int | None, limit: int
) -> list[RecurrenceView]:
    """Return the recurrences of an item, newest first. Raises NotFoundError."""
    item_reads.require_item(session, actor, content_id)
    statement = _views().where(Recurrence.content_id == content_id)
    if below is not None:
        statement = statement.where(Recurrence.id < below)
    rows = session.execute(statement.order_by(Recurrence.id.desc()).limit(limit))
    return [RecurrenceView(*row) for row in rows]


def get(session: Session, actor: Actor, content_id: int, recurrence_id: int) -> RecurrenceView:
    """Return one recurrence of an item that the actor may see. Raises NotFoundError."""
    item_reads.require_item(session, actor, content_id)
    row = session.execute(
        _views().where(Recurrence.id == recurrence_id, Recurrence.content_id == content_id)
    ).one_or_none()
    if row is None:
        raise NotFoundError("The item has no such recurrence.")
    return RecurrenceView(*row)


def next_moments(session: Session, recurrence: Recurrence) -> list[WallMoment]:
    """Return the next moments of a recurrence that goes on."""
    if recurrence.state == "ended":
        return []
    now: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    rule = recurrence_planning.rule_of(recurrence)
    return list_moments(rule, after=now, before=datetime.max.replace(tzinfo=UTC), most=MOST_SHOWN)


def list_past(session: Session, recurrence_id: int) -> list[PastOccurrence]:
    """Return what came of the last moments that were planned or skipped, newest first."""
    rows = session.execute(
        select(
            Occurrence.local_time, Occurrence.due_at, Occurrence.schedule_id,
            func.coalesce(Schedule.state, "skipped"),
            func.coalesce(Occurrence.skipped, Schedule.failure),
        )
        .outerjoin(Schedule, Schedule.id == Occurrence.schedule_id)
        .where(
            Occurrence.recurrence_id == recurrence_id,
            (Occurrence.schedule_id.is_not(None)) | (Occurrence.skipped.is_not(None)),
        )
        .order_by(Occurrence.local_time.desc())
        .limit(MOST_SHOWN)
    )  # fmt: skip
    return [PastOccurrence(*row) for row in rows]


def change(
    session: Session,
    actor: Actor,
    content_id: int,
    recurrence_id: int,
    revisions: Collection[int] | None,
    changes: Mapping[str, Any],
) -> None:
    """Change a recurrence, pause it or let it go on; who does so answers for it from now on.

    The schedules that were made for moments to come are cancelled, and made anew where it goes on.
    Raises NotFoundError, ForbiddenError, StaleRevisionError, InvalidInputError, and ConflictError
    for one that has ended.
    """
    recurrence = _lock_for_change(session, actor, content_id, recurrence_id, revisions)
    if recurrence.state == "ended":
        raise ConflictError("The recurrence has ended; make another one.")
    before = _settled(recurrence)
    for name, value in changes.items():
        setattr(recurrence, name, value)
    if "start" in changes:
        # Also of one that is paused: what it would do is shown all the same.
        _require_start(session, recurrence)
    recurrence.made_by_id = actor.user_id
    _cancel_coming(session, actor, recurrence)
    if recurrence.state == "active":
        _require_moments(session, recurrence)
        _go_on(session, recurrence)
    _count_up(session, recurrence)
    activity.record(
        session, actor.user_id, "recurrence.edit", "content", content_id,
        changes=activity.difference(before, _settled(recurrence)), recurrence_id=recurrence_id,
    )  # fmt: skip


def end(
    session: Session,
    actor: Actor,
    content_id: int,
    recurrence_id: int,
    revisions: Collection[int] | None,
) -> None:
    """End a recurrence, and cancel the schedules that were made for moments to come.

    One that has ended stays as it is. Raises as `change` does.
    """
    recurrence = _lock_for_change(session, actor, content_id, recurrence_id, revisions)
    if recurrence.state == "ended":
        return
    recurrence.state, recurrence.ended_because = "ended", ENDED_BY_HAND
    _cancel_coming(session, actor, recurrence)
    _count_up(session, recurrence)
    activity.record(
        session, actor.user_id, "recurrence.end", "content", content_id,
        recurrence_id=recurrence_id,
    )  # fmt: skip


def _lock_for_change(
    session: Session,
    actor: Actor,
    content_id: int,
    recurrence_id: int,
    revisions: Collection[int] | None,
) -> Recurrence:
    item = content.lock_for_change(session, actor, content_id, None)
    recurrence = session.scalars(
        select(Recurrence)
        .where(Recurrence.id == recurrence_id, Recurrence.content_id == content_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if recurrence is None:
        raise NotFoundError("The item has no such recurrence.")
    if recurrence.made_by_id != actor.user_id:
        actor.require(Permission.SCHEDULE_MANAGE)
    _require_planning(actor, item, recurrence.action)
    if revisions is not None and recurrence.revision not in revisions:
        raise StaleRevisionError("The recurrence has changed since you read it; read it again.")
    return recurrence


def _require_planning(actor: Actor, item: Content, action: str) -> None:
    """Raise ForbiddenError unless the actor may plan this by hand, time after time."""
    actor.require(Permission.SCHEDULE_RECUR)
    if action == "publish":
        lifecycle.require_right(actor, item, Move.SCHEDULE)
        lifecycle.require_telling(actor)
    else:
        actor.require(Permission.SCHEDULE_MANAGE)


def _require_start(session: Session, recurrence: Recurrence) -> None:
    """Raise InvalidInputError for a start far away. One that has gone on for years has its own."""
    now: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    earliest, latest = (now + timedelta(days=days) for days in (-366, 3_653))
    if not earliest < recurrence.start.replace(tzinfo=UTC) < latest:
        raise InvalidInputError("start", "must be within the last year or the next ten years")


def _require_moments(session: Session, recurrence: Recurrence) -> list[WallMoment]:
    now: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    rule = recurrence_planning.rule_of(recurrence)
    ever = datetime.max.replace(tzinfo=UTC)
    coming = list_moments(rule, after=now, before=ever, most=MOST_SHOWN)
    if not coming:
        raise InvalidInputError("rule", NO_MOMENT)
    return coming


def _go_on(session: Session, recurrence: Recurrence) -> None:
    """Let what comes be planned; what has passed until now is no moment of it any more."""
    recurrence.planned_until = func.clock_timestamp()
    enqueue_anew(session, PlanRecurrence(recurrence_id=recurrence.id))
    session.flush()


def _cancel_coming(session: Session, actor: Actor, recurrence: Recurrence) -> None:
    ids = recurrence_planning.forget_coming(session, recurrence)
    still_open = select(Schedule.id).where(
        is_one_of(Schedule.id, ids), Schedule.state.in_(["pending", "handed", "waiting"])
    )
    for schedule_id in session.scalars(still_open.order_by(Schedule.id)).all():
        schedules.cancel(session, actor, schedule_id, None)


def _count_up(session: Session, recurrence: Recurrence) -> None:
    recurrence.revision += 1
    recurrence.updated_at = func.clock_timestamp()
    session.flush()


def _settled(recurrence: Recurrence) -> dict[str, Any]:
    return {
        "which": recurrence.which,
        "rule": recurrence.rule,
        "zone": recurrence.zone,
        "start": recurrence.start.isoformat(),
        "in_gap": recurrence.in_gap,
        "in_fold": recurrence.in_fold,
        "if_missed": recurrence.if_missed,
        "until": None if recurrence.until is None else recurrence.until.isoformat(),
        "count": recurrence.count,
        "state": recurrence.state,
    }


def _views() -> Select[Recurrence, str, datetime]:
    following = (
        select(func.min(Occurrence.due_at))
        .where(
            Occurrence.recurrence_id == Recurrence.id,
            Occurrence.due_at > func.statement_timestamp(),
        )
        .scalar_subquery()
    )
    return select(Recurrence, User.display_name, following).outerjoin(
        User, User.id == Recurrence.made_by_id
    )
