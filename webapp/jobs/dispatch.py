"""Choose the jobs whose hints shall go to the broker now."""

from collections.abc import Sequence

from sqlalchemy import null, text, update
from sqlalchemy.orm import Session

from webapp.jobs.queues import Queue
from webapp.models import Job

_PICK_AND_MARK = text(
    """
    WITH outstanding AS (
        SELECT count(*) AS hints FROM (
            SELECT 1 FROM jobs
            WHERE queue = :queue AND state = 'ready' AND run_at <= statement_timestamp()
              AND dispatched_at IS NOT NULL
            LIMIT :hints_allowed
        ) AS sent
    ), fresh AS (
        SELECT id FROM jobs
        WHERE queue = :queue AND state = 'ready' AND run_at <= statement_timestamp()
          AND dispatched_at IS NULL
        ORDER BY run_at, id
        LIMIT greatest(0, :hints_allowed - (SELECT hints FROM outstanding))
        FOR UPDATE SKIP LOCKED
    ), unanswered AS (
        SELECT id FROM jobs
        WHERE queue = :queue AND state = 'ready' AND run_at <= statement_timestamp()
          AND dispatched_at < clock_timestamp() - make_interval(secs => :redispatch_seconds)
        ORDER BY run_at, id
        LIMIT :copies_allowed
        FOR UPDATE SKIP LOCKED
    )
    UPDATE jobs SET dispatched_at = clock_timestamp(), dispatches = dispatches + 1
    FROM (SELECT id FROM fresh UNION ALL SELECT id FROM unanswered) AS picked
    WHERE jobs.id = picked.id
    RETURNING jobs.id
    """
)


def mark_dispatched(
    session: Session, queue: Queue, redispatch_seconds: float, *, hints_on_broker: int
) -> list[int]:
    """Mark the ready jobs of a queue as dispatched and return their ids, oldest first.

    The caller commits before it sends the hints: a worker that meets a row still locked would take
    it for done, and the job would wait for its next hint. No more hints are out at once than the
    queue's window; the rest waits in the table. A hint that nobody answers is sent again after
    `redispatch_seconds`, the oldest first, whatever else is on the broker: it may be lost. Where it
    only waits behind others, a copy does no harm, and `hints_on_broker`, the number of messages
    that the broker holds for the queue, ends the copying at twice the window.
    """
    parameters = {
        "queue": queue.value,
        "redispatch_seconds": redispatch_seconds,
        "hints_allowed": queue.window,
        "copies_allowed": max(0, 2 * queue.window // queue.jobs_per_hint - hints_on_broker),
    }
    return sorted(session.scalars(_PICK_AND_MARK, parameters).all())


def unmark_dispatched(session: Session, job_ids: Sequence[int]) -> None:
    """Take the mark back from jobs whose hints the broker or a worker did not take.

    They are sent again at once; with the mark they would wait for their next turn.
    """
    session.execute(
        update(Job)
        .where(Job.id.in_(job_ids), Job.state == "ready", Job.dispatched_at.is_not(None))
        .values(dispatched_at=null(), dispatches=Job.dispatches - 1)
    )
