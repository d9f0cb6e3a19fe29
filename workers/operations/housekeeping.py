"""Periodic cleaning."""

from sqlalchemy.orm import Session

from webapp.jobs.messages import PruneTable
from webapp.jobs.outcomes import Decline, Done, Outcome, Snooze
from webapp.services.operations import housekeeping
from workers.context import InOneTransaction, WorkerContext


def prune_table(session: Session, context: WorkerContext, message: PruneTable) -> Outcome:
    """Delete one batch; while batches are full there is more to do."""
    if message.table not in housekeeping.PRUNED_TABLES:
        return Decline(f"This release prunes no table {message.table}.")
    has_more = housekeeping.prune(session, message.table, context.settings)
    return Snooze() if has_more else Done()


HANDLERS = (InOneTransaction(PruneTable, prune_table),)
