"""Periodic cleaning."""

import time

import structlog
from sqlalchemy.orm import Session

from webapp.jobs import leases
from webapp.jobs.messages import PruneTable, PruneVersions
from webapp.jobs.outcomes import Decline, Done, Outcome, Snooze
from webapp.services.content import version_pruning
from webapp.services.content.retention import KeepRule, Place
from webapp.services.operations import housekeeping
from workers.context import InOneTransaction, InSteps, RunningJob, WorkerContext

log = structlog.get_logger()

SECONDS_AT_A_STRETCH = 2.0


def prune_table(session: Session, context: WorkerContext, message: PruneTable) -> Outcome:
    """Delete one batch; while batches are full there is more to do."""
    if message.table not in housekeeping.PRUNED_TABLES:
        return Decline(f"This release prunes no table {message.table}.")
    has_more = housekeeping.prune(session, message.table, context.settings)
    return Snooze() if has_more else Done()


def prune_versions(job: RunningJob, message: PruneVersions) -> Outcome:
    """Let versions go for two seconds, as the settings say, then let others have their turn."""
    settings = job.context.settings
    rule = KeepRule(settings.keep_all_versions_days, settings.keep_daily_versions_days)
    stop_at = time.monotonic() + SECONDS_AT_A_STRETCH
    while True:
        with job.step() as session:
            after = Place(message.content_id, message.chain)
            pruning = version_pruning.prune(session, rule, after)
            if pruning.following is not None:
                following = pruning.following
                message = PruneVersions(content_id=following.content_id, chain=following.chain)
                leases.note_progress(session, job.claimed, message)
        if pruning.versions:
            log.info("versions.pruned", versions=sum(pruning.versions.values()),
                     items=len(pruning.versions), bytes=pruning.freed,
                     repacked=pruning.repacked, busy=len(pruning.busy))  # fmt: skip
        if pruning.following is None:
            return Done()
        if not job.goes_on(stop_at):
            return Snooze()


HANDLERS = (
    InOneTransaction(PruneTable, prune_table),
    InSteps(PruneVersions, prune_versions, may_be_cut_off=True),
)
