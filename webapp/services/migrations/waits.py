"""Who would have to wait for a step, and what would cut it off half way."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from webapp.kit.migration_sql.effects import Effect, Lock, Work
from webapp.kit.migration_sql.statements import normalise
from webapp.services.migrations.step_work import Share

# What alembic/env.py sets for each command.
STATEMENT_TIMEOUT_SECONDS = 15

_TIMEOUT = re.compile(r"SET (?:LOCAL |SESSION )?statement_timeout (?:=|TO) (\S+)", re.IGNORECASE)
_ADVICE = {
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
class ReadStatement:
    """One statement as it stands in the step, and the shares of the tables in it."""

    sql: str
    shares: list[Share]


@dataclass(frozen=True)
class Hold:
    """For how long, estimated, others wait for a table, and who."""

    table: str
    blocks: str
    work: Work
    seconds: float


def refuse_waiting(statements: Sequence[ReadStatement], longest_hold_seconds: float) -> list[str]:
    """Refuse what would keep others waiting for too long, or be cut off half way."""
    refusals = [
        f"How large {table} is, is not known here, so neither is how long the {share.effect.work}"
        " would take. Look at it yourself, and allow the step if it is small."
        for statement in statements
        for share in statement.shares
        for table in share.unmeasured
    ]
    for transaction in transactions(statements):
        refusals += [
            f"Others would wait about {hold.seconds:.1f} s for {hold.table} ({hold.blocks}), and"
            f" {longest_hold_seconds:g} s is the most. {_ADVICE[hold.work]}"
            for hold in longest_holds([statement.shares for statement in transaction])
            if hold.seconds > longest_hold_seconds
        ]
        refusals += [
            "CONCURRENTLY does not run in a transaction: use `op.get_context().autocommit_block()`."
            for statement in transaction
            if len(transaction) > 1 and " CONCURRENTLY " in normalise(statement.sql).upper()
        ]
    refusals += [
        f"`{normalise(sql)[:60]}` would take about {seconds:.0f} s, and be cut off by the"
        f" statement_timeout of {STATEMENT_TIMEOUT_SECONDS} s: set it to 0 for that statement."
        for sql, seconds in too_slow(statements)
    ]
    return refusals


def transactions(statements: Sequence[ReadStatement]) -> Iterator[list[ReadStatement]]:
    """Cut the statements of a step into its transactions; outside of one, each is its own."""
    inside: list[ReadStatement] | None = None
    for statement in statements:
        word = normalise(statement.sql).upper()
        if word == "BEGIN":
            inside = [statement]
        elif word == "COMMIT" and inside is not None:
            yield inside
            inside = None
        elif inside is not None:
            inside.append(statement)
        else:
            yield [statement]
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


def too_slow(statements: Sequence[ReadStatement]) -> Iterator[tuple[str, float]]:
    """Yield the statements, and their seconds, that the timeout of the migrations would cut off."""
    is_limited = True
    for statement in statements:
        setting = _TIMEOUT.match(normalise(statement.sql))
        if setting is not None:
            is_limited = setting.group(1).strip("'") != "0"
        seconds = sum(share.seconds for share in statement.shares)
        if is_limited and seconds > STATEMENT_TIMEOUT_SECONDS:
            yield statement.sql, seconds


def _who_waits(effect: Effect) -> str | None:
    if effect.lock.blocks_reads:
        return "reads and writes"
    if effect.lock.blocks_writes:
        return "writes"
    if effect.lock is not Lock.NONE and effect.work is Work.ROWS and not effect.commits_in_between:
        return "writes of the same rows"
    return None
