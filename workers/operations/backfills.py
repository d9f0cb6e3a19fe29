"""Backfills as jobs: batch by batch, for a short stretch at a time."""

import time

from webapp.jobs.messages import RunBackfill
from webapp.jobs.outcomes import Decline, Done, GiveUp, Outcome, Snooze
from webapp.services.operations import backfills
from webapp.services.operations.backfills import UnfilledRowsError
from workers.context import InSteps, RunningJob

SECONDS_AT_A_STRETCH = 2.0
SECONDS_OF_REST = 0.2


def run_backfill(job: RunningJob, message: RunBackfill) -> Outcome:
    """Do batches for two seconds, then leave the queue to others for a moment."""
    backfill = backfills.BACKFILLS.get(message.name)
    if backfill is None:
        return Decline(f"This release knows no backfill {message.name}.")
    stop_at = time.monotonic() + SECONDS_AT_A_STRETCH
    while True:
        try:
            with job.step() as session:
                is_last = backfills.run_batch(session, backfill)
        except UnfilledRowsError as error:
            return GiveUp(str(error))
        if is_last:
            return Done()
        if not job.goes_on(stop_at):
            return Snooze(SECONDS_OF_REST)


HANDLERS = (InSteps(RunBackfill, run_backfill, may_be_cut_off=True),)
