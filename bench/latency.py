"""From the commit of a job to the first statement of its handler, one job at a time.

Triggers that exist in this database alone note both ends. The commit's own timestamp is taken
before its flush, and the handler's first statement comes after the claim is committed, so both
flushes and every hop between are inside what is measured.
"""

import time

from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.commits import commit_seconds
from bench.results import Result, percentile
from bench.sizes import Sizes
from bench.testbed import Testbed, sessions_on
from webapp.services.accounts.password_resets import request_reset

WORKER = "worker-accounts"
_JOB_SECONDS = 30.0

# The handler of a password reset renews its lease in the transaction of its first step.
_TRIGGERS = text(
    """
    CREATE TABLE bench_enqueued (job_id bigint PRIMARY KEY);
    CREATE TABLE bench_started (job_id bigint PRIMARY KEY, started_at timestamptz NOT NULL);
    CREATE FUNCTION bench_note_enqueue() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO bench_enqueued VALUES (NEW.id);
        RETURN NULL;
    END $$;
    CREATE FUNCTION bench_note_start() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO bench_started VALUES (NEW.id, clock_timestamp()) ON CONFLICT DO NOTHING;
        RETURN NULL;
    END $$;
    CREATE TRIGGER bench_enqueue AFTER INSERT ON jobs
        FOR EACH ROW EXECUTE FUNCTION bench_note_enqueue();
    CREATE TRIGGER bench_start AFTER UPDATE ON jobs FOR EACH ROW
        WHEN (OLD.state = 'running' AND NEW.state = 'running')
        EXECUTE FUNCTION bench_note_start();
    """
)
_IS_DONE = text("SELECT count(*) FROM jobs WHERE queue = 'accounts' AND state = 'done'")
_LATENCIES = text(
    """
    SELECT extract(
        epoch FROM bench_started.started_at - pg_xact_commit_timestamp(bench_enqueued.xmin)
    )
    FROM bench_enqueued JOIN bench_started USING (job_id)
    JOIN jobs ON jobs.id = job_id WHERE queue = 'accounts'
    """
)


def measure(bed: Testbed, sizes: Sizes) -> list[Result]:
    """Ask for password resets of an unknown address, one after the other."""
    number = sizes.jobs_one_by_one
    bed.say(f"latency: {number} jobs, one at a time")
    with bed.database("bench_latency") as url, sessions_on(url)() as session:
        session.execute(_TRIGGERS)
        session.commit()
        commit = commit_seconds(url) * 1000
        with bed.workers(url, [WORKER]):
            for done in range(1, number + 1):
                _run_one(bed, session, done)
        latencies = [float(seconds) * 1000 for seconds in session.scalars(_LATENCIES)]
        session.commit()
    return [
        Result("job's commit to handler's start, p50", percentile(latencies, 50), "ms", 3 * commit,
               note="floor: three bare commits in a row (the job, its hint, its claim)"),
        Result("job's commit to handler's start, p99", percentile(latencies, 99), "ms", 3 * commit),
    ]  # fmt: skip


def _run_one(bed: Testbed, session: Session, done: int) -> None:
    request_reset(session, f"nobody-{done}@example.org")
    session.commit()

    def is_done() -> bool:
        count = session.scalars(_IS_DONE).one()
        session.commit()
        return int(count) == done

    bed.wait(is_done, "the job is done", seconds=_JOB_SECONDS, poll_seconds=0.004)
    # Not in step with anything that the dispatcher does at intervals.
    time.sleep(0.001 * (done * 7 % 40))
