"""A worker process for one test: it works on a slow backfill until it is done or killed."""

from pathlib import Path

from tests.workers.operations.killed_worker import work
from webapp.services.operations.backfills import BACKFILLS, Backfill

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
    work("SELECT id FROM jobs WHERE kind = 'backfill.run' AND state <> 'done'")


if __name__ == "__main__":
    main()
