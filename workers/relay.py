"""Hints for the broker: which jobs get one, and what becomes of it where the broker is away."""

import time
from collections.abc import Mapping

import structlog
from celery import Celery
from kombu.exceptions import OperationalError as BrokerError
from sqlalchemy.orm import Session

from webapp.jobs.dispatch import mark_dispatched, unmark_dispatched
from webapp.jobs.outbox import chunked
from webapp.jobs.pauses import plan_by_index
from webapp.jobs.queues import Queue
from workers.broker import RUN_JOBS, count_hints
from workers.context import WorkerContext

log = structlog.get_logger()

BROKER_ERRORS = (BrokerError, OSError)
COUNT_EVERY_SECONDS = 1.0


class Relay:
    """Sends the ids of jobs that are ready, and knows whether there is a broker to take them."""

    def __init__(self, context: WorkerContext, celery: Celery) -> None:
        """Connect nowhere yet."""
        self._context = context
        self._celery = celery
        self._is_reachable = False
        self._counted_at = 0.0

    def require_broker(self) -> None:
        """Raise one of `BROKER_ERRORS` where the broker did not answer lately and still does not.

        So nothing is taken from the table for a broker that is known to be away.
        """
        if not self._is_reachable:
            self._count()

    def lose_broker(self) -> None:
        """Note that it did not answer."""
        self._is_reachable = False

    def send(self, queue: Queue, *, by_index: bool) -> int:
        """Send hints for the jobs of a queue that have none; returns for how many.

        `by_index` says that the table may be full of jobs that a pause holds. Raises one of
        `BROKER_ERRORS`; the jobs are then as if nothing had been sent.
        """
        return self._send(queue, 2 * queue.window, by_index=by_index)

    def send_again(self, queues: list[Queue], *, by_index: bool) -> None:
        """Send hints that nobody answered again, as long as the broker holds few; once a second."""
        if time.monotonic() < self._counted_at + COUNT_EVERY_SECONDS:
            return
        hints = self._count()
        for queue in queues:
            self._send(queue, hints[queue], by_index=by_index)

    def _count(self) -> Mapping[Queue, int]:
        self._counted_at = time.monotonic()
        hints = count_hints(self._celery)
        self._is_reachable = True
        return hints

    def _send(self, queue: Queue, hints_on_broker: int, *, by_index: bool) -> int:
        with self._context.transaction() as session:
            ids = self._mark(session, queue, hints_on_broker, by_index=by_index)
        batches = list(chunked(ids, queue.jobs_per_hint))
        for sent, batch in enumerate(batches):
            try:
                self._celery.send_task(
                    RUN_JOBS, args=[list(batch)], queue=queue.value, ignore_result=True, retry=False
                )
            except BROKER_ERRORS:
                unsent = [job_id for rest in batches[sent:] for job_id in rest]
                with self._context.transaction() as session:
                    unmark_dispatched(session, unsent)
                raise
        return len(ids)

    def _mark(
        self, session: Session, queue: Queue, hints_on_broker: int, *, by_index: bool
    ) -> list[int]:
        if by_index:
            plan_by_index(session)
        redispatch_seconds = self._context.settings.redispatch_seconds
        return mark_dispatched(session, queue, redispatch_seconds, hints_on_broker=hints_on_broker)
