"""What a step has to keep: every row that is there, but for what the step says of itself.

A step that takes something away says so by its `contract`, and then what it drops need not come
back with its downgrade either. What a step fills in, or takes back again, is listed here.
"""

from collections.abc import Callable

from sqlalchemy import Connection, Engine

from tests.migrations.commands import Migrations, Step
from tests.migrations.row_filler import read_rows, read_schema
from webapp.kit.migration_sql.classify import classify
from webapp.kit.migration_sql.schema import Schema
from webapp.kit.migration_sql.statements import split_statements
from webapp.services.operations.migrations.preflight import PendingStep

# The columns in which a step fills in what was missing, beside the ones that it adds.
FILLED_BY_STEP = {
    "0c23176b9867": {("content", "version")},
    "22a9841d3437": {("content_versions", "digest")},
    "5e9cf17db792": {("content_versions", "digest")},
}
# The tables of which a downgrade takes back the rows that its upgrade added.
TAKEN_BACK_BY_STEP = {"36c0169b128a": {"roles"}}

Columns = set[tuple[str, str]]
Rows = dict[str, list[dict[str, object]]]
Fill = Callable[[Connection], None]


def said_to_drop(step: PendingStep) -> Columns:
    """Return (table, column) of what a contract step drops; "" stands for a whole table."""
    if not step.contract or step.sql is None:
        return set()
    schema = Schema()
    effects = [effect for sql in split_statements(step.sql) for effect in classify(sql, schema)]
    return {
        (effect.table, effect.removes)
        for effect in effects
        if effect.table is not None and effect.removes is not None
    }


def check_step(
    engine: Engine, migrations: Migrations, step: Step, dropped: Columns, fill: Fill
) -> None:
    """Go up one step, down and up again with rows in every table, and leave it up.

    AssertionError where a row or a value is lost, or where the schema differs the second time.
    """
    before, schema_before = _fill_and_read(engine, fill)
    changed = dropped | FILLED_BY_STEP.get(step.revision, set())

    migrations.upgrade(step.revision)
    _assert_kept(before, _read(engine)[0], changed)
    filled, schema_after = _fill_and_read(engine, fill)

    migrations.downgrade(step.below)
    down, schema_down = _read(engine)
    assert schema_down == schema_before, step
    for table, columns in _columns_of(before, dropped).items():
        taken_back = table in TAKEN_BACK_BY_STEP.get(step.revision, set())
        expected = before[table] if taken_back else filled[table]
        assert table in down, (step, table)
        assert _only(down[table], columns) == _only(expected, columns), (step, table)

    migrations.upgrade(step.revision)
    again, schema_again = _read(engine)
    _assert_kept(down, again, changed)
    assert schema_again == schema_after, step


def _fill_and_read(engine: Engine, fill: Fill) -> tuple[Rows, list[tuple[object, ...]]]:
    with engine.connect() as connection:
        fill(connection)
    return _read(engine)


def _read(engine: Engine) -> tuple[Rows, list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return read_rows(connection), read_schema(connection)


def _assert_kept(old: Rows, new: Rows, changed: Columns) -> None:
    """Assert that every old row is in the new schema, whole but for the columns that may change."""
    for table, columns in _columns_of(old, changed).items():
        assert table in new, table
        remaining = _only(new[table], columns)
        for row in _only(old[table], columns):
            assert row in remaining, (table, row)


def _columns_of(rows: Rows, without: Columns) -> dict[str, list[str]]:
    """Return the columns of each table that has rows, but for those that do not count."""
    return {
        table: [column for column in found[0] if (table, column) not in without]
        for table, found in rows.items()
        if found and (table, "") not in without
    }


def _only(rows: list[dict[str, object]], columns: list[str]) -> list[dict[str, object]]:
    """Return the rows with these columns alone."""
    return [{column: row.get(column, "no such column") for column in columns} for row in rows]
