"""What operators do with brakes: pause jobs, let them go on, and leave a trace of both."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Select, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp.jobs import pauses
from webapp.jobs.outbox import wake_dispatcher
from webapp.jobs.pauses import Brakes, Ending, Pause, Scope
from webapp.models import Event, JobPause
from webapp.services import activity
from webapp.services.errors import ConflictError, InvalidInputError, NotFoundError

log = structlog.get_logger()


@dataclass(frozen=True)
class Setting:
    """A pause as it is now, and whether it changed one that was there."""

    pause: Pause
    is_changed: bool


def pause_jobs(
    session: Session,
    scope: Scope,
    target: str,
    *,
    reason: str,
    paused_by: str,
    ends_at: datetime | None = None,
) -> Setting:
    """Pause a queue, a kind or the jobs of an event until `ends_at`, or without an end.

    Of two who pause the same, the later one's reason and end stand. Raises NotFoundError for an
    event that does not exist, and InvalidInputError for an end that has passed.
    """
    _check_end(session, ends_at)
    if scope is Scope.EVENT and session.get(Event, int(target)) is None:
        raise NotFoundError(f"There is no event {target}.")
    values = {"reason": reason, "paused_by": paused_by, "ends_at": ends_at}
    row, was_there = _insert_or_lock(session, scope, target, values)
    is_changed = was_there and bool(
        session.scalar(select(pauses.IS_ACTIVE).where(JobPause.id == row.id))
    )
    if was_there:
        for name, value in values.items():
            setattr(row, name, value)
        if not is_changed:
            row.created_at = session.scalars(select(func.clock_timestamp())).one()
        session.flush()
    pause = pauses.as_pause(row)
    _tell(session, "job_pause.change" if is_changed else "job_pause.set", pause, paused_by)
    wake_dispatcher(session)
    return Setting(pause, is_changed)


def resume_jobs(session: Session, scope: Scope, target: str, *, resumed_by: str) -> Pause:
    """Let a pause end now. Its jobs are made ready by a dispatcher, which is woken for it.

    Raises ConflictError where there is none.
    """
    row = session.scalar(_row_of(scope, target).where(pauses.IS_ACTIVE).with_for_update())
    if row is None:
        raise ConflictError(f"{scope.value.capitalize()} {target} is not paused.")
    pause = pauses.as_pause(row)
    row.ends_at = session.scalars(select(func.clock_timestamp())).one()
    session.flush()
    _tell(session, "job_pause.lift", pause, resumed_by)
    wake_dispatcher(session)
    return pause


def release_ended(session: Session) -> Ending | None:
    """Make ready what an ended pause held, and say so where that was all; see `jobs.pauses`."""
    ending = pauses.release_ended(session)
    if ending is not None and ending.is_over:
        _tell(session, "job_pause.end", ending.pause, None)
    return ending


def log_changes(before: Brakes, now: Brakes) -> None:
    """Log which pauses a dispatcher has begun or ceased to obey."""
    for pause in set(now.pauses) - set(before.pauses):
        log.warning("dispatcher.paused", **_told(pause))
    still = {pause.id for pause in now.pauses}
    for pause in before.pauses:
        if pause.id not in still:
            log.warning("dispatcher.resumed", **_told(pause))


def _check_end(session: Session, ends_at: datetime | None) -> None:
    if ends_at is None:
        return
    if not session.scalar(select(literal(ends_at) > func.clock_timestamp())):
        raise InvalidInputError("until", "lies in the past")


def _row_of(scope: Scope, target: str) -> Select[JobPause]:
    statement = select(JobPause).where(JobPause.scope == scope.value, JobPause.target == target)
    return statement.execution_options(populate_existing=True)


def _insert_or_lock(
    session: Session, scope: Scope, target: str, values: Mapping[str, object]
) -> tuple[JobPause, bool]:
    """Return the row of a target, and whether it was there; its lock is held in either case.

    One that is there may go before it is locked, because its jobs are all ready again; then it is
    inserted after all.
    """
    statement = (
        insert(JobPause)
        .values(scope=scope.value, target=target, **values)
        .on_conflict_do_nothing(index_elements=["scope", "target"])
        .returning(JobPause)
    )
    while True:
        made = session.scalar(statement)
        if made is not None:
            return made, False
        found = session.scalar(_row_of(scope, target).with_for_update())
        if found is not None:
            return found, True


def _tell(session: Session, action: str, pause: Pause, who: str | None) -> None:
    told: dict[str, Any] = {**_told(pause), "by": who}
    log.info(action, **told)
    activity.record(session, None, action, "job_pause", pause.id, **told)


def _told(pause: Pause) -> dict[str, str | None]:
    return {
        "scope": pause.scope.value,
        "target": pause.target,
        "reason": pause.reason,
        "paused_by": pause.paused_by,
        "ends_at": None if pause.ends_at is None else pause.ends_at.isoformat(),
    }
