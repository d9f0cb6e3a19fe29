"""Releases as jobs: their versions are prepared batch by batch, and then all go live at once."""

import time

import structlog

from webapp.jobs.messages import PrepareRelease, PublishRelease
from webapp.jobs.outcomes import Done, Outcome, Snooze
from webapp.kit.roles import RoleName
from webapp.services.accounts.actors import Actor
from webapp.services.accounts.left_work import under_settings
from webapp.services.publishing import going_live, release_preparation
from workers.context import InSteps, RunningJob

SECONDS_AT_A_STRETCH = 2.0
SECONDS_OF_REST = 0.1
NOBODY = 0

log = structlog.get_logger()


def prepare_release(job: RunningJob, message: PrepareRelease) -> Outcome:
    """Prepare versions for two seconds, then leave the queue to others for a moment."""
    return Done() if _prepare(job, message.release_id) else Snooze(SECONDS_OF_REST)


def publish_release(job: RunningJob, message: PublishRelease) -> Outcome:
    """Prepare what is left to prepare, and let the release go live in one transaction."""
    with job.step() as session:
        if not release_preparation.is_due(session, message.release_id, message.revision):
            return Done()
        release_preparation.forget_lost(session, message.release_id)
    if not _prepare(job, message.release_id):
        return Snooze()
    with job.step() as session:
        outcome = going_live.go_live(
            session,
            message.release_id,
            message.revision,
            missed_after_seconds=job.context.settings.missed_schedule_seconds,
        )
    if outcome is not None:
        tell = log.info if outcome.state == "live" else log.error
        tell(
            "release.ended",
            release_id=message.release_id,
            state=outcome.state,
            items=outcome.items,
            late_seconds=round(outcome.late_seconds, 3),
            reason=outcome.reason,
        )
    return Done()


def _prepare(job: RunningJob, release_id: int) -> bool:
    """Prepare versions for two seconds, and say whether none is left."""
    stop_at = time.monotonic() + SECONDS_AT_A_STRETCH
    settings = job.context.settings
    # It does nothing but bring the settings, which are the same for everybody.
    actor = under_settings(Actor(NOBODY, "", RoleName.EDITOR), settings)
    while True:
        with job.context.transaction() as session:
            batch = release_preparation.read_batch(session, release_id)
        rendered = release_preparation.render(batch)
        with job.step() as session:
            release_preparation.note(session, actor, batch, rendered)
        if batch.is_last:
            return True
        if not job.goes_on(stop_at):
            return False


HANDLERS = (
    InSteps(PrepareRelease, prepare_release, may_be_cut_off=True),
    InSteps(PublishRelease, publish_release, may_be_cut_off=True),
)
