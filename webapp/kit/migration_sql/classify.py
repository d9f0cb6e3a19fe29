"""Which lock a statement takes on which table, and what it does there: one table of patterns.

It knows the statements that migrations are made of. What it does not know it calls unknown, and
that counts as ACCESS EXCLUSIVE on everything.
"""

import re
from collections.abc import Callable

from webapp.kit.migration_sql.alter_table import alter_table
from webapp.kit.migration_sql.effects import UNKNOWN, Effect, Lock, Phase, Work
from webapp.kit.migration_sql.indexes import create_index, drop_index, rename_index
from webapp.kit.migration_sql.row_writes import block, rows
from webapp.kit.migration_sql.schema import IDENTIFIER, Schema, bare
from webapp.kit.migration_sql.statements import normalise, split_at_commas, without_quoted

Judge = Callable[["re.Match[str]", Schema], list[Effect]]

_REFERENCES = re.compile(rf"\bREFERENCES ({IDENTIFIER})", re.IGNORECASE)


def classify(statement: str, schema: Schema) -> list[Effect]:
    """Return what a statement does, and note in `schema` what it makes known to those after it."""
    text = normalise(statement)
    for pattern, judge in _STATEMENTS:
        match = pattern.fullmatch(text)
        if match is not None:
            return judge(match, schema)
    return [UNKNOWN]


def _nothing(_match: "re.Match[str]", _schema: Schema) -> list[Effect]:
    return []


def _create_function(match: "re.Match[str]", schema: Schema) -> list[Effect]:
    replaces, name = match.group(1), bare(match.group(2))
    if not replaces or name not in schema.functions:
        return []
    rule = f"The running code and its triggers get the new {name}, where they call it already."
    return [Effect(None, Lock.NONE, condition=rule)]


def _gone_for_the_code(_match: "re.Match[str]", _schema: Schema) -> list[Effect]:
    return [Effect(None, Lock.NONE, phase=Phase.CONTRACT)]


def _create_table(match: "re.Match[str]", schema: Schema) -> list[Effect]:
    table, rest = bare(match.group(1)), without_quoted(match.group(2))
    if re.search(r"\)\s*(?:INHERITS|AS)\b|\bLIKE ", rest, re.IGNORECASE):
        return [UNKNOWN]
    if table not in schema.existing:
        schema.created.add(table)
    targets = {bare(found) for found in _REFERENCES.findall(rest)} - {table}
    return [
        Effect(table, Lock.ACCESS_EXCLUSIVE),
        *(Effect(target, Lock.SHARE_ROW_EXCLUSIVE) for target in sorted(targets)),
    ]


def _drop_table(match: "re.Match[str]", schema: Schema) -> list[Effect]:
    effects = []
    for name in split_at_commas(match.group(1)):
        table = bare(name)
        removal = Effect(table, Lock.ACCESS_EXCLUSIVE, phase=Phase.CONTRACT, removes="")
        related = sorted(schema.refers_to(table))
        effects += [removal, *(Effect(other, Lock.ACCESS_EXCLUSIVE) for other in related)]
    return effects


def _truncate(match: "re.Match[str]", _schema: Schema) -> list[Effect]:
    names = [bare(name) for name in split_at_commas(match.group(1))]
    return [Effect(name, Lock.ACCESS_EXCLUSIVE, phase=Phase.CONTRACT) for name in names]


def _comment(match: "re.Match[str]", _schema: Schema) -> list[Effect]:
    table = match.group(2).rpartition(".")[0] if match.group(1).upper() == "COLUMN" else None
    return [Effect(bare(table or match.group(2)), Lock.SHARE_UPDATE_EXCLUSIVE)]


def _create_trigger(match: "re.Match[str]", _schema: Schema) -> list[Effect]:
    return [Effect(bare(match.group(1)), Lock.SHARE_ROW_EXCLUSIVE)]


def _drop_trigger(match: "re.Match[str]", _schema: Schema) -> list[Effect]:
    return [Effect(bare(match.group(1)), Lock.ACCESS_EXCLUSIVE, phase=Phase.CONTRACT)]


def _lock_table(match: "re.Match[str]", _schema: Schema) -> list[Effect]:
    mode = (match.group(2) or "ACCESS EXCLUSIVE").upper().replace(" ", "_")
    return [Effect(bare(match.group(1)), Lock[mode])]


def _analyze(match: "re.Match[str]", _schema: Schema) -> list[Effect]:
    return [Effect(bare(match.group(1)), Lock.SHARE_UPDATE_EXCLUSIVE, Work.SCAN)]


_N = IDENTIFIER
_MODES = "|".join(lock.label for lock in Lock if lock)
_TABLE: list[tuple[str, Judge]] = [
    (r"(?:SET|RESET|SHOW) .+", _nothing),
    (r"(?:BEGIN|COMMIT|START TRANSACTION|SAVEPOINT .+|RELEASE .+)", _nothing),
    (rf"CREATE TABLE (?:IF NOT EXISTS )?({_N}) ?(\(.+)", _create_table),
    (rf"DROP TABLE (?:IF EXISTS )?({_N}(?:, ?{_N})*)", _drop_table),
    (rf"TRUNCATE (?:TABLE )?({_N}(?:, ?{_N})*)", _truncate),
    (rf"CREATE (UNIQUE )?INDEX (CONCURRENTLY )?(IF NOT EXISTS )?({_N}) ON (?:ONLY )?({_N})\b.+",
     create_index),
    (rf"DROP INDEX (CONCURRENTLY )?(IF EXISTS )?({_N})", drop_index),
    (rf"ALTER INDEX (?:IF EXISTS )?({_N}) RENAME TO {_N}", rename_index),
    (r"ALTER TABLE .+", lambda match, schema: alter_table(match.group(), schema)),
    (rf"COMMENT ON (TABLE|COLUMN) ({_N}(?:\.{_N})*) IS .+", _comment),
    (rf"CREATE (OR REPLACE )?(?:FUNCTION|PROCEDURE) ({_N})\b.+", _create_function),
    (r"CREATE (?:TYPE|SCHEMA|SEQUENCE|EXTENSION) .+", _nothing),
    (r"ALTER TYPE \S+ ADD VALUE .+", _nothing),
    (rf"DROP (?:FUNCTION|PROCEDURE|TYPE|SEQUENCE) (?:IF EXISTS )?{_N}(?: ?\([^)]*\))?",
     _gone_for_the_code),
    (rf"CREATE (?:OR REPLACE )?TRIGGER \S+ .+? ON ({_N})\b.+", _create_trigger),
    (rf"DROP TRIGGER (?:IF EXISTS )?\S+ ON ({_N})", _drop_trigger),
    (rf"LOCK (?:TABLE )?({_N})(?: IN ({_MODES}) MODE)?", _lock_table),
    (rf"ANALYZE ({_N})", _analyze),
    (r"(?:UPDATE|INSERT INTO|DELETE FROM|WITH) .+", rows),
    (r"DO (?:LANGUAGE plpgsql )?\$(\w*)\$(?P<body>.*)\$\1\$", block),
]  # fmt: skip
_STATEMENTS = [(re.compile(pattern, re.IGNORECASE | re.DOTALL), judge) for pattern, judge in _TABLE]
