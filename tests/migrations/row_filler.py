"""Rows for every table of a schema as it stands, made from what the database says of itself.

Their values are drawn at random, from texts, documents and times that are awkward to move. Without
a source of chance they are the same each time.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Double,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    insert,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, TSVECTOR

ROWS = 4
START = datetime(2024, 2, 29, 23, 30, tzinfo=UTC)
Value = Callable[[int], Any]


def _pick(*values: str) -> Value:
    return lambda row: values[row % len(values)]


# What a check constraint allows, for the columns that have one.
ALLOWED: dict[tuple[str, str], Value] = {
    ("api_keys", "scopes"): lambda row: [["read"], ["read", "propose"]][row % 2],
    ("bulk_actions", "action"): _pick("tag", "publish", "undo", "move"),
    ("bulk_actions", "state"): _pick("done", "running", "cancelled", "running"),
    ("bulk_items", "state"): _pick("waiting", "done", "skipped", "failed"),
    ("comments", "body"): _pick("", "It says so."),
    ("comment_threads", "quote"): lambda row: f"The line {row}.",
    ("content", "body_format"): _pick("markdown", "html"),
    ("content", "origin"): _pick("human", "assisted", "generated"),
    ("content", "status"): _pick("draft", "published", "trashed"),
    ("content_versions", "body_format"): _pick("html", "markdown"),
    ("content_versions", "origin"): _pick("human", "assisted", "generated"),
    # No other kind fits the schemas of older steps.
    ("events", "kind"): _pick("content.published", "content.updated"),
    ("import_records", "act"): _pick("none", "published", "scheduled", "withdrawn"),
    ("job_attempts", "ended_as"): _pick("retried", "failed", "declined", "lease_ended"),
    ("job_pauses", "reason"): _pick("the mail server is away", "a wrong text went out"),
    ("job_pauses", "scope"): _pick("queue", "kind", "event"),
    ("jobs", "state"): _pick("running", "failed"),
    ("mail_deliveries", "state"): _pick("queued", "sent", "failed", "suppressed"),
    ("notices", "mail_state"): _pick("queued", "sent", "failed", "suppressed"),
    ("passkey_challenges", "purpose"): _pick("add", "sign_in"),
    ("publications", "origin"): _pick("human", "assisted", "generated"),
    ("publications", "slug"): lambda row: f"slug-{row}",
    ("recurrences", "action"): _pick("publish", "unpublish"),
    ("recurrences", "if_missed"): _pick("run", "skip"),
    ("recurrences", "in_fold"): _pick("earlier", "later"),
    ("recurrences", "in_gap"): _pick("after", "skip"),
    ("recurrences", "state"): _pick("active", "paused", "ended"),
    ("recurrences", "which"): _pick("newest", "newest_approved"),
    ("release_entries", "action"): _pick("publish", "unpublish", "publish", "archive"),
    ("release_entries", "former_standing"): _pick("draft", "published", "archived", "retracted"),
    ("releases", "if_missed"): _pick("run", "skip", "ask"),
    ("releases", "state"): _pick("open", "cancelled", "scheduled", "failed"),
    ("releases", "telling"): _pick("each", "digest", "none"),
    ("review_decisions", "decision"): _pick("approve", "changes_wanted", "reject"),
    ("review_links", "decision"): _pick("approve", "changes_wanted", "reject"),
    ("reviews", "state"): _pick("open", "approved", "changes_wanted", "rejected"),
    ("schedules", "action"): _pick("publish", "unpublish"),
    ("schedules", "fold"): _pick("earlier", "later"),
    ("schedules", "if_missed"): _pick("run", "skip"),
    ("schedules", "state"): _pick("pending", "handed", "fired", "missed"),
}
FOLLOWED = ("author_id", "category_id", "tag_id", "content_id")


# Tables in which a check ties columns to each other: there every other row has its empty columns.
TIED = {
    "bulk_actions", "comment_threads", "comments", "jobs", "passkey_challenges", "release_entries",
    "releases", "review_links", "schedules",
}  # fmt: skip
# A version is filled whole, as it was saved: it is packed by the application alone.
WHOLE = {("content_versions", "body")}
NEVER_FILLED = {
    ("content_versions", "packed"),
    ("content_versions", "reference_id"),
    ("occurrences", "skipped"),  # It rules the schedule out.
}
TEXTS = (
    "", " ", "plain", "ünïcödé e\u0301", "😀\u200d🔥", "\u202eright to left", "\ufeff",
    "\x01\x1b\x7f", 'quotes \' " ` $$ \\', "%s %(name)s :name {x}", "\\n \n \r\n \t",
    "; drop table users; --", "長い" * 400,
)  # fmt: skip
DOCUMENTS: tuple[dict[str, Any], ...] = (
    {},
    {"z": 1, "aa": [1.5, None, True, {}], "é": {"b": "\n", "a": []}},
    {"": "", "\x1f": "\x7f", "😀": ["\u2028", "\\", '"']},
    {"n": [0, -1, 0.1, 1e-7, 123456789012, 2.0], "deep": [[[[]]], {"x": {"y": {}}}]},
)


# The columns that a check keeps from being empty, before they are NOT NULL themselves.
REQUIRED = text(
    """
    SELECT conrelid::regclass::text, attname
    FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
    WHERE contype = 'c' AND pg_get_constraintdef(pg_constraint.oid) LIKE '%IS NOT NULL))%'
        AND cardinality(conkey) = 1
    """
)
TABLES = text(
    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
)
KEYS = text(
    """
    SELECT indrelid::regclass::text, string_agg(quote_ident(attname), ', ' ORDER BY attnum)
    FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
    JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
    WHERE indisprimary AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
    GROUP BY indrelid ORDER BY 1
    """
)


def fill(connection: Connection, chance: Random | None = None) -> None:
    """Bring every table to at least ROWS rows and commit.

    Raises TypeError for a column type that is not known here, and what the database raises where a
    check is not listed in ALLOWED.
    """
    chance = chance or Random(0)
    present = _count_rows(connection)
    lacking = [name for name, rows in present.items() if rows < ROWS]
    if not lacking:
        connection.rollback()
        return
    schema = MetaData()
    # To reflect a table takes long, and most steps leave them all with their rows.
    schema.reflect(connection, only=lacking)
    for name, column in connection.execute(REQUIRED):
        if name in schema.tables:
            schema.tables[name].columns[column].nullable = False
    for table in schema.sorted_tables:
        for row in range(present[table.name], ROWS):
            connection.execute(insert(table).values(_make_row(connection, table, row, chance)))
    connection.commit()


def read_rows(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of each table that has a primary key, in its order, but for Alembic's own.

    Values are as JSON has them. One statement reads all, because this is done hundreds of times.
    """
    parts = [
        f"SELECT '{table}', (SELECT json_agg(kept ORDER BY {key}) FROM {table} AS kept)"
        for table, key in connection.execute(KEYS)
    ]
    found = connection.exec_driver_sql(" UNION ALL ".join(parts)).all() if parts else []
    connection.rollback()
    return {table: rows or [] for table, rows in found}


