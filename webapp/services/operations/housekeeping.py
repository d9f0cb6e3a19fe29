"""Periodic work: which slot is due, and what has outlived its use."""

from typing import Any, cast

from sqlalchemy import CursorResult, text
from sqlalchemy.orm import Session

from webapp.jobs.messages import PruneTable
from webapp.jobs.outbox import enqueue

ROWS_A_BATCH = 5_000
HEARTBEAT = "dispatcher.heartbeat"
HEARTBEAT_SECONDS = 5

# What may be deleted, and after how long. Jobs are pruned by two conditions, because each has its
# own index.
_OUTLIVED = {
    "jobs": "state = 'done' AND finished_at < now() - interval '7 days'",
    "discarded_jobs": "state = 'discarded' AND finished_at < now() - interval '7 days'",
    "ticks": "slot < now() - interval '1 day'",
    "idempotency_keys": "created_at < now() - interval '1 day'",
    "access_tokens": "expires_at < now() - interval '30 days'",
    "password_reset_tokens": "expires_at < now() - interval '7 days'",
}

_TABLES = {"discarded_jobs": "jobs"}

PRUNED_TABLES = tuple(_OUTLIVED)
PRUNE_EVERY_SECONDS = 3600

_TICK = text(
    """
    INSERT INTO ticks (task, slot)
    SELECT :task, to_timestamp(floor(extract(epoch FROM clock_timestamp()) / :seconds) * :seconds)
    ON CONFLICT DO NOTHING RETURNING slot
    """
)


def write_heartbeat(session: Session) -> None:
    """Note that a dispatcher is alive, once for each slot of `HEARTBEAT_SECONDS`."""
    session.execute(_TICK, {"task": HEARTBEAT, "seconds": HEARTBEAT_SECONDS})


def write_due_prunes(session: Session) -> int:
    """Write the pruning jobs whose hour has begun; the key lets one dispatcher win each slot."""
    written = 0
    for table in PRUNED_TABLES:
        tick = {"task": f"table.prune:{table}", "seconds": PRUNE_EVERY_SECONDS}
        if session.execute(_TICK, tick).one_or_none() is not None:
            enqueue(session, PruneTable(table=table))
            written += 1
    return written


def prune(session: Session, table: str) -> int:
    """Delete one batch of what has outlived its use and return how many rows went.

    Raises KeyError for a table that is not to be pruned.
    """
    condition, table = _OUTLIVED[table], _TABLES.get(table, table)
    statement = text(
        f"DELETE FROM {table} WHERE ctid = ANY (ARRAY("  # noqa: S608 - both parts stand above
        f"SELECT ctid FROM {table} WHERE {condition} LIMIT {ROWS_A_BATCH}))"
    )
    return cast(CursorResult[Any], session.execute(statement)).rowcount
