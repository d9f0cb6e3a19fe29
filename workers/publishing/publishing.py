"""Schedules at their moment."""

import structlog
from sqlalchemy.orm import Session

from webapp.jobs.messages import FireSchedules
from webapp.jobs.outcomes import Done, Outcome
from webapp.services.publishing import firing, lateness
from workers.context import InOneTransaction, WorkerContext

log = structlog.get_logger()


def fire_schedules(session: Session, context: WorkerContext, message: FireSchedules) -> Outcome:
    """Carry out the schedules of a batch, and log what became of them."""
    result = firing.fire(
        session,
        message.schedule_ids,
        missed_after_seconds=context.settings.missed_schedule_seconds,
    )
    lateness.count(session, result.fired)
    log.info(
        "schedules.fired",
        fired=len(result.fired),
        postponed=len(result.postponed),
        missed=len(result.missed),
        asked=len(result.asked),
        superseded=len(result.superseded),
        failed=len(result.failed),
        latest_seconds=round(max(result.lateness_seconds, default=0.0), 3),
    )
    for schedule_id, reason in result.failed.items():
        log.error("schedule.failed", schedule_id=schedule_id, reason=reason)
    return Done()


HANDLERS = (InOneTransaction(FireSchedules, fire_schedules),)
