"""What waits though it is due: the oldest of each queue and kind, and kinds that nobody serves."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from webapp.jobs.messages import MESSAGES
from webapp.kit.backoff import LONGEST_DECLINE_SECONDS

UNSERVED_AFTER_SECONDS = 60.0
UNKNOWN_KIND = "unknown"

# The index goes from each pair of queue and kind to the next, and to the oldest of each, so a
# backlog of any size costs a few pages for each pair. Jobs of a paused event are passed over among
# the oldest hundred; with a live dispatcher they are set aside and not there. What workers of other
# releases decline is never due for long, so it counts from when it was written.
_WAITING = text(
    """
    WITH RECURSIVE paused AS MATERIALIZED (
        SELECT scope, target FROM job_pauses
        WHERE ends_at IS NULL OR ends_at > clock_timestamp()
    ), at_work AS MATERIALIZED (
        SELECT DISTINCT kind FROM jobs
        WHERE state = 'running' AND lease_until > clock_timestamp()
    ), pairs AS (
        (SELECT queue, kind FROM jobs WHERE state = 'ready' ORDER BY queue, kind LIMIT 1)
        UNION ALL
        SELECT following.queue, following.kind FROM pairs CROSS JOIN LATERAL (
            SELECT jobs.queue, jobs.kind FROM jobs
            WHERE state = 'ready' AND (jobs.queue, jobs.kind) > (pairs.queue, pairs.kind)
            ORDER BY jobs.queue, jobs.kind LIMIT 1
        ) AS following
    )
    SELECT pairs.queue, pairs.kind,
        extract(epoch FROM clock_timestamp() - oldest.since) AS seconds,
        NOT EXISTS (
            SELECT FROM job_kinds WHERE job_kinds.kind = pairs.kind
            AND last_started_at > clock_timestamp() - make_interval(secs => :unserved_after_seconds)
        ) AND NOT EXISTS (SELECT FROM at_work WHERE at_work.kind = pairs.kind) AS is_idle
    FROM pairs CROSS JOIN LATERAL (
        SELECT CASE WHEN declines > 0 THEN created_at ELSE run_at END AS since FROM (
            SELECT run_at, created_at, declines, payload ->> 'event_id' AS event_id FROM jobs
            WHERE state = 'ready' AND jobs.queue = pairs.queue AND jobs.kind = pairs.kind
              AND run_at <= clock_timestamp() + make_interval(secs => :longest_decline_seconds)
            ORDER BY run_at LIMIT 100
        ) AS head
        WHERE (run_at <= clock_timestamp() OR declines > 0)
          AND NOT EXISTS (SELECT FROM paused WHERE scope = 'event' AND target = head.event_id)
        ORDER BY since LIMIT 1
    ) AS oldest
    WHERE NOT EXISTS (
        SELECT FROM paused
        WHERE scope = 'queue' AND target = pairs.queue OR scope = 'kind' AND target = pairs.kind
    )
    """
)
_NOTE_START = text(
    """
    INSERT INTO job_kinds (kind, last_started_at) VALUES (:kind, clock_timestamp())
    ON CONFLICT (kind) DO UPDATE SET last_started_at = excluded.last_started_at
    WHERE job_kinds.last_started_at < excluded.last_started_at
    """
)


@dataclass(frozen=True)
class Waiting:
    """The oldest due job of a kind in a queue, which no pause holds: how long it has waited.

    `is_unserved` says that this is over a minute and that no worker has started one of its kind
    for as long, or is at one.
    """

    queue: str
    kind: str
    seconds: float
    is_unserved: bool

    @property
    def known_kind(self) -> str:
        """The kind, or one name for all that this release does not know: labels are a closed list.

        Each value of a label is a series that stays for the life of the process.
        """
        return self.kind if self.kind in MESSAGES else UNKNOWN_KIND


def find_waiting(session: Session) -> list[Waiting]:
    """Return the oldest due job of each queue and kind that has one, the longest waiting first."""
    parameters = {
        "unserved_after_seconds": UNSERVED_AFTER_SECONDS,
        "longest_decline_seconds": LONGEST_DECLINE_SECONDS,
    }
    rows = session.execute(_WAITING, parameters).all()
    waiting = [
        Waiting(
            row.queue,
            row.kind,
            float(row.seconds),
            is_unserved=row.is_idle and row.seconds > UNSERVED_AFTER_SECONDS,
        )
        for row in rows
    ]
    return sorted(waiting, key=lambda line: -line.seconds)


def oldest_by_queue(waiting: Sequence[Waiting]) -> dict[str, float]:
    """Return, for each queue with work that is due, how many seconds its oldest job has waited."""
    return {line.queue: line.seconds for line in reversed(waiting)}


def note_start(session: Session, kind: str) -> None:
    """Note that a worker has just started a job of this kind."""
    session.execute(_NOTE_START, {"kind": kind})
