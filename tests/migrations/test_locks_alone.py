"""The locks of what runs in no transaction, seen while it waits for them."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, Engine, text

from tests.migrations.test_locks import locks_said, make_schema, make_tables
from webapp.kit.migration_sql.classify import classify
from webapp.kit.migration_sql.statements import split_statements

PATIENCE_SECONDS = 60
STATEMENTS = """
    CREATE INDEX CONCURRENTLY ix_new ON children (note);
    DROP INDEX CONCURRENTLY ix_children_name;
    REINDEX TABLE CONCURRENTLY children;
    REINDEX INDEX CONCURRENTLY ix_children_name;
    REINDEX (VERBOSE, CONCURRENTLY true) TABLE children;
    ALTER TABLE parts DETACH PARTITION low CONCURRENTLY;
    VACUUM children;
    VACUUM (FULL false, ANALYZE) children;
    VACUUM FULL children
"""
WAITS_FOR = text("""
    SELECT mode FROM pg_locks
    WHERE NOT granted AND locktype = 'relation' AND relation = to_regclass(:table)
""")


@pytest.mark.parametrize("statement", split_statements(STATEMENTS))
def test_what_runs_in_no_transaction_waits_for_the_lock_that_is_said(
    engine: Engine, statement: str
) -> None:
    make_tables(engine)
    # No part is detached CONCURRENTLY beside a default one.
    run_alone(engine, "DROP TABLE others_of_parts")
    ((table, lock),) = [
        (effect.table, effect.lock)
        for effect in classify(statement, make_schema())
        if effect.no_transaction
    ]
    assert table is not None
    with ThreadPoolExecutor() as pool, engine.connect() as holder, engine.connect() as observer:
        # VACUUM takes a weaker lock for a moment before, which this one lets pass.
        holder.exec_driver_sql(f"LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE")
        running = pool.submit(run_alone, engine, statement)
        try:
            mode = await_waiting(observer, table)
        finally:
            holder.rollback()
        running.result()
    assert mode.removesuffix("Lock").upper() == lock.label.replace(" ", "")
    assert locks_said(statement)[table] is lock


def run_alone(engine: Engine, statement: str) -> None:
    """Run a statement in no transaction."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(statement)


def await_waiting(observer: Connection, table: str) -> str:
    """Return the mode of the lock on a table that somebody waits for."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        mode: str | None = observer.scalar(WAITS_FOR, {"table": table})
        observer.rollback()
        if mode is not None:
            return mode
        time.sleep(0.01)
    raise AssertionError(f"nobody waits for {table}")
