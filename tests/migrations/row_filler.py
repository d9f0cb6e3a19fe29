"""Rows for every table of a schema as it stands, made from what the database says of itself."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB, TSVECTOR

ROWS = 4
START = datetime(2024, 2, 29, 23, 30, tzinfo=UTC)
Value = Callable[[int], Any]


def _pick(*values: str) -> Value:
    return lambda row: values[row % len(values)]


# What a check constraint allows, for the columns that have one.
ALLOWED: dict[tuple[str, str], Value] = {
    ("content", "body_format"): _pick("markdown", "html"),
    ("content", "status"): _pick("draft", "published", "trashed"),
    ("content_versions", "body_format"): _pick("html", "markdown"),
    ("events", "kind"): _pick("content.published", "content.updated"),
    ("jobs", "state"): _pick("running", "failed"),
    ("mail_deliveries", "state"): _pick("queued", "sent", "failed", "suppressed"),
    ("schedules", "action"): _pick("publish", "unpublish"),
    ("schedules", "if_missed"): _pick("run", "skip"),
    ("schedules", "state"): _pick("pending", "handed", "fired", "missed"),
}
FOLLOWED = ("author_id", "category_id", "tag_id", "content_id")


def fill(connection: Connection) -> None:
    """Bring every table to at least ROWS rows and commit.

    Columns that may be empty are empty in every other row. Raises NotImplementedError for a column
    type that is not known here, and what the database raises where a check is not listed in
    ALLOWED.
    """
    schema = MetaData()
    schema.reflect(connection)
    for table in schema.sorted_tables:
        if table.name == "alembic_version":
            continue
        present = connection.scalar(select(func.count()).select_from(table)) or 0
        for row in range(present, ROWS):
            connection.execute(insert(table).values(_make_row(connection, table, row)))
    connection.commit()


def read_rows(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table, but for Alembic's own, in the order of their keys."""
    schema = MetaData()
    schema.reflect(connection)
    rows = {}
    for table in schema.sorted_tables:
        if table.name != "alembic_version":
            found = connection.execute(select(table).order_by(*table.primary_key.columns))
            rows[table.name] = [dict(row._mapping) for row in found]
    connection.rollback()
    return rows


def read_schema(connection: Connection) -> list[tuple[Any, ...]]:
    """Return every column, constraint, index and storage setting, as PostgreSQL spells them."""
    statement = """
        SELECT 'column', table_name::text, column_name::text, concat_ws(' ', data_type, udt_name,
            column_default, is_nullable, identity_generation)
        FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL SELECT 'constraint', conrelid::regclass::text, conname::text,
            pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
        UNION ALL SELECT 'index', tablename::text, indexname::text, indexdef
        FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT 'table', relname::text, relkind::text, array_to_string(reloptions, ',')
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')
        ORDER BY 1, 2, 3, 4
    """
    found = [tuple(row) for row in connection.execute(text(statement))]
    connection.rollback()
    return [row for row in found if row[1] != "alembic_version"]


def _make_row(connection: Connection, table: Table, row: int) -> dict[str, Any]:
    values = {}
    for column in table.columns:
        if column.identity is None:
            values[column.name] = _make_value(connection, table, column, row)
    if table.name == "follows":
        for name in FOLLOWED:
            if name != FOLLOWED[row % 4]:
                values[name] = None
    return values


def _make_value(connection: Connection, table: Table, column: Column[Any], row: int) -> Any:
    if table.name == "follows" and column.name in FOLLOWED:
        return _existing_key(connection, column, row)
    if column.nullable and row % 2:
        return None
    if column.foreign_keys:
        return _existing_key(connection, column, row)
    allowed = ALLOWED.get((table.name, column.name))
    return allowed(row) if allowed else _value_of_type(table, column, row)


def _existing_key(connection: Connection, column: Column[Any], row: int) -> Any:
    """Return a key that the column may point at; None in the first row of a tree."""
    (foreign_key,) = column.foreign_keys
    target = foreign_key.column
    keys = connection.scalars(select(target).order_by(target)).all()
    return keys[row % len(keys)] if keys else None


def _value_of_type(table: Table, column: Column[Any], row: int) -> Any:
    label = f"{table.name}-{column.name}-{row}"
    digest = hashlib.sha256(label.encode()).digest()
    makers: list[tuple[type[Any], Any]] = [
        (
            Text,
            f'{label} "quoted" \\ tab\t line\n Ünïcödé 😀 \x1b' if column.name == "body" else label,
        ),
        (SmallInteger, 100 + row),
        (BigInteger, 100 + row),
        (DateTime, START + timedelta(hours=row)),
        (Boolean, row % 2 == 0),
        (LargeBinary, digest),
        (JSONB, {"z": row, "aa": [1.5, None, True, {}], "é": {"b": "\n", "a": []}}),
        (JSON, {"row": row}),
        (Uuid, UUID(bytes=digest[:16])),
        (TSVECTOR, f"'word{row}':1"),
    ]
    if isinstance(column.type, ARRAY):
        is_text = isinstance(column.type.item_type, Text)
        return [f"tag-{row}", "größe"] if is_text else [row, row + 1]
    for kind, value in makers:
        if isinstance(column.type, kind):
            return value
    raise NotImplementedError(f"{table.name}.{column.name} is a {column.type!r}.")
