"""Bulk actions as jobs: batch by batch, for a short stretch at a time."""

import time

from webapp.jobs.messages import RunBulkAction
from webapp.jobs.outcomes import Done, Outcome, Snooze
from webapp.services.accounts.actors import Actor
from webapp.services.accounts.left_work import under_settings
from webapp.services.content.renderings import (
    RENDERED_AHEAD,
    RenderedTexts,
    RenderingNeededError,
)
from webapp.services.errors import ForbiddenError
from webapp.services.operations import bulk_steps
from webapp.settings import Settings
from workers.context import InSteps, RunningJob

SECONDS_AT_A_STRETCH = 2.0
SECONDS_OF_REST = 0.1


def run_bulk_action(job: RunningJob, message: RunBulkAction) -> Outcome:
    """Do batches for two seconds, then leave the queue to others for a moment."""
    stop_at = time.monotonic() + SECONDS_AT_A_STRETCH
    while not _run_batch(job, message.bulk_action_id):
        if not job.goes_on(stop_at):
            return Snooze(SECONDS_OF_REST)
    return Done()


def _run_batch(job: RunningJob, bulk_action_id: int) -> bool:
    """Do one batch in one transaction, in which no text is rendered.

    Where texts have to be, it is rolled back, they are rendered while no transaction is open, and
    it begins anew.
    """
    texts = RenderedTexts()
    while True:
        try:
            with job.step() as session:
                session.info[RENDERED_AHEAD] = texts
                return bulk_steps.run_batch(
                    session, bulk_action_id, lambda actor: _dress(actor, job.context.settings)
                )
        except RenderingNeededError:
            texts.render_needed()


def _dress(actor: Actor, settings: Settings) -> Actor:
    """Add to whoever made it what the settings say; keeps out whom the API would keep out."""
    if settings.wants_second_factor(actor.role) and not actor.has_second_factor:
        raise ForbiddenError("The role of whoever began it has to have a second factor by now.")
    if not actor.is_verified and settings.unverified_accounts in {"nothing", "read"}:
        raise ForbiddenError("The address of the account that began it is not proven.")
    return under_settings(actor, settings)


HANDLERS = (InSteps(RunBulkAction, run_bulk_action, may_be_cut_off=True),)
