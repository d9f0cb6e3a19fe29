"""Choose the jobs whose hints shall go to the broker now."""

from collections.abc import Sequence

from sqlalchemy import null, text, update
from sqlalchemy.orm import Session

from webapp.jobs.messages import Queue
from webapp.models import Job

_PICK_AND_MARK = text(
    """
    WITH outstanding AS (
        SELECT count(*) AS hints FROM (
            SELECT 1 FROM jobs
            WHERE queue = :queue AND state = 'ready'
              AND dispatched_at > clock_timestamp() - make_interval(secs => :redispatch_seconds)
            LIMIT :hints_allowed
        ) AS recent
    ), picked AS (
        SELECT id FROM jobs
        WHERE queue = :queue AND state = 'ready' AND run_at <= clock_timestamp()
          AND (dispatched_at IS NULL OR dispatched_at < clock_timestamp()
               - make_interval(secs => :redispatch_seconds * power(2, least(dispatches - 1, 2))))
        ORDER BY run_at, id
        LIMIT greatest(0, :hints_allowed - (SELECT hints FROM outstanding))
        FOR UPDATE SKIP LOCKED
    )
    UPDATE jobs SET dispatched_at = clock_timestamp(), dispatches = dispatches + 1
    FROM picked WHERE jobs.id = picked.id
    RETURNING jobs.id
    """
)


def mark_dispatched(session: Session, queue: Queue, redispatch_seconds: float) -> list[int]:
    """Mark the ready jobs of a queue as dispatched and return their ids, oldest first.

    The caller commits before it sends the hints: a worker that meets a row still locked would take
    it for done, and the job would wait for its next hint. A hint that nobody answers is sent again
    after `redispatch_seconds`, then after twice that, at most four times as long: that is the
    whole cure for an emptied broker, and it keeps a long backlog from filling it with copies.
    """
    parameters = {
        "queue": queue.value,
        "redispatch_seconds": redispatch_seconds,
        "hints_allowed": queue.window,
    }
    return sorted(session.scalars(_PICK_AND_MARK, parameters).all())


def unmark_dispatched(session: Session, job_ids: Sequence[int]) -> None:
    """Take the mark back from jobs whose hints the broker did not take.

    They are sent as soon as the broker is back; with the mark they would wait for their next turn.
    """
    session.execute(
        update(Job)
        .where(Job.id.in_(job_ids), Job.state == "ready")
        .values(dispatched_at=null(), dispatches=Job.dispatches - 1)
    )
