"""How long the statements of a step take, and how long others wait for them: estimates by size."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from webapp.kit.migration_sql.effects import Effect, Work
from webapp.kit.migration_sql.statements import normalise
from webapp.services.migrations.schema_facts import TableSize

# What a small machine does at the least, with the disk not busy otherwise. They are for the order
# of magnitude; the server's own speed is learnt by a rehearsal on a copy.
SCAN_BYTES_PER_SECOND = 100_000_000
INDEX_BYTES_PER_SECOND = 25_000_000
REWRITE_BYTES_PER_SECOND = 20_000_000
ROWS_PER_SECOND = 20_000
# What alembic/env.py sets for each command.
STATEMENT_TIMEOUT_SECONDS = 15
# For a table without statistics.
BYTES_A_ROW = 100

_TIMEOUT = re.compile(r"SET (?:LOCAL |SESSION )?statement_timeout (?:=|TO) (\S+)", re.IGNORECASE)

ADVICE = {
    Work.NONE: "Let the step that works long be one of its own, before the lock is taken.",
    Work.SCAN: (
        "Add the rule NOT VALID and validate it in a later step; SET NOT NULL looks at no row where"
        " a validated CHECK (… IS NOT NULL) is there."
    ),
    Work.INDEX: "Make the index CONCURRENTLY, in an autocommit block.",
    Work.REWRITE: "Add a new column instead, fill it by a backfill, and switch to it.",
    Work.ROWS: "Write the rows in batches, by a backfill.",
}


@dataclass(frozen=True)
class Share:
    """The share of one table in a statement: its lock, its work, and the estimated seconds."""

    table: str | None
    effect: Effect
    seconds: float
    total_bytes: int
    rows: int | None


@dataclass(frozen=True)
class Hold:
    """For how long, estimated, others wait for a table, and who."""

    table: str
    blocks: str
    work: Work
    seconds: float


def estimate(effect: Effect, sizes: Mapping[str, TableSize]) -> Share:
    """Estimate what an effect costs. A table that is not there costs nothing."""
    measured = effect.sized_by if effect.sized_by in sizes else effect.table
    size = sizes.get(measured or "", TableSize(0, 0, 0))
    if not effect.is_known:
        # It may be any table, so it is taken for the largest.
        size = max(sizes.values(), key=lambda found: found.total_bytes, default=size)
    rows = size.table_bytes // BYTES_A_ROW if size.rows is None else size.rows
    seconds = {
        Work.NONE: 0.0,
        Work.SCAN: size.table_bytes / SCAN_BYTES_PER_SECOND,
        Work.INDEX: size.table_bytes / INDEX_BYTES_PER_SECOND,
        Work.REWRITE: size.total_bytes / REWRITE_BYTES_PER_SECOND,
        Work.ROWS: rows / ROWS_PER_SECOND,
    }[effect.work]
    return Share(effect.table, effect, seconds, size.total_bytes, size.rows)


def transactions(
    statements: Sequence[tuple[str, list[Effect]]],
) -> Iterator[list[tuple[str, list[Effect]]]]:
    """Cut the statements of a step into its transactions; outside of one, each is its own."""
    inside: list[tuple[str, list[Effect]]] | None = None
    for sql, effects in statements:
        word = normalise(sql).upper()
        if word == "BEGIN":
            inside = [(sql, effects)]
        elif word == "COMMIT" and inside is not None:
            yield inside
            inside = None
        elif inside is not None:
            inside.append((sql, effects))
        else:
            yield [(sql, effects)]
    if inside:
        yield inside


def longest_holds(shares: Sequence[Sequence[Share]]) -> list[Hold]:
    """Return the longest hold on each table in one transaction.

    A lock is held from its statement until the end of the transaction, so whatever comes later in
    it counts as well. Rows that were written stay locked for as long, for others that write them.
    """
    remaining = sum(share.seconds for found in shares for share in found)
    holds: dict[str, Hold] = {}
    for found in shares:
        for share in found:
            name = share.table or "every table"
            blocks = _who_waits(share.effect)
            if blocks and name not in holds:
                holds[name] = Hold(name, blocks, share.effect.work, remaining)
        remaining -= sum(share.seconds for share in found)
    return list(holds.values())


def too_slow(
    statements: Sequence[tuple[str, list[Effect]]], sizes: Mapping[str, TableSize]
) -> Iterator[tuple[str, float]]:
    """Yield the statements, and their seconds, that the timeout of the migrations would cut off."""
    is_limited = True
    for sql, effects in statements:
        setting = _TIMEOUT.match(normalise(sql))
        if setting is not None:
            is_limited = setting.group(1).strip("'") != "0"
        seconds = sum(estimate(effect, sizes).seconds for effect in effects)
        if is_limited and seconds > STATEMENT_TIMEOUT_SECONDS:
            yield sql, seconds


def _who_waits(effect: Effect) -> str | None:
    if effect.lock.blocks_reads:
        return "reads and writes"
    if effect.lock.blocks_writes:
        return "writes"
    if effect.work is Work.ROWS and not effect.commits_in_between:
        return "writes of the same rows"
    return None
