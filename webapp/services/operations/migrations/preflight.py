"""Whether the pending migrations are safe to run while the present release serves.

Each statement is judged by its lock and by the work that the size of the table makes of it, each
step by the longest time that others would wait and by what it asks of the running code.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from webapp.kit.migration_sql.effects import Effect, Phase
from webapp.kit.migration_sql.schema import Schema
from webapp.kit.migration_sql.statements import normalise, split_statements
from webapp.services.operations.migrations.schema_facts import TableSize
from webapp.services.operations.migrations.step_work import read_shares
from webapp.services.operations.migrations.waits import (
    ReadStatement,
    refuse_waiting,
    wait_conditions,
)

_BOOKKEEPING = re.compile(
    r"BEGIN$|COMMIT$|SET (?:LOCAL )?(?:lock|statement)_timeout|(?:CREATE TABLE|UPDATE|INSERT INTO)"
    r" alembic_version\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class PendingStep:
    """One step that is still to run: its SQL, and what its file says of it.

    `sql` is None where the step cannot be written as SQL, for the reason in `error`. `contract`
    says why nothing that runs needs what the step takes away, `contract_since` names the step from
    which on that is so, `after_backfill` the backfill that has to be finished before.
    """

    revision: str
    message: str
    sql: str | None
    error: str | None = None
    contract: object = None
    contract_since: object = None
    after_backfill: object = None


@dataclass(frozen=True)
class Present:
    """What is so in the database, and in the code that is about to be deployed.

    `applied` are the revisions that have run, `mapped` the columns of each table of the models,
    `finished` the names of the backfills that are done, `has_backup` None where nobody knows.
    """

    schema: Schema
    sizes: Mapping[str, TableSize]
    applied: Collection[str]
    mapped: Mapping[str, Collection[str]]
    finished: Collection[str]
    has_backup: bool | None
    longest_hold_seconds: float = 1.0


@dataclass(frozen=True)
class JudgedStep:
    """What a step does. It is safe when there are no refusals; conditions are for a person."""

    revision: str
    message: str
    phase: Phase
    statements: list[ReadStatement]
    refusals: list[str] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)


def judge(steps: Sequence[PendingStep], present: Present) -> list[JudgedStep]:
    """Judge the pending steps in their order; what an earlier one makes known counts later."""
    sizes = dict(present.sizes)
    return [_judge_step(step, present, sizes) for step in steps]


def _judge_step(step: PendingStep, present: Present, sizes: dict[str, TableSize]) -> JudgedStep:
    if step.sql is None:
        reason = f"It cannot be shown as SQL, so nobody can tell what it does: {step.error}"
        return JudgedStep(step.revision, step.message, Phase.CONTRACT, [], [reason])
    statements = [
        ReadStatement(sql, read_shares(sql, present.schema, sizes))
        for sql in split_statements(step.sql)
    ]
    effects = [share.effect for statement in statements for share in statement.shares]
    phases = {effect.phase for effect in effects}
    chosen = [phase for phase in (Phase.CONTRACT, Phase.BACKFILL) if phase in phases]
    judged = JudgedStep(
        revision=step.revision,
        message=step.message,
        phase=chosen[0] if chosen else Phase.EXPAND,
        statements=[found for found in statements if not _is_bookkeeping(found.sql)],
        conditions=_unique(
            [*(effect.condition for effect in effects), *wait_conditions(statements)]
        ),
    )
    judged.refusals.extend(_unique(effect.defect for effect in effects))
    judged.refusals.extend(_unique(refuse_waiting(statements, present.longest_hold_seconds)))
    judged.refusals.extend(_refuse_contract(step, effects, present))
    if step.after_backfill and step.after_backfill not in present.finished:
        command = f"flask db backfill {step.after_backfill}"
        judged.refusals.append(f"It comes after a backfill that is not finished: run `{command}`.")
    return judged


def _is_bookkeeping(sql: str) -> bool:
    return _BOOKKEEPING.match(normalise(sql)) is not None


def _refuse_contract(step: PendingStep, effects: Sequence[Effect], present: Present) -> list[str]:
    contracting = [
        effect for effect in effects if effect.phase is Phase.CONTRACT and effect.is_known
    ]
    if not contracting:
        return []
    tables = sorted({effect.table for effect in contracting if effect.table}) or ["the database"]
    if not (isinstance(step.contract, str) and step.contract.strip()):
        return [
            f"It takes away or changes something of {', '.join(tables)} that the running code may"
            " use. Add, fill and switch first; then mark the step that takes away with `contract`"
            " (why nothing needs it) and `contract_since` (the step from which on that is so)."
        ]
    refusals = []
    if step.contract_since not in present.applied:
        refusals.append(
            f"It is for the time after the release with step {step.contract_since}, which has not"
            " run here: deploy that release everywhere first."
        )
    refusals += [
        f"The models of this very release still map {effect.table}{_dotted(effect.removes)}."
        for effect in contracting
        if _is_mapped(effect, present)
    ]
    if present.has_backup is None:
        refusals.append("It cannot be taken back, and whether there is a backup is unknown.")
    return refusals


def _dotted(column: str | None) -> str:
    return f".{column}" if column else ""


def _is_mapped(effect: Effect, present: Present) -> bool:
    """Say whether the models use what an effect removes: a column, or the whole table."""
    columns = present.mapped.get(effect.table or "", ())
    return (
        effect.removes is not None
        and (not effect.removes or effect.removes in columns)
        and bool(columns)
    )


def _unique(reasons: Iterable[str | None]) -> list[str]:
    """Return the reasons that there are, each once, in their order."""
    return list(dict.fromkeys(reason for reason in reasons if reason))
