"""Periodic cleaning."""

from sqlalchemy.orm import Session

from webapp.jobs.messages import PruneTable
from webapp.jobs.outcomes import Done, GiveUp, Outcome, Snooze
from webapp.services.operations import housekeeping
from workers.context import InOneTransaction, WorkerContext


def prune_table(session: Session, context: WorkerContext, message: PruneTable) -> Outcome:
    """Delete one batch; while batches are full there is more to do."""
    if message.table not in housekeeping.PRUNED_TABLES:
        return GiveUp(f"{message.table} is not a table that is pruned.")
    deleted = housekeeping.prune(session, message.table, context.settings)
    return Snooze() if deleted == housekeeping.ROWS_A_BATCH else Done()


HANDLERS = (InOneTransaction(PruneTable, prune_table),)
