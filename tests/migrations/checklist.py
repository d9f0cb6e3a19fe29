"""The checklist that every migration is held against, as rules with names.

A step that has a reason to break one says so in its file: `# checklist: <rule> - <reason>`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from postgast import pg_query_pb2 as tree
from postgast import walk

from webapp.kit.migration_sql.classify import classify
from webapp.kit.migration_sql.effects import Effect, Phase, Work
from webapp.kit.migration_sql.schema import Schema
from webapp.kit.migration_sql.statements import (
    UnreadableError,
    listed_name,
    normalise,
    read,
    relation_name,
    split_statements,
)

FEWEST_WORDS = 3
FEWEST_WORDS_OF_A_REASON = 4
VAGUE = {"change", "changes", "fix", "fixes", "misc", "stuff", "temp", "update", "updates", "wip"}
SECRETS = {
    "a password in a URL": r"\w+://[^\s:/@'\"]+:[^\s@'\"]+@",
    "a value for a secret": (
        r"(?i)(?:password|passwd|secret|api_?key|token)\w*['\"]?\s*[=:]\s*['\"][^'\"]{4,}"
    ),
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "a key of a cloud": (
        r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_\w{30,}|sk_live_\w{16,}|xox[abp]-[\w-]{10,})"
    ),
    "a long random word": r"['\"](?=[A-Za-z+/]*\d)[A-Za-z0-9+/]{32,}={0,2}['\"]",
}

_OPT_OUT = re.compile(r"^# checklist: *([\w-]*)(?: +- *(.*))?$", re.M)
_BOOKKEEPING = re.compile(r"alembic_version|^(?:BEGIN|COMMIT|SET .*)$", re.I)


@dataclass(frozen=True)
class ForeignKey:
    """One foreign key as a step writes it."""

    table: str
    columns: tuple[str, ...]
    rule: str


@dataclass
class StepFacts:
    """What the rules look at: one step, and what is known of the whole chain."""

    message: str
    source: str
    contract: object
    effects: list[tuple[str, Effect]]
    created: set[str]
    altered: set[str]
    foreign_keys: list[ForeignKey]
    indexes: set[tuple[str, str]] = field(default_factory=set)


def read_facts(steps: list[tuple[str, str, str, object]]) -> list[StepFacts]:
    """Read (message, source, SQL, contract mark) of each step of a chain, in its order."""
    schema, indexes, chain = Schema(), set[tuple[str, str]](), []
    for message, source, sql, contract in steps:
        before = set(schema.created)
        statements = [
            statement
            for statement in map(normalise, split_statements(sql))
            if not _BOOKKEEPING.search(statement)
        ]
        effects = [
            (statement, effect)
            for statement in statements
            for effect in classify(statement, schema)
        ]
        created = schema.created - before - {"alembic_version"}
        altered = {table for statement in statements for table in _altered_by(statement)}
        indexes |= {index for statement in statements for index in _indexes_of(statement)}
        keys = [key for statement in statements for key in _foreign_keys_of(statement)]
        facts = StepFacts(message, source, contract, effects, created, altered, keys)
        chain.append(facts)
    for facts in chain:
        facts.indexes = indexes
    return chain


def check(facts: StepFacts) -> list[str]:
    """Return what is wrong with a step, rule by rule, and with its opt-outs."""
    problems, excused = [], dict[str, str]()
    for rule, reason in _OPT_OUT.findall(facts.source):
        if rule not in RULES:
            problems.append(f"opt-out: there is no rule {rule!r}")
        elif len(reason.split()) < FEWEST_WORDS_OF_A_REASON:
            problems.append(f"opt-out: {rule} is opted out of without a reason")
        else:
            excused[rule] = reason
    for rule, find in RULES.items():
        found = list(find(facts))
        if rule not in excused:
            problems += [f"{rule}: {problem}" for problem in found]
        elif not found:
            problems.append(f"opt-out: {rule} is opted out of, and kept")
    return problems


def _on_delete(facts: StepFacts) -> Iterator[str]:
    for key in facts.foreign_keys:
        if not re.search(r"\bON DELETE\b", key.rule, re.I):
            yield f"{key.table}.{key.columns} does not say what a deletion does"


def _foreign_key_index(facts: StepFacts) -> Iterator[str]:
    for key in facts.foreign_keys:
        if (key.table, key.columns[0]) not in facts.indexes:
            yield f"no index begins with {key.table}.{key.columns[0]}"


def _not_null_default(facts: StepFacts) -> Iterator[str]:
    for _, effect in facts.effects:
        if effect.defect and effect.is_known and effect.table not in facts.created:
            yield f"{effect.table}: {effect.defect}"
    for statement, effect in facts.effects:
        if "SET NOT NULL" in statement.upper() and effect.work is not Work.NONE:
            yield f"{statement}: no validated check proves it"


def _message(facts: StepFacts) -> Iterator[str]:
    words = facts.message.lower().split()
    if len(words) < FEWEST_WORDS or VAGUE & set(words):
        yield f"{facts.message!r} does not say what is done to what"


def _one_change(facts: StepFacts) -> Iterator[str]:
    writes_rows = {
        effect.table
        for _, effect in facts.effects
        if effect.phase is Phase.BACKFILL or effect.work is Work.ROWS
    }
    tables = facts.created | facts.altered
    if len(tables) > 1 or len(writes_rows) > 1:
        yield f"it is about {', '.join(sorted(tables | {str(table) for table in writes_rows}))}"
    elif tables and writes_rows:
        yield "it changes a table and writes rows"


def _secrets(facts: StepFacts) -> Iterator[str]:
    for kind, pattern in SECRETS.items():
        if re.search(pattern, facts.source):
            yield f"it seems to hold {kind}"


def _contract_mark(facts: StepFacts) -> Iterator[str]:
    takes_away = [effect for _, effect in facts.effects if effect.phase is Phase.CONTRACT]
    is_marked = isinstance(facts.contract, str) and facts.contract.strip()
    if takes_away and not is_marked:
        yield "it takes something away and gives no `contract` reason"


RULES: dict[str, Callable[[StepFacts], Iterator[str]]] = {
    "on-delete": _on_delete,
    "foreign-key-index": _foreign_key_index,
    "not-null-default": _not_null_default,
    "message": _message,
    "one-change": _one_change,
    "secrets": _secrets,
    "contract-mark": _contract_mark,
}


def _read(statement: str) -> tree.Node:
    """Return the tree of a statement; one that cannot be read is found elsewhere."""
    try:
        return read(statement).stmts[0].stmt
    except UnreadableError:
        return tree.Node()


def _altered_by(statement: str) -> Iterator[str]:
    """Yield the table that a statement changes or makes an index on."""
    node = _read(statement)
    for kind in ("alter_table_stmt", "index_stmt"):
        if node.HasField(kind):
            yield relation_name(getattr(node, kind).relation)


def _definitions_in(statement: str) -> Iterator[tuple[str, str, tree.Constraint, str]]:
    """Yield (table, column of a definition of one, constraint, its text) of a statement.

    The tree does not tell ON DELETE NO ACTION from nothing, so a constraint goes with its text.
    """
    node, text = _read(statement), statement.encode()
    found = node.create_stmt if node.HasField("create_stmt") else node.alter_table_stmt
    table, column = relation_name(found.relation), ""
    parts = [part for _, part in walk(found) if isinstance(part, tree.ColumnDef | tree.Constraint)]
    ends = sorted([*(part.location for part in parts), len(text)])
    for part in parts:
        if isinstance(part, tree.ColumnDef):
            column = part.colname
        else:
            end = next(end for end in ends if end > part.location)
            yield table, column, part, text[part.location : end].decode()


def _foreign_keys_of(statement: str) -> Iterator[ForeignKey]:
    for table, column, constraint, text in _definitions_in(statement):
        if constraint.contype == tree.CONSTR_FOREIGN:
            columns = tuple(listed_name([name]) for name in constraint.fk_attrs)
            yield ForeignKey(table, columns or (column,), text)


def _indexes_of(statement: str) -> Iterator[tuple[str, str]]:
    """Yield (table, leading column) of each index that a statement makes."""
    for table, column, constraint, _ in _definitions_in(statement):
        if constraint.contype in {tree.CONSTR_UNIQUE, tree.CONSTR_PRIMARY}:
            yield table, listed_name(constraint.keys[:1]) if constraint.keys else column
    index = _read(statement).index_stmt
    if index.index_params:
        column = index.index_params[0].index_elem.name
        test = index.where_clause.null_test
        is_not_empty = test.nulltesttype == tree.IS_NOT_NULL and (
            listed_name(test.arg.column_ref.fields) == column
        )
        # A partial one serves where it leaves out no row but those that refer to nothing.
        if is_not_empty or not index.HasField("where_clause"):
            yield relation_name(index.relation), column
