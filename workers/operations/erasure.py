"""Erasures as jobs: batch by batch, for a short stretch at a time."""

import time

from webapp.jobs.account_messages import EraseAccount
from webapp.jobs.outcomes import Done, Outcome, Snooze
from webapp.services.operations import erasure
from workers.context import InSteps, RunningJob

SECONDS_AT_A_STRETCH = 2.0
SECONDS_OF_REST = 0.2


def erase_account(job: RunningJob, message: EraseAccount) -> Outcome:
    """Erase what is left of an account; a kill loses one batch, which the next start does."""
    stop_at = time.monotonic() + SECONDS_AT_A_STRETCH
    while True:
        with job.step() as session:
            has_more = erasure.erase_batch(session, message.account_id)
            wait = 0.0 if has_more else erasure.end(session, message.account_id)
        if not has_more:
            return Snooze(wait) if wait > 0 else Done()
        if not job.goes_on(stop_at):
            return Snooze(SECONDS_OF_REST)


HANDLERS = (InSteps(EraseAccount, erase_account, may_be_cut_off=True),)
