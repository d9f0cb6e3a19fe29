"""Public documents follow names, batch by batch, for a short stretch at a time."""

import time

from webapp.jobs import leases
from webapp.jobs.messages import RefreshPublications
from webapp.jobs.outcomes import Done, Outcome, Snooze
from webapp.services.publishing.refresh import refresh_batch
from workers.context import InSteps, RunningJob

SECONDS_AT_A_STRETCH = 2.0


def refresh_publications(job: RunningJob, message: RefreshPublications) -> Outcome:
    """Refresh documents for two seconds, then let other jobs have their turn.

    How far it has come is in the job's row, committed with the batch: a kill loses one batch.
    """
    stop_at = time.monotonic() + SECONDS_AT_A_STRETCH
    while True:
        with job.step() as session:
            following = refresh_batch(session, message)
            if following is not None:
                leases.note_progress(session, job.claimed, following)
        if following is None:
            return Done()
        message = following
        if not job.goes_on(stop_at):
            return Snooze()


HANDLERS = (InSteps(RefreshPublications, refresh_publications, may_be_cut_off=True),)
