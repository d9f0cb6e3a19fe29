"""Who would have to wait for a step, and what would cut it off half way."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from webapp.kit.migration_sql.effects import CONCURRENTLY, Effect, Lock, Work
from webapp.kit.migration_sql.statements import normalise
from webapp.services.operations.migrations.limits import Limits, read_limits
from webapp.services.operations.migrations.step_work import Share

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
    for transaction in _transactions(statements):
        refusals += [
            f"Others would wait about {hold.seconds:.1f} s for {hold.table} ({hold.blocks}), and"
            f" {longest_hold_seconds:g} s is the most. {_ADVICE[hold.work]}"
            for hold in _longest_holds([statement.shares for statement in transaction])
            if hold.seconds > longest_hold_seconds
        ]
        refusals += [
            f"{share.effect.no_transaction} does not run in a transaction: use"
            " `op.get_context().autocommit_block()`."
            for statement in transaction
            for share in statement.shares
            if len(transaction) > 1 and share.effect.no_transaction
        ]
    return refusals + list(_refuse_by_limits(statements))


def wait_conditions(statements: Sequence[ReadStatement]) -> list[str]:
    """Return what a person has to see to, so that a statement gets to its end."""
    return [
        "CONCURRENTLY waits for every transaction that is older, and gives up after the"
        f" lock_timeout of {limits.lock_timeout:g} s beside a longer one: `SET lock_timeout = 0`"
        " belongs before it, and `SET lock_timeout = '1s'` after it."
        for statement, limits in _with_limits(statements)
        for share in statement.shares
        if share.effect.no_transaction == CONCURRENTLY and limits.lock_timeout < math.inf
    ]


def _refuse_by_limits(statements: Sequence[ReadStatement]) -> Iterator[str]:
    limits = None
    for statement, limits in _with_limits(statements):
        start = f"`{normalise(statement.sql)[:60]}` would"
        seconds = sum(share.seconds for share in statement.shares)
        if seconds > limits.statement_timeout:
            yield (
                f"{start} take about {seconds:.0f} s, and be cut off by the statement_timeout of"
                f" {limits.statement_timeout:g} s: set it to 0 for that statement."
            )
        is_blocking = any(share.effect.lock.blocks_writes for share in statement.shares)
        if is_blocking and limits.lock_timeout == math.inf:
            yield (
                f"{start} wait for its lock without end, and everybody else behind it: set"
                " lock_timeout to '1s' before it."
            )
    if limits is not None and limits.lock_timeout == math.inf:
        yield "It leaves the steps after it without a lock_timeout: set it to '1s' at the end."


def _with_limits(statements: Sequence[ReadStatement]) -> Iterator[tuple[ReadStatement, Limits]]:
    return zip(statements, read_limits(found.sql for found in statements), strict=True)


def _transactions(statements: Sequence[ReadStatement]) -> Iterator[list[ReadStatement]]:
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


def _longest_holds(shares: Sequence[Sequence[Share]]) -> list[Hold]:
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


def _who_waits(effect: Effect) -> str | None:
    if effect.lock.blocks_reads:
        return "reads and writes"
    if effect.lock.blocks_writes:
        return "writes"
    if effect.lock is not Lock.NONE and effect.work is Work.ROWS and not effect.commits_in_between:
        return "writes of the same rows"
    return None
