"""From a recurrence to schedules: its next moments are written down, and each is planned in time.

Whoever does it has the locks of the item and of the recurrence, in this order. It may be done any
number of times: a moment has one row, by the wall time that the rule says, and is decided once.
"""

from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import and_, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp.kit.recurrence_rules import (
    InFold,
    InGap,
    WallMoment,
    WallRule,
    last_moment,
    list_moments,
)
from webapp.kit.zones import zone_named
from webapp.models import Content, Occurrence, Recurrence
from webapp.services.accounts.actors import Actor
from webapp.services.accounts.left_work import find_maker, under_settings
from webapp.services.errors import ServiceError, UnavailableError
from webapp.services.publishing import schedules
from webapp.services.publishing.recurrence_choices import NothingToPublishError, choose_version
from webapp.services.publishing.schedules import SchedulePlan
from webapp.settings import Settings

MOST_AHEAD = 5
LONGEST_AHEAD = timedelta(days=30)
LEAST_LEAD = timedelta(hours=1)
AFTER_REHEARSAL = timedelta(minutes=15)
LOOKS_AGAIN_AFTER = timedelta(days=1)
TRIES_AGAIN_AFTER = timedelta(minutes=1)
SHORTEST_SLEEP_SECONDS = 1.0

NO_MAKER = (
    "Whoever answers for the recurrence cannot do it any more; an editor who changes it takes over."
)
MISSED = "The moment had passed before it could be planned, and a later one came."
IT_IS_LATE = "The moment had passed before it could be planned."
OVER = "Its rule has no more moments."


def lead_of(settings: Settings) -> timedelta:
    """Return how long before its moment a schedule is made, so that it can still be rehearsed."""
    return max(LEAST_LEAD, timedelta(minutes=settings.rehearse_minutes) + AFTER_REHEARSAL)


def rule_of(recurrence: Recurrence) -> WallRule:
    """Return the rule of a recurrence. Raises UnknownZoneError for a zone that IANA took away."""
    return WallRule(
        recurrence.rule,
        zone_named(recurrence.zone),
        recurrence.start,
        cast(InGap, recurrence.in_gap),
        cast(InFold, recurrence.in_fold),
        recurrence.until,
        recurrence.count,
    )


def plan(session: Session, recurrence_id: int, settings: Settings) -> float | None:
    """Write down what comes of a recurrence, plan what is near, and say in how many seconds again.

    None where there is nothing more to do: it is paused, has ended, or is gone.
    """
    recurrence = lock(session, recurrence_id)
    if recurrence is None or recurrence.state != "active":
        return None
    now: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    coming = write_coming(session, recurrence, now)
    horizon = now + lead_of(settings)
    _decide(session, recurrence, settings, now, horizon)
    waiting = session.scalar(
        select(func.min(Occurrence.due_at)).where(
            Occurrence.recurrence_id == recurrence_id,
            Occurrence.schedule_id.is_(None),
            Occurrence.skipped.is_(None),
        )
    )
    if waiting is None and coming is None:
        recurrence.state, recurrence.ended_because = "ended", OVER
        recurrence.revision += 1
        recurrence.updated_at = func.clock_timestamp()
        session.flush()
        return None
    wakes_at = now + LOOKS_AGAIN_AFTER
    if waiting is not None:
        # What is near and undecided all the same waits for the renderer.
        is_near = waiting <= horizon
        next_try = now + TRIES_AGAIN_AFTER if is_near else waiting - lead_of(settings)
        wakes_at = min(wakes_at, next_try)
    elif coming is not None:
        wakes_at = min(wakes_at, coming.at)
    return max((wakes_at - now).total_seconds(), SHORTEST_SLEEP_SECONDS)


