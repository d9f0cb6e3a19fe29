"""How long each statement of a step takes: estimates, by the sizes of the tables."""

from collections.abc import Mapping
from dataclasses import dataclass

from webapp.kit.migration_sql.classify import classify
from webapp.kit.migration_sql.effects import Effect, Lock, Work
from webapp.kit.migration_sql.schema import Schema
from webapp.services.operations.migrations.schema_facts import TableSize

# What a small machine does at the least, with the disk not busy otherwise. They are for the order
# of magnitude; the server's own speed is learnt by a rehearsal on a copy.
SCAN_BYTES_PER_SECOND = 100_000_000
INDEX_BYTES_PER_SECOND = 25_000_000
REWRITE_BYTES_PER_SECOND = 20_000_000
ROWS_PER_SECOND = 20_000
# For a table without statistics.
BYTES_A_ROW = 100

EMPTY = TableSize(0, 0, 0)


@dataclass(frozen=True)
class Share:
    """The share of one table in a statement: its lock, its work, and the estimated seconds.

    `unmeasured` are the tables that the work depends on and whose size is not known.
    """

    table: str | None
    effect: Effect
    seconds: float
    total_bytes: int
    rows: int | None
    unmeasured: tuple[str, ...] = ()


def read_shares(sql: str, schema: Schema, sizes: dict[str, TableSize]) -> list[Share]:
    """Return the shares of the tables in a statement, but for what concerns nobody.

    A table that a pending statement makes is used by nobody, so its lock does not count; the work
    does, for it takes its time. What is noted in `schema` and `sizes` counts for later statements.
    """
    shares = []
    for effect in classify(sql, schema):
        if effect.table in schema.created:
            sizes.setdefault(effect.table, EMPTY)
            share = _estimate(_without_its_lock(effect), sizes)
            if share.seconds or share.unmeasured or effect.no_transaction:
                shares.append(share)
            if effect.work is Work.ROWS:
                sizes[effect.table] = _largest(sizes, Work.ROWS, effect.table, *effect.sized_by)
        elif effect.table != "alembic_version":
            shares.append(_estimate(effect, sizes))
    return shares


def _estimate(effect: Effect, sizes: Mapping[str, TableSize]) -> Share:
    """Estimate what an effect costs."""
    sized_by = effect.sized_by or (effect.table or "",)
    # What is not known may be done to any table, so it is taken for the largest.
    size = _largest(sizes, effect.work, *(sized_by if effect.is_known else sizes))
    is_work = effect.work is not Work.NONE and effect.is_known
    unmeasured = tuple(table for table in sized_by if is_work and table not in sizes)
    seconds = _seconds(effect.work, size)
    return Share(effect.table, effect, seconds, size.total_bytes, size.rows, unmeasured)


def _without_its_lock(effect: Effect) -> Effect:
    return Effect(
        effect.table,
        Lock.NONE,
        effect.work,
        sized_by=effect.sized_by,
        no_transaction=effect.no_transaction,
    )


def _largest(sizes: Mapping[str, TableSize], work: Work, *tables: str) -> TableSize:
    """Return the size of the table on which the work takes the longest."""
    found = [sizes[table] for table in tables if table in sizes]
    return max(found, key=lambda size: _seconds(work, size), default=EMPTY)


def _seconds(work: Work, size: TableSize) -> float:
    rows = size.table_bytes // BYTES_A_ROW if size.rows is None else size.rows
    return {
        Work.NONE: 0.0,
        Work.SCAN: size.table_bytes / SCAN_BYTES_PER_SECOND,
        Work.INDEX: size.table_bytes / INDEX_BYTES_PER_SECOND,
        Work.REWRITE: size.total_bytes / REWRITE_BYTES_PER_SECOND,
        Work.ROWS: rows / ROWS_PER_SECOND,
    }[work]
