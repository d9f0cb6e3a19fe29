"""Whether this installation can do its work now."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from webapp.services.operations.housekeeping import HEARTBEAT

DISPATCHER_SILENT_AFTER_SECONDS = 30

_STATE = text(
    """
    SELECT
        ARRAY(SELECT version_num FROM alembic_version ORDER BY 1) AS revisions,
        (SELECT extract(epoch FROM clock_timestamp() - max(slot)) FROM ticks
         WHERE task = :heartbeat) AS heartbeat_age,
        (SELECT extract(epoch FROM clock_timestamp() - min(run_at)) FROM jobs
         WHERE state = 'ready' AND run_at <= clock_timestamp()) AS oldest_job_age
    """
)


@dataclass(frozen=True)
class DatabaseState:
    """What the database tells of the whole; ages are in seconds.

    `revisions` are none before the first migration, and several between a branch and its merge.
    """

    revisions: list[str]
    heartbeat_age: float | None
    oldest_job_age: float | None

    @property
    def dispatcher_is_alive(self) -> bool:
        """Say whether a dispatcher wrote its heartbeat lately."""
        age = self.heartbeat_age
        return age is not None and age < DISPATCHER_SILENT_AFTER_SECONDS


def read_state(session: Session) -> DatabaseState:
    """Return the migrations' revisions, the age of the last heartbeat and of the oldest due job."""
    row = session.execute(_STATE, {"heartbeat": HEARTBEAT}).one()
    return DatabaseState(
        revisions=list(row.revisions),
        heartbeat_age=None if row.heartbeat_age is None else float(row.heartbeat_age),
        oldest_job_age=None if row.oldest_job_age is None else max(0.0, float(row.oldest_job_age)),
    )