def lock(session: Session, recurrence_id: int) -> Recurrence | None:
    """Lock the item of a recurrence and then the recurrence; None where it is gone."""
    content_id = session.scalar(select(Recurrence.content_id).where(Recurrence.id == recurrence_id))
    session.execute(select(Content.id).where(Content.id == content_id).with_for_update())
    return session.scalars(
        select(Recurrence)
        .where(Recurrence.id == recurrence_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def write_coming(session: Session, recurrence: Recurrence, now: datetime) -> WallMoment | None:
    """Write the next moments down, and the last that passed unseen; return the very next, if any.

    There are `MOST_AHEAD` at most, and none is further away than `LONGEST_AHEAD`.
    """
    rule = rule_of(recurrence)
    coming = list_moments(rule, after=now, before=datetime.max.replace(tzinfo=now.tzinfo),
                          most=MOST_AHEAD)  # fmt: skip
    near = [moment for moment in coming if moment.at <= now + LONGEST_AHEAD]
    if recurrence.planned_until is not None:
        passed = last_moment(rule, after=recurrence.planned_until, until=now)
        near += [] if passed is None else [passed]
    if near:
        row = insert(Occurrence)
        # Where the rules of the zone have changed since, the wall time stays and the instant moves.
        is_undecided = and_(Occurrence.schedule_id.is_(None), Occurrence.skipped.is_(None))
        session.execute(
            row.on_conflict_do_update(
                index_elements=["recurrence_id", "local_time"],
                set_={"due_at": row.excluded.due_at},
                where=and_(is_undecided, Occurrence.due_at != row.excluded.due_at),
            ),
            [
                {
                    "recurrence_id": recurrence.id,
                    "local_time": moment.local_time,
                    "due_at": moment.at,
                }
                for moment in near
            ],
        )
    recurrence.planned_until = max([now, *(moment.at for moment in near)])
    session.flush()
    return coming[0] if coming else None


def _decide(
    session: Session, recurrence: Recurrence, settings: Settings, now: datetime, horizon: datetime
) -> None:
    """Make a schedule for each moment that is near, or say why there is none."""
    undecided = session.scalars(
        select(Occurrence)
        .where(
            Occurrence.recurrence_id == recurrence.id,
            Occurrence.schedule_id.is_(None),
            Occurrence.skipped.is_(None),
            Occurrence.due_at <= horizon,
        )
        .order_by(Occurrence.due_at)
    ).all()
    actor = _maker(session, recurrence, settings) if undecided else None
    passed = [occurrence for occurrence in undecided if occurrence.due_at <= now]
    for occurrence in undecided:
        is_late = occurrence.due_at <= now
        if is_late and recurrence.if_missed == "skip":
            occurrence.skipped = IT_IS_LATE
        elif is_late and occurrence is not passed[-1]:
            occurrence.skipped = MISSED
        elif actor is None:
            occurrence.skipped = NO_MAKER
        else:
            _make(session, recurrence, occurrence, actor)
    session.flush()


def _maker(session: Session, recurrence: Recurrence, settings: Settings) -> Actor | None:
    """Return who answers for a recurrence, by the rights of now; None where nobody does."""
    if recurrence.made_by_id is None:
        return None
    actor = find_maker(session, recurrence.made_by_id, None)
    return None if actor is None else under_settings(actor, settings)


def _make(session: Session, recurrence: Recurrence, occurrence: Occurrence, actor: Actor) -> None:
    """Plan one moment as its maker would, or keep the reason why they could not.

    While there is no renderer to be had it stays undecided.
    """
    try:
        with session.begin_nested():
            is_release = recurrence.action == "publish"
            wanted = SchedulePlan(
                cast(Any, recurrence.action),
                occurrence.due_at,
                choose_version(session, recurrence) if is_release else None,
                cast(Any, recurrence.if_missed),
            )
            occurrence.schedule_id = schedules.create(
                session, actor, recurrence.content_id, None, wanted
            )
    except UnavailableError:
        return
    except (ServiceError, NothingToPublishError) as refusal:
        occurrence.skipped = str(refusal)


def forget_coming(session: Session, recurrence: Recurrence) -> list[int]:
    """Forget the moments to come of a locked recurrence; return the schedules made for them."""
    gone = session.execute(
        delete(Occurrence)
        .where(
            Occurrence.recurrence_id == recurrence.id, Occurrence.due_at > func.clock_timestamp()
        )
        .returning(Occurrence.schedule_id)
        .execution_options(synchronize_session=False)
    )
    return sorted(row.schedule_id for row in gone if row.schedule_id is not None)
