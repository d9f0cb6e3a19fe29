"""Do both changes both ways on a table of some size, under traffic, and say who waited for what."""

import os
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg
from alembic.config import Config
from sqlalchemy import NullPool, create_engine
from sqlalchemy.orm import Session, sessionmaker

from alembic import command
from bench.large_table.example import FILL_TABLE, MAKE_TABLE, Change
from bench.large_table.traffic import Waits, traffic, watch
from webapp.services.operations import backfills
from webapp.services.operations.backfills import BACKFILLS

ROOT = Path(__file__).resolve().parents[2]
STEPS = Path(__file__).with_name("steps")
SETTLE_SECONDS = 0.5


@dataclass(frozen=True)
class Measured:
    """One change done one way: times in seconds, statements of the code that runs.

    `hold` is the longest ACCESS EXCLUSIVE lock, `rewritten` whether the table got a new file.
    """

    change: str
    way: str
    rows: int
    took: float
    longest_read: float
    longest_write: float
    hold: float
    statements: int
    failures: int
    rewritten: bool


def make_table(url: str, rows: int) -> None:
    """Make the table with `rows` rows and its statistics."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS page_views")
        connection.execute(MAKE_TABLE)
        connection.execute(FILL_TABLE, (rows,))
        connection.execute("VACUUM ANALYZE page_views")


def safely(url: str, change: Change, rows: int) -> Measured:
    """Expand, fill, require, switch, contract, with the code of both releases at its time."""
    before = _file_of_table(url)
    began = time.perf_counter()
    with ExitStack() as stack:
        hold = stack.enter_context(watch(url))
        with traffic(url, change.before, rows) as old:
            time.sleep(SETTLE_SECONDS)
            upgrade(url, change.expand)
            fill(url, change)
            upgrade(url, change.require)
            # The switch is a deployment: for a while both releases run.
            new = stack.enter_context(traffic(url, change.after, rows))
            time.sleep(SETTLE_SECONDS)
        upgrade(url, change.contract)
        time.sleep(SETTLE_SECONDS)
        took = time.perf_counter() - began
    return _measured(change, "safe", rows, took, [old, new], hold.longest, before, url)


def naively(url: str, change: Change, rows: int) -> Measured:
    """Run the one statement that does it all, while the code that knows the old column runs."""
    before = _file_of_table(url)
    with watch(url) as hold, traffic(url, change.before, rows) as old:
        time.sleep(SETTLE_SECONDS)
        began = time.perf_counter()
        with psycopg.connect(url) as connection:
            connection.execute(change.naive)
        took = time.perf_counter() - began
        time.sleep(SETTLE_SECONDS)
    return _measured(change, "naive", rows, took, [old], hold.longest, before, url)


def upgrade(url: str, revision: str) -> None:
    """Upgrade to a step of the example, with everything that alembic/env.py does around it."""
    engine = create_engine(_with_driver(url), poolclass=NullPool)
    config = Config(str(ROOT / "alembic.ini"), attributes={"connection": engine})
    places = os.pathsep.join([str(ROOT / "alembic" / "versions"), str(STEPS)])
    config.set_main_option("version_locations", places.replace("%", "%%"))
    command.upgrade(config, revision)


def fill(url: str, change: Change) -> None:
    """Do the batches of a backfill, as its job does them."""
    BACKFILLS[change.backfill.name] = change.backfill
    engine = create_engine(_with_driver(url))
    sessions: sessionmaker[Session] = sessionmaker(engine)
    try:
        with sessions.begin() as session:
            backfills.start(session, change.backfill.name)
        is_last = False
        while not is_last:
            with sessions.begin() as session:
                is_last = backfills.run_batch(session, change.backfill)
    finally:
        del BACKFILLS[change.backfill.name]
        engine.dispose()


def _measured(
    change: Change, way: str, rows: int, took: float, waits: list[Waits], hold: float,
    before: int, url: str,
) -> Measured:  # fmt: skip
    return Measured(
        change=change.name,
        way=way,
        rows=rows,
        took=took,
        longest_read=max(found.longest_read for found in waits),
        longest_write=max(found.longest_write for found in waits),
        hold=hold,
        statements=sum(found.statements for found in waits),
        failures=sum(found.failures for found in waits),
        rewritten=_file_of_table(url) != before,
    )


def _file_of_table(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_relation_filenode('page_views')").fetchone()
    assert row is not None
    return int(row[0])


def _with_driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