def read_schema(connection: Connection) -> list[tuple[Any, ...]]:
    """Return every column, constraint, index and storage setting, as PostgreSQL spells them."""
    statement = """
        SELECT 'column', attrelid::regclass::text, attname::text, concat_ws(' ',
            format_type(atttypid, atttypmod), pg_get_expr(adbin, adrelid), attnotnull,
            attidentity, attgenerated)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
            AND attnum > 0 AND NOT attisdropped
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


def _count_rows(connection: Connection) -> dict[str, int]:
    """Return how many rows each table has, up to ROWS, but for Alembic's own."""
    counts = [
        f"SELECT '{name}', (SELECT count(*) FROM (SELECT FROM {name} LIMIT {ROWS}) AS found)"
        for name in connection.scalars(TABLES)
    ]
    found = connection.exec_driver_sql(" UNION ALL ".join(counts)).all() if counts else []
    return dict(found)


def _make_row(connection: Connection, table: Table, row: int, chance: Random) -> dict[str, Any]:
    values = {}
    for column in table.columns:
        if column.identity is None:
            values[column.name] = _make_value(connection, table, column, row, chance)
    if table.name == "follows":
        for name in FOLLOWED:
            if name != FOLLOWED[row % 4]:
                values[name] = None
    return values


def _make_value(
    connection: Connection, table: Table, column: Column[Any], row: int, chance: Random
) -> Any:
    if table.name == "follows" and column.name in FOLLOWED:
        return _existing_key(connection, column, row)
    is_empty = row % 2 == 1 if table.name in TIED else chance.random() < 0.4
    name = (table.name, column.name)
    if name in NEVER_FILLED or (column.nullable and is_empty and name not in WHOLE):
        return None
    if column.foreign_keys:
        return _existing_key(connection, column, row)
    allowed = ALLOWED.get((table.name, column.name))
    return allowed(row) if allowed else _value_of_type(table, column, row, chance)


def _existing_key(connection: Connection, column: Column[Any], row: int) -> Any:
    """Return a key that the column may point at; None in the first row of a tree."""
    (foreign_key,) = column.foreign_keys
    target = foreign_key.column
    keys = connection.scalars(select(target).order_by(target)).all()
    return keys[row % len(keys)] if keys else None


def _value_of_type(table: Table, column: Column[Any], row: int, chance: Random) -> Any:
    """Return a value of the column's type; texts and keys begin with the row's number."""
    label = f"{row}-{table.name}-{column.name}"
    digest = hashlib.sha256(f"{label}-{chance.random()}".encode()).digest()
    makers: list[tuple[type[Any], Any]] = [
        (Text, f"{label}-{chance.choice(TEXTS)}"),
        (SmallInteger, 100 + row),
        (BigInteger, 100 + row),
        (Double, 100.5 + row),
        (DateTime, START + timedelta(hours=row, microseconds=chance.randrange(-(10**15), 10**15))),
        (Date, (START + timedelta(days=row)).date()),
        (Boolean, chance.random() < 0.5),
        (LargeBinary, digest),
        (JSON, chance.choice(DOCUMENTS)),
        (Uuid, UUID(bytes=digest[:16])),
        (TSVECTOR, f"'word{row}':1"),
    ]
    if isinstance(column.type, ARRAY):
        if isinstance(column.type.item_type, Text):
            return chance.sample(TEXTS, chance.randrange(4))
        return [row, row + 1]
    for kind, value in makers:
        if isinstance(column.type, kind):
            return value
    raise TypeError(f"{table.name}.{column.name} is a {column.type!r}.")
