"""Whether this installation can do its work now."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from webapp.jobs.pauses import Pause, read_pauses
from webapp.jobs.waiting import Waiting, find_waiting
from webapp.services.operations import clocks
from webapp.services.operations.clocks import Clock
from webapp.services.operations.housekeeping import HEARTBEAT

DISPATCHER_SILENT_AFTER_SECONDS = 30

_STATE = text(
    """
    SELECT
        ARRAY(SELECT version_num FROM alembic_version ORDER BY 1) AS revisions,
        (SELECT extract(epoch FROM clock_timestamp() - max(slot)) FROM ticks
         WHERE task = :heartbeat) AS heartbeat_age
    """
)


@dataclass(frozen=True)
class DatabaseState:
    """What the database tells of the whole; ages are in seconds.

    `revisions` are none before the first migration, and several between a branch and its merge.
    """

    revisions: list[str]
    heartbeat_age: float | None

    @property
    def dispatcher_is_alive(self) -> bool:
        """Say whether a dispatcher wrote its heartbeat lately."""
        age = self.heartbeat_age
        return age is not None and age < DISPATCHER_SILENT_AFTER_SECONDS


@dataclass(frozen=True)
class JobsState:
    """What waits though it is due, what is paused, and whose clocks are off."""

    waiting: tuple[Waiting, ...] = ()
    pauses: tuple[Pause, ...] = ()
    clocks_off: tuple[Clock, ...] = ()

    @property
    def oldest_job_age(self) -> float | None:
        """Return how long the oldest due job has waited that no pause holds."""
        return max((line.seconds for line in self.waiting), default=None)


def read_state(session: Session) -> DatabaseState:
    """Return the migrations' revisions and the age of the last heartbeat."""
    row = session.execute(_STATE, {"heartbeat": HEARTBEAT}).one()
    return DatabaseState(
        revisions=list(row.revisions),
        heartbeat_age=None if row.heartbeat_age is None else float(row.heartbeat_age),
    )


def read_jobs_state(session: Session) -> JobsState:
    """Return what a process of the web sees of jobs, by a schema that is not behind this code."""
    off = (clock for clock in clocks.read_clocks(session, "web") if clock.is_off)
    return JobsState(tuple(find_waiting(session)), tuple(read_pauses(session)), tuple(off))
