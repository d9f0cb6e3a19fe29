"""A worker process for one test: it works on a slow backfill until it is done or killed."""

import sys
from pathlib import Path

from sqlalchemy import text

from webapp.adapters.logs import configure_logs
from webapp.bootstrap import worker_context
from webapp.services.operations.backfills import BACKFILLS, Backfill
from webapp.settings import Settings
from workers.handlers import HANDLERS
from workers.runner import run_job

ROOT = Path(__file__).resolve().parents[3]
# Not idempotent on purpose, and asleep between its writes and its commit, where most kills land.
COUNT_ROWS = Backfill(
    name="count-rows",
    table="counted",
    statement="""
        WITH counted_now AS (
            UPDATE counted SET times = times + 1 WHERE id > :after AND id <= :until RETURNING 1
        )
        SELECT pg_sleep(0.05) FROM (SELECT count(*) FROM counted_now) AS rows
    """,
    unfilled="times = 0",
    rows_a_batch=100,
)
MAKE_TABLE = """
    CREATE TABLE counted (id bigint PRIMARY KEY, times bigint NOT NULL DEFAULT 0);
    INSERT INTO counted (id) SELECT 3 + 7 * number FROM generate_series(1, 4021) AS number
"""
ROWS = 4021


def main() -> None:
    """Run the job of the backfill whenever it is ready, as long as there is one."""
    BACKFILLS[COUNT_ROWS.name] = COUNT_ROWS
    settings = Settings.from_environment()
    configure_logs(settings)
    context = worker_context(settings, application_name="imprint-worker")
    unfinished = text("SELECT id FROM jobs WHERE kind = 'backfill.run' AND state <> 'done'")
    while True:
        with context.transaction() as session:
            job_id = session.scalar(unfinished)
        if job_id is None:
            sys.exit(0)
        run_job(context, HANDLERS, job_id)


if __name__ == "__main__":
    main()
