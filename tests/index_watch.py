"""Every query of the application finds its rows by an index, however large the tables become.

The statements that the tests make the application send are planned once more on empty tables. On
those PostgreSQL would read a table from end to end whether or not there is an index, so it is
told to do that only where it has no choice: with bitmap scans alone, which want a condition that
an index serves, and with ordered index scans alone, which serve a LIMIT. What neither spares the
whole table is a query that lacks an index.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg
import pytest
from psycopg.errors import UndefinedColumn, UndefinedTable

ROOT = Path(__file__).resolve().parents[1]
APPLICATION = tuple(str(ROOT / name) + "/" for name in ("webapp", "workers"))
TESTS = str(ROOT / "tests") + "/"
PLANNED = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")

JOINS_BY_INDEX = (
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off;"
    " SET LOCAL enable_mergejoin = off; SET LOCAL enable_material = off;"
)
BY_CONDITION = (
    JOINS_BY_INDEX + "SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off"
)
BY_ORDER = JOINS_BY_INDEX + "SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off"

INDEXES = """
    SELECT indexrelid::regclass::text, indrelid::regclass::text,
        pg_get_indexdef(indexrelid, 1, true)
    FROM pg_index WHERE indpred IS NULL AND indrelid IN (
        SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
"""

READS_ALL_BELOW = {"Sort", "Aggregate", "WindowAgg", "Unique", "SetOp", "Hash"}

# Tables that stay small, for which a look at every row is the best plan there is.
SMALL = {"roles", "backfills", "job_kinds", "job_pauses", "schedule_delays", "alembic_version"}
# What reads a whole table on purpose: the table, a part of the statement, and the reason.
ON_PURPOSE = {
    ("content_versions", "SELECT count(*) FROM"): (
        "a backfill counts its rows once, where the statistics of the table know nothing yet"
    ),
}


class IndexWatch:
    """Watches the statements of the application, and plans each new one once."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        """Plan on this connection, in autocommit, to an empty database at the head."""
        self._connection = connection
        self._indexes = read_indexes(connection)
        self._seen: set[str] = set()
        self._new: list[tuple[str, Any]] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note what this process sends inside the block, through SQLAlchemy or past it."""
        execute = psycopg.Cursor.execute

        def noting(cursor: Any, query: Any, params: Any = None, **options: Any) -> Any:
            self._note(query, params)
            return execute(cursor, query, params, **options)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(psycopg.Cursor, "execute", noting)
            yield

    def find_problems(self) -> list[str]:
        """Return a sentence for each statement since the last call that lacks an index."""
        new, self._new = self._new, []
        return [
            f"No index serves what this reads of {table}: {' '.join(statement.split())}"
            for statement, parameters in new
            for table in sorted(self._tables_read_whole(statement, parameters) - SMALL)
            if not any(table == of and part in statement for of, part in ON_PURPOSE)
        ]

    def _tables_read_whole(self, statement: str, parameters: Any) -> set[str]:
        return tables_read_whole(self._connection, self._indexes, statement, parameters)

    def _note(self, statement: Any, parameters: Any) -> None:
        if not isinstance(statement, str) or statement in self._seen:
            return
        if not _is_sent_by_application(sys._getframe(2)):
            return
        self._seen.add(statement)
        if statement.lstrip().upper().startswith(PLANNED):
            self._new.append((statement, parameters))


@dataclass(frozen=True)
class Index:
    """The table of an index, and the column that it is ordered by first."""

    table: str
    leading_column: str

    def is_led_to_by(self, condition: str) -> bool:
        """Say whether a condition of a plan is on the leading column."""
        return re.search(rf"(?<!\w){re.escape(self.leading_column)}(?!\w)", condition) is not None


def read_indexes(connection: psycopg.Connection[Any]) -> dict[str, Index]:
    """Return the indexes of a database by their names."""
    return {name: Index(*found) for name, *found in connection.execute(INDEXES)}


def tables_read_whole(
    connection: psycopg.Connection[Any],
    indexes: dict[str, Index],
    statement: str,
    parameters: Any,
) -> set[str]:
    """Return the tables of which a statement reads every row; nothing is executed."""
    plans = []
    for limits in (BY_CONDITION, BY_ORDER):
        with connection.transaction():
            connection.execute(limits)
            try:
                answer = connection.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
            except (UndefinedTable, UndefinedColumn):
                return set()  # It is about a table that one test has made for itself.
            plans.append(answer.fetchall()[0][0][0]["Plan"])
    by_condition, by_order = (set(_whole_reads(plan, indexes)) for plan in plans)
    return by_condition & by_order


def _whole_reads(
    node: dict[str, Any], indexes: dict[str, Index], *, is_limited: bool = False
) -> Iterator[str]:
    """Yield the tables that are read from end to end, or an index of them is.

    An index whose leading column is in no condition is read as a whole, too, unless its order is
    what a LIMIT wants. A partial index is no larger than what its own condition lets in.
    """
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    index = indexes.get(node.get("Index Name", ""))
    if index and not is_limited and not index.is_led_to_by(node.get("Index Cond", "")):
        yield index.table
    # What sorts or adds up has to read all that is below it before a LIMIT can stop it.
    is_limited = node["Node Type"] == "Limit" or (
        is_limited and node["Node Type"] not in READS_ALL_BELOW
    )
    for below in node.get("Plans", ()):
        yield from _whole_reads(below, indexes, is_limited=is_limited)


def _is_sent_by_application(frame: FrameType | None) -> bool:
    """Say whether the code of this project that sent a statement is no code of the tests."""
    while frame is not None:
        if frame.f_code.co_filename.startswith(APPLICATION):
            return True
        if frame.f_code.co_filename.startswith(TESTS):
            return False
        frame = frame.f_back
    return False
