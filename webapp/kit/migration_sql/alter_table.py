"""What each action of an ALTER TABLE does."""

import re
from collections.abc import Callable

from webapp.kit.migration_sql.columns import add_column, alter_type
from webapp.kit.migration_sql.constraints import (
    add_check,
    add_foreign_key,
    add_key,
    drop_column,
    drop_constraint,
    obey,
    validate,
)
from webapp.kit.migration_sql.effects import UNKNOWN, Effect, Lock, Phase, Work
from webapp.kit.migration_sql.schema import IDENTIFIER, Schema, bare
from webapp.kit.migration_sql.statements import split_at_commas

_ALTER = re.compile(
    rf"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?({IDENTIFIER}) (.+)", re.IGNORECASE | re.DOTALL
)
Judge = Callable[[str, "re.Match[str]", Schema], list[Effect]]


def alter_table(statement: str, schema: Schema) -> list[Effect]:
    """Return the effects of all actions of one ALTER TABLE, and note what they make known."""
    match = _ALTER.fullmatch(statement)
    if match is None:
        return [UNKNOWN]
    table = bare(match.group(1))
    effects: list[Effect] = []
    for action in split_at_commas(match.group(2)):
        for pattern, judge in _ACTIONS:
            found = pattern.fullmatch(action)
            if found is not None:
                effects += judge(table, found, schema)
                break
        else:
            effects.append(UNKNOWN)
    return effects


def _strongest(work: Work = Work.NONE, phase: Phase = Phase.EXPAND) -> Judge:
    """Return a judge of actions that take ACCESS EXCLUSIVE on the table alone."""
    return lambda table, _match, _schema: [Effect(table, Lock.ACCESS_EXCLUSIVE, work, phase)]


def _add_column(table: str, match: "re.Match[str]", _schema: Schema) -> list[Effect]:
    return add_column(table, match.group(2))


def _alter_type(table: str, match: "re.Match[str]", schema: Schema) -> list[Effect]:
    return alter_type(table, bare(match.group(1)), match.group(2), schema)


def _set_not_null(table: str, match: "re.Match[str]", schema: Schema) -> list[Effect]:
    column = bare(match.group(1))
    work = Work.NONE if schema.is_proven_not_null(table, column) else Work.SCAN
    rule = f"{table}.{column} is never empty"
    return [Effect(table, Lock.ACCESS_EXCLUSIVE, work, condition=obey(rule))]


def _rename(table: str, match: "re.Match[str]", _schema: Schema) -> list[Effect]:
    removed = bare(match.group(1))
    return [Effect(table, Lock.ACCESS_EXCLUSIVE, phase=Phase.CONTRACT, removes=removed)]


def _rename_table(table: str, match: "re.Match[str]", schema: Schema) -> list[Effect]:
    new_name = bare(match.group(1))
    if table in schema.created and new_name not in schema.existing:
        schema.created.add(new_name)
    return [Effect(table, Lock.ACCESS_EXCLUSIVE, phase=Phase.CONTRACT, removes="")]


def _weak(table: str, _match: "re.Match[str]", _schema: Schema) -> list[Effect]:
    return [Effect(table, Lock.SHARE_UPDATE_EXCLUSIVE)]


_N = IDENTIFIER
# What stands in the place of a column's name, and is none.
_NO_COLUMN = r"(?:COLUMN|CONSTRAINT|CHECK|UNIQUE|PRIMARY|FOREIGN|EXCLUDE|NOT)\b"
_TABLE: list[tuple[str, Judge]] = [
    (rf"ADD (?:CONSTRAINT ({_N}) )?(CHECK ?\(.+)", add_check),
    (rf"ADD (?:CONSTRAINT ({_N}) )?(FOREIGN KEY\b.+)", add_foreign_key),
    (rf"ADD (?:CONSTRAINT ({_N}) )?((?:UNIQUE|PRIMARY KEY)\b.+)", add_key),
    (rf"VALIDATE CONSTRAINT ({_N})", validate),
    (rf"DROP CONSTRAINT (?:IF EXISTS )?({_N})", drop_constraint),
    (rf"RENAME CONSTRAINT {_N} TO {_N}", _strongest()),
    (rf"RENAME (?:COLUMN )?(?!TO )({_N}) TO {_N}", _rename),
    (rf"RENAME TO ({_N})", _rename_table),
    (rf"ADD (?:COLUMN )?(?:IF NOT EXISTS )?(?!{_NO_COLUMN})({_N}) (.+)", _add_column),
    (rf"DROP (?:COLUMN )?(?:IF EXISTS )?(?!CONSTRAINT )({_N})", drop_column),
    (rf"ALTER (?:COLUMN )?({_N}) (?:SET DATA )?TYPE (.+)", _alter_type),
    (rf"ALTER (?:COLUMN )?({_N}) SET NOT NULL", _set_not_null),
    (rf"ALTER (?:COLUMN )?{_N} (?:DROP NOT NULL|SET DEFAULT .+)", _strongest()),
    (rf"ALTER (?:COLUMN )?{_N} DROP DEFAULT", _strongest(phase=Phase.CONTRACT)),
    (rf"ALTER (?:COLUMN )?{_N} SET STATISTICS -?\d+", _weak),
    (r"(?:SET|RESET) \((?:(?:toast\.)?autovacuum_|fillfactor)[^()]*\)", _weak),
]
_ACTIONS = [(re.compile(pattern, re.IGNORECASE | re.DOTALL), judge) for pattern, judge in _TABLE]
