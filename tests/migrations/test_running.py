"""What alembic/env.py promises: one migration at a time, busy tables, and steps that are whole."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, text

from dev.postgres import PostgresServer
from tests.migrations.commands import Migrations, read_steps, run, start, trials
from tests.patience import HANG_SECONDS

HEAD = read_steps()[-1].revision
TOGETHER = 10
# The key of the advisory lock that alembic/env.py takes.
LOCK_KEY = 0x696D7072


@contextmanager
def busy_table(engine: Engine, table: str) -> Iterator[Connection]:
    """Hold a table as a long statement of somebody else would."""
    with engine.connect() as connection:
        connection.execute(text(f"LOCK TABLE {table} IN ACCESS SHARE MODE"))
        yield connection


def wait_for_a_waiting_backend(engine: Engine) -> int:
    """Return the pid of the backend that waits for a lock in the test's database, once one does."""
    statement = text(
        "SELECT pid FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    deadline = time.monotonic() + HANG_SECONDS
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while True:
            pid: int | None = connection.scalar(statement)
            if pid is not None:
                return pid
            assert time.monotonic() < deadline, "Nobody waits."
            time.sleep(0.02)


@pytest.mark.timeout(3600)
@pytest.mark.long
def test_ten_replicas_that_start_together_migrate_once(postgres: PostgresServer) -> None:
    for trial in range(trials()):
        database = f"together_{trial}_{uuid4().hex}"
        postgres.create_database(database)
        processes = [
            start(["flask", "db", "upgrade"], postgres.url(database)) for _ in range(TOGETHER)
        ]
        outputs = [process.communicate(timeout=5 * HANG_SECONDS)[1] for process in processes]
        assert [process.returncode for process in processes] == [0] * TOGETHER, outputs
        for step in read_steps():
            assert "".join(outputs).count(f"-> {step.revision},") == 1
        assert sum("Running upgrade" in output for output in outputs) == 1
        assert run(["alembic", "check"], postgres.url(database)).returncode == 0
        postgres.drop_database(database)


def test_a_waiting_migration_says_for_whom(
    database_url: str, engine: Engine, migrations: Migrations
) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as holder:
        holder.execute(text(f"SELECT pg_advisory_lock({LOCK_KEY})"))
        pid = holder.scalar(text("SELECT pg_backend_pid()"))
        process = start(["alembic", "upgrade", "head"], database_url)
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line == f"Another migration is running (pid {pid}); waiting.\n"
        assert migrations.current() == ""
    assert process.wait(timeout=HANG_SECONDS) == 0
    process.communicate()
    assert migrations.current() == f"{HEAD} (head)"


def test_the_lock_lasts_for_as_long_as_the_server_works_at_a_step_of_a_killed_migration(
    database_url: str, engine: Engine, migrations: Migrations
) -> None:
    migrations.upgrade("8a1f66f80420")
    patient = ["-x", "lock_timeout=10min", "-x", "statement_timeout=10min"]
    with busy_table(engine, "content"):
        first = start(["alembic", *patient, "upgrade", "+1"], database_url)
        pid = wait_for_a_waiting_backend(engine)
        first.kill()
        first.communicate()
        second = start(["alembic", "upgrade", "head"], database_url)
        assert second.stderr is not None
        line = second.stderr.readline()
        assert line == f"Another migration is running (pid {pid}); waiting.\n"
    _, errors = second.communicate(timeout=HANG_SECONDS)
    assert second.returncode == 0, errors
    assert "add counters to content" in errors
    migrations.check()


def test_reading_and_an_upgrade_at_the_head_take_no_lock(
    engine: Engine, migrations: Migrations
) -> None:
    migrations.upgrade()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as holder:
        holder.execute(text(f"SELECT pg_advisory_lock({LOCK_KEY})"))
        migrations.upgrade("head")
        migrations.check()
        assert migrations.current() == f"{HEAD} (head)"


def test_a_step_waits_for_a_busy_table_and_goes_on(
    database_url: str, engine: Engine, migrations: Migrations
) -> None:
    steps = read_steps()
    migrations.upgrade("a1f2c3d4e5f6")
    with busy_table(engine, "content") as holder:
        process = start(["alembic", "upgrade", "+2"], database_url)
        assert process.stderr is not None
        assert any("A table is busy" in line for line in process.stderr)
        assert migrations.current() == steps[15].revision
        holder.rollback()
        _, errors = process.communicate(timeout=HANG_SECONDS)
    assert process.returncode == 0, errors
    assert migrations.current() == steps[16].revision


def test_a_table_that_stays_busy_leaves_the_step_undone(
    database_url: str, engine: Engine, migrations: Migrations
) -> None:
    migrations.upgrade("8a1f66f80420")
    command = ["alembic", "-x", "busy_tries=2", "-x", "lock_timeout=100ms", "upgrade", "head"]
    with busy_table(engine, "content"):
        process = start(command, database_url)
        _, errors = process.communicate(timeout=HANG_SECONDS)
    assert process.returncode == 1
    assert "The step is not done. Busy: canceling statement due to lock timeout\n" in errors
    assert "Traceback" not in errors
    assert migrations.current() == "8a1f66f80420"
    migrations.upgrade()
    migrations.check()


def test_a_refused_statement_is_told_with_its_reason_and_without_a_traceback(
    database_url: str, engine: Engine, migrations: Migrations
) -> None:
    migrations.upgrade()
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'e02b3f9955e5'"))
    refused = run(["alembic", "upgrade", "head"], database_url)
    assert refused.returncode == 1
    _, _, told = refused.stderr.partition("The step is not done. ")
    assert told.startswith('Refused: relation "schedules" already exists\nStatement: CREATE TABLE')
    assert "Traceback" not in refused.stderr
    assert migrations.current() == "e02b3f9955e5"


def test_a_lost_connection_is_told_and_the_next_run_completes_the_step(
    database_url: str, engine: Engine, migrations: Migrations
) -> None:
    migrations.upgrade("8a1f66f80420")
    with busy_table(engine, "content"), engine.connect() as other:
        process = start(["alembic", "-x", "lock_timeout=10min", "upgrade", "head"], database_url)
        pid = wait_for_a_waiting_backend(engine)
        other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        _, errors = process.communicate(timeout=HANG_SECONDS)
    assert process.returncode == 1
    assert "The step is not done. The connection was lost: " in errors
    assert "Traceback" not in errors
    migrations.upgrade()
    migrations.check()


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("lock_timout=5s", "-x lock_timout: the limits are lock_timeout, statement_timeout, "),
        ("busy_tries=many", "-x busy_tries=many: it is a number of tries."),
        ("lock_timeout=soon", 'Refused: invalid value for parameter "lock_timeout": "soon"'),
    ],
)
def test_a_wrong_limit_is_one_clear_sentence_and_nothing_is_done(
    database_url: str, migrations: Migrations, option: str, sentence: str
) -> None:
    refused = run(["flask", "db", "-x", option, "upgrade"], database_url)
    assert refused.returncode == 1
    assert refused.stderr.startswith(sentence)
    assert "Traceback" not in refused.stderr
    assert migrations.current() == ""


def test_a_connection_that_is_handed_over_is_used(engine: Engine) -> None:
    with engine.connect() as connection, connection.begin() as transaction:
        Migrations(connection).upgrade("a1f2c3d4e5f6")
        assert connection.scalar(text("SELECT count(*) FROM roles")) == 5
        transaction.rollback()
    assert Migrations(engine).current() == ""
