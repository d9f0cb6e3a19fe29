"""The checklist that every migration is held against, as rules with names.

A step that has a reason to break one says so in its file: `# checklist: <rule> - <reason>`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from webapp.kit.migration_sql.classify import classify
from webapp.kit.migration_sql.effects import Effect, Phase, Work
from webapp.kit.migration_sql.schema import IDENTIFIER, Schema, bare
from webapp.kit.migration_sql.statements import (
    first_bracket,
    normalise,
    split_at_commas,
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

_N = IDENTIFIER
_FOREIGN_KEY = re.compile(
    r"(?:CONSTRAINT \S+ )?FOREIGN KEY ?\(([^)]*)\) (REFERENCES .+)", re.I | re.S
)
_INLINE_KEY = re.compile(rf"({_N}) .*\b(REFERENCES .+)", re.I | re.S)
_UNIQUE = re.compile(r"(?:CONSTRAINT \S+ )?(?:UNIQUE|PRIMARY KEY)[^(]*\(([^)]*)\)", re.I)
_INLINE_UNIQUE = re.compile(rf"({_N}) .*\b(?:UNIQUE|PRIMARY KEY)\b", re.I | re.S)
_ALTER = re.compile(rf"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?({_N}) (.+)", re.I | re.S)
_CREATE = re.compile(rf"CREATE TABLE (?:IF NOT EXISTS )?({_N}) ?\(.+", re.I | re.S)
_INDEX = re.compile(
    rf"CREATE (?:UNIQUE )?INDEX (?:CONCURRENTLY )?(?:IF NOT EXISTS )?{_N} ON (?:ONLY )?({_N})"
    r" (?:USING \w+ )?\(([^)]*)\)(.*)",
    re.I | re.S,
)
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
        altered = {bare(found.group(1)) for found in map(_ALTER.match, statements) if found}
        altered |= {bare(found.group(1)) for found in map(_INDEX.match, statements) if found}
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


def _parts_of(statement: str) -> tuple[str, list[str]]:
    """Return the table of a statement, and the definitions that it adds to the table."""
    created, altered = _CREATE.fullmatch(statement), _ALTER.fullmatch(statement)
    if created is not None:
        return bare(created.group(1)), split_at_commas(first_bracket(statement) or "")
    if altered is not None:
        actions = split_at_commas(altered.group(2))
        added = [re.sub(r"^ADD (?:COLUMN )?", "", one, flags=re.I) for one in actions]
        return bare(altered.group(1)), added
    return "", []


def _foreign_keys_of(statement: str) -> Iterator[ForeignKey]:
    table, parts = _parts_of(statement)
    for part in parts:
        found = _FOREIGN_KEY.fullmatch(part) or _INLINE_KEY.fullmatch(part)
        if found is not None:
            columns = tuple(bare(name) for name in split_at_commas(found.group(1)))
            yield ForeignKey(table, columns, found.group(2))


def _indexes_of(statement: str) -> Iterator[tuple[str, str]]:
    """Yield (table, leading column) of each index that a statement makes."""
    table, parts = _parts_of(statement)
    for part in parts:
        unique, inline = _UNIQUE.match(part), _INLINE_UNIQUE.match(part)
        if unique is not None:
            yield table, bare(split_at_commas(unique.group(1))[0])
        elif inline is not None:
            yield table, bare(inline.group(1))
    index = _INDEX.fullmatch(statement)
    if index is not None:
        column, rest = split_at_commas(index.group(2))[0], index.group(3).strip(" ()")
        # A partial one serves where it leaves out no row but those that refer to nothing.
        if rest.upper() in {"", f"WHERE {column} IS NOT NULL".upper()}:
            yield bare(index.group(1)), bare(column)
