"""The starts of a job: who makes one, and those that ended otherwise than well."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import BigInteger, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

KEPT_FOR_EACH_JOB = 20

# The new row is not seen by the part that deletes, so it keeps one less.
_KEEP = text(
    """
    WITH ended AS (
        SELECT id, attempts, started_at, worker, release, last_error FROM jobs
        WHERE id = ANY (:job_ids)
    ), written AS (
        INSERT INTO job_attempts (job_id, number, started_at, worker, release, ended_as, reason)
        SELECT id, attempts, started_at, worker, release, :ended_as,
            coalesce(:reason, last_error)
        FROM ended
        ON CONFLICT (job_id, number) DO NOTHING
    )
    DELETE FROM job_attempts USING ended
    WHERE job_attempts.job_id = ended.id AND job_attempts.number < (
        SELECT min(number) FROM (
            SELECT number FROM job_attempts AS older WHERE older.job_id = ended.id
            ORDER BY number DESC LIMIT :kept_before
        ) AS newest
    )
    """
).bindparams(bindparam("job_ids", type_=ARRAY(BigInteger)), bindparam("reason", type_=Text))


@dataclass(frozen=True)
class Starter:
    """The process that starts jobs: `worker` is its host and process id, `release` its code."""

    worker: str | None = None
    release: str | None = None


class End(StrEnum):
    """How a start ended that did not end well."""

    RETRIED = "retried"
    FAILED = "failed"
    DECLINED = "declined"
    LEASE_ENDED = "lease_ended"
    CUT_OFF = "cut_off"


def keep_attempts(
    session: Session, job_ids: Sequence[int], ended_as: End, reason: str | None = None
) -> None:
    """Keep how the last start of each job ended, in the transaction that has settled it.

    The reason is the job's `last_error`, unless one is given. No more than the newest
    `KEPT_FOR_EACH_JOB` stay of each job. Of starts by a release that does not count, one is kept.
    """
    if job_ids:
        session.execute(
            _KEEP,
            {
                "job_ids": list(job_ids),
                "ended_as": ended_as.value,
                "reason": reason,
                "kept_before": KEPT_FOR_EACH_JOB - 1,
            },
        )
