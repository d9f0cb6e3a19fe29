"""What the database says of its own tables: sizes, types, keys and checks."""

import re
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from webapp.kit.migration_sql.schema import ForeignKey, Schema

# A partitioned table is as large as its parts.
_SIZES = text(
    """
    WITH RECURSIVE part (name, oid) AS (
        SELECT relname, oid FROM pg_class
        WHERE relkind IN ('r', 'p', 'm') AND relnamespace = 'public'::regnamespace
        UNION ALL
        SELECT name, inhrelid FROM part JOIN pg_inherits ON inhparent = part.oid
    )
    SELECT name, sum(pg_total_relation_size(oid))::bigint, sum(pg_table_size(oid))::bigint,
           CASE WHEN min(reltuples) FILTER (WHERE relkind <> 'p') < 0 THEN -1
                ELSE coalesce(sum(reltuples) FILTER (WHERE relkind <> 'p'), 0) END
    FROM part JOIN pg_class USING (oid) GROUP BY name ORDER BY name
    """
)
_RELATIONS = text(
    """
    SELECT relname FROM pg_class
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND relnamespace = 'public'::regnamespace
    """
)
_FUNCTIONS = text("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
_COLUMNS = text(
    """
    SELECT relname, attname, format_type(atttypid, atttypmod)
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
      AND attnum > 0 AND NOT attisdropped
    """
)
_INDEXES = text(
    """
    SELECT pg_class.relname, of_table.relname, indisunique AND indisvalid
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    JOIN pg_class AS of_table ON of_table.oid = indrelid
    WHERE pg_class.relnamespace = 'public'::regnamespace
    """
)
_CONSTRAINTS = text(
    """
    SELECT of_table.relname, conname, contype::text, referred.relname, convalidated,
           pg_get_constraintdef(pg_constraint.oid), ARRAY(
               SELECT attname::text FROM pg_attribute
               WHERE attrelid = conrelid AND attnum = ANY (conkey)
           )
    FROM pg_constraint JOIN pg_class AS of_table ON of_table.oid = conrelid
    LEFT JOIN pg_class AS referred ON referred.oid = confrelid
    WHERE connamespace = 'public'::regnamespace AND contype IN ('f', 'c', 'u', 'p', 'x')
    """
)
_DEFAULT_PARTITIONS = text(
    """
    SELECT whole.relname, part.relname FROM pg_partitioned_table
    JOIN pg_class AS whole ON whole.oid = partrelid
    JOIN pg_class AS part ON part.oid = partdefid
    WHERE whole.relnamespace = 'public'::regnamespace
    """
)
_NOT_NULL = re.compile(r"CHECK \(\((\w+) IS NOT NULL\)\)(?: NOT VALID)?")


@dataclass(frozen=True)
class TableSize:
    """How large a table is. `rows` is an estimate, None where the statistics know nothing yet."""

    total_bytes: int
    table_bytes: int
    rows: int | None


def read_sizes(session: Session) -> dict[str, TableSize]:
    """Return the size of every table, by its name."""
    return {
        name: TableSize(total, heap, None if rows < 0 else int(rows))
        for name, total, heap, rows in session.execute(_SIZES)
    }


def read_schema(session: Session) -> Schema:
    """Return the facts that decide about locks and work."""
    schema = Schema(
        existing=set(session.scalars(_RELATIONS)), functions=set(session.scalars(_FUNCTIONS))
    )
    for table, column, kind in session.execute(_COLUMNS):
        schema.column_types[table, column] = kind
    for index, table, is_unique in session.execute(_INDEXES):
        schema.index_tables[index] = table
        if is_unique:
            schema.unique_indexes.add(index)
    for table, name, kind, referred, is_validated, rule, columns in session.execute(_CONSTRAINTS):
        not_null = _NOT_NULL.fullmatch(rule)
        if kind == "f":
            schema.foreign_keys[table, name] = ForeignKey(tuple(columns), referred)
        elif kind != "c":
            schema.unique_keys.add((table, name))
        elif not_null:
            schema.not_null_checks[table, name] = not_null.group(1)
        if is_validated:
            schema.validated.add((table, name))
    for whole, part in session.execute(_DEFAULT_PARTITIONS):
        schema.default_partitions[whole] = part
    return schema
