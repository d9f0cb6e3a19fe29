"""Schedules are rehearsed some minutes before their moment."""

import time

import structlog

from webapp.jobs.messages import RehearseSchedules
from webapp.jobs.outcomes import Done, Outcome, Snooze
from webapp.services.publishing import rehearsal_slots
from webapp.services.publishing.rehearsal_notices import tell_of_dangers
from webapp.services.publishing.rehearsals import Stage, rehearse
from workers.context import InSteps, RunningJob

log = structlog.get_logger()

TURN_SECONDS = 5.0


def rehearse_schedules(job: RunningJob, message: RehearseSchedules) -> Outcome:
    """Rehearse the schedules of one minute, fifty in a transaction, and tell of new errors."""
    stage, after_id = Stage.under(job.context.settings), 0
    until = time.monotonic() + TURN_SECONDS
    rehearsed = errors = 0
    while True:
        with job.step() as session:
            ids = rehearsal_slots.next_of(session, message.slot, message.minutes, after_id)
            done = rehearse(session, stage, ids)
            tell_of_dangers(session, done)
        rehearsed += len(done)
        errors += sum(bool(each.errors) for each in done)
        if len(ids) < rehearsal_slots.AT_ONCE:
            break
        after_id = ids[-1]
        if not job.goes_on(until):
            return Snooze()
    log.info("schedules.rehearsed", slot=message.slot.isoformat(), rehearsed=rehearsed,
             with_errors=errors)  # fmt: skip
    return Done()


HANDLERS = (InSteps(RehearseSchedules, rehearse_schedules, may_be_cut_off=True),)
