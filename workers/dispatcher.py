"""The dispatcher: hands due schedules and ready jobs to the broker, and writes the ticks.

Any number may run. Everything that it knows is in PostgreSQL; it may be killed at any line.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import chain, repeat
from typing import Any, TypeVar

import psycopg
import structlog
from celery import Celery
from kombu.exceptions import OperationalError as BrokerError
from sqlalchemy.orm import Session

from webapp.adapters.database_connections import open_connection
from webapp.adapters.database_errors import DATABASE_ERRORS, describe
from webapp.adapters.database_parameters import ConnectionPlan
from webapp.jobs.dispatch import mark_dispatched, unmark_dispatched
from webapp.jobs.leases import take_back_expired
from webapp.jobs.outbox import WAKE_CHANNEL, chunked
from webapp.jobs.pauses import (
    JOBS_A_BATCH,
    Brakes,
    Pause,
    plan_by_index,
    queues_of,
    read_brakes,
    set_aside,
)
from webapp.jobs.queues import Queue
from webapp.services.operations import activity_chain, brakes, housekeeping
from webapp.services.operations.activity_chain import Horizon
from webapp.services.publishing import rehearsal_slots, schedules
from workers.broker import RUN_JOBS, count_hints
from workers.context import WorkerContext

log = structlog.get_logger()

Result = TypeVar("Result")

UPKEEP_SECONDS = 1.0
SCHEDULES_CHECK_SECONDS = 60.0
PAUSE_AFTER_ERROR_SECONDS = 1.0
SHORTEST_SLEEP_SECONDS = 0.001
# Some thousands of lines a second, so that due schedules do not wait behind them.
MOST_BLOCKS_AT_ONCE = 3


class Dispatcher:
    """One dispatching process: `run` works until `stop` is called from a signal handler."""

    def __init__(
        self, context: WorkerContext, celery: Celery, listener: ConnectionPlan | None
    ) -> None:
        """Connect nowhere yet; without a plan for the connection that listens it polls alone."""
        self._context = context
        self._celery = celery
        self._listener = listener
        self._stopping = threading.Event()
        self._upkeep_at = 0.0
        self._schedules_checked_at = time.monotonic()
        self._hints_on_broker: Mapping[Queue, int] = {}
        self._brakes = Brakes((), seconds_to_next_end=None, has_ended_ones=False)
        self._still: frozenset[str] = frozenset()
        self._has_more_to_move = False
        self._horizon: Horizon | None = None

    def stop(self) -> None:
        """Ask `run` to return after the round that it is in."""
        self._stopping.set()

    def run(self) -> None:
        """Work until stopped. Whatever the database or the broker do, come back and go on."""
        log.info("dispatcher.started")
        while not self._stopping.is_set():
            try:
                with self._listening() as listener:
                    while not self._stopping.is_set():
                        self._round()
                        self._sleep(listener)
            except DATABASE_ERRORS as error:
                self._horizon = None  # The server that comes back may be another one.
                log.warning("dispatcher.database_away", error=describe(error))
                self._stopping.wait(PAUSE_AFTER_ERROR_SECONDS)
        log.info("dispatcher.stopped")

    @contextmanager
    def _listening(self) -> Iterator[psycopg.Connection[Any] | None]:
        """Hold a connection on which notifications come in, where there is a way to one."""
        if self._listener is None:
            yield None
            return
        with open_connection(self._listener) as listener:
            listener.execute(f"LISTEN {WAKE_CHANNEL}")
            yield listener

    def _round(self) -> None:
        is_upkeep_due = time.monotonic() >= self._upkeep_at
        self._obey_brakes()
        try:
            # Without a first count, as from a broker that is away, nothing can be handed out.
            if is_upkeep_due or not self._hints_on_broker:
                self._hints_on_broker = count_hints(self._celery)
            self._hand_over_due()
            for queue in Queue:
                self._relay(queue)
        except (BrokerError, OSError) as error:
            # The jobs are safe in the table, and go out when the broker is back.
            log.warning("dispatcher.broker_away", error=str(error))
            self._stopping.wait(PAUSE_AFTER_ERROR_SECONDS)
        if is_upkeep_due:
            self._upkeep_at = time.monotonic() + UPKEEP_SECONDS
            self._upkeep()

    def _hand_over_due(self) -> None:
        """Hand over all that is due, one job of it first: workers begin with it meanwhile."""
        for at_most in chain([schedules.FIRED_IN_ONE_JOB], repeat(schedules.HANDED_AT_ONCE)):
            handed = self._in_transaction(partial(schedules.hand_over_due, at_most=at_most))
            if handed:
                self._relay(Queue.PUBLISHING)
            if handed < at_most:
                return

    def _obey_brakes(self) -> None:
        """Read what is paused, and move a batch of the jobs of each pause that begins or ends.

        A queue of which more is to be set aside stands still for this round. The next one follows
        at once, and the other queues have their turn between two batches.
        """
        before, self._brakes = self._brakes, self._in_transaction(read_brakes)
        brakes.log_changes(before, self._brakes)
        still, self._has_more_to_move = set(self._brakes.queues), False
        if self._brakes.has_ended_ones:
            ending = self._in_transaction(brakes.release_ended)
            self._has_more_to_move = ending is not None and ending.released == JOBS_A_BATCH
        for pause in self._brakes.among_others:
            if self._set_aside(pause) == JOBS_A_BATCH:
                still |= queues_of(pause)
                self._has_more_to_move = True
        self._still = frozenset(still)

    def _set_aside(self, pause: Pause) -> int:
        return self._in_transaction(lambda session: set_aside(session, pause))

    def _relay(self, queue: Queue) -> None:
        if queue.value in self._still:
            return
        redispatch_seconds = self._context.settings.redispatch_seconds
        hints = self._hints_on_broker[queue]
        ids = self._in_transaction(
            lambda session: self._mark(session, queue, redispatch_seconds, hints)
        )
        batches = list(chunked(ids, queue.jobs_per_hint))
        for sent, batch in enumerate(batches):
            try:
                self._celery.send_task(
                    RUN_JOBS, args=[list(batch)], queue=queue.value, ignore_result=True, retry=False
                )
            except (BrokerError, OSError):
                unsent = [job_id for rest in batches[sent:] for job_id in rest]
                self._in_transaction(lambda session: unmark_dispatched(session, unsent))  # noqa: B023
                raise

    def _mark(
        self, session: Session, queue: Queue, redispatch_seconds: float, hints: int
    ) -> list[int]:
        if self._brakes.pauses:
            plan_by_index(session)
        return mark_dispatched(session, queue, redispatch_seconds, hints_on_broker=hints)

    def _upkeep(self) -> None:
        taken_back = self._in_transaction(take_back_expired)
        if taken_back:
            log.warning("jobs.leases_ended", jobs=taken_back)
        self._in_transaction(housekeeping.write_heartbeat)
        self._in_transaction(housekeeping.write_due_prunes)
        if self._context.settings.keep_all_versions_days:
            self._in_transaction(housekeeping.write_due_version_prune)
        self._seal_activity()
        if time.monotonic() >= self._schedules_checked_at + SCHEDULES_CHECK_SECONDS:
            self._schedules_checked_at = time.monotonic()
            minutes = self._context.settings.rehearse_minutes
            self._in_transaction(lambda session: rehearsal_slots.write_due(session, minutes))
            forgotten = self._in_transaction(schedules.take_back_forgotten)
            if forgotten:
                log.warning("schedules.taken_back", schedules=forgotten)

    def _seal_activity(self) -> None:
        """Chain what has settled of the activity log; the log line anchors the chain elsewhere."""
        for _ in range(MOST_BLOCKS_AT_ONCE):
            self._horizon, sealed = self._in_transaction(
                lambda session: activity_chain.advance(session, self._horizon)
            )
            if sealed is None:
                return
            log.info(
                "activity.sealed",
                block=sealed.number,
                lines=sealed.row_count,
                hash=sealed.hash.hex(),
            )

    def _sleep(self, listener: psycopg.Connection[Any] | None) -> None:
        """Sleep until a schedule is due, a pause ends, somebody notifies, or it is time to poll."""
        waits = [
            self._in_transaction(schedules.seconds_to_next_due),
            self._brakes.seconds_to_next_end,
            0.0 if self._has_more_to_move else None,
        ]
        soonest = min((wait for wait in waits if wait is not None), default=math.inf)
        wait = self._context.settings.dispatcher_poll_seconds
        wait = min(wait, max(soonest, SHORTEST_SLEEP_SECONDS))
        if listener is None:
            self._stopping.wait(wait)
            return
        for _ in listener.notifies(timeout=wait, stop_after=1):
            pass

    def _in_transaction(self, work: Callable[[Session], Result]) -> Result:
        with self._context.transaction() as session:
            return work(session)
