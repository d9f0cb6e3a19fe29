"""What each action of an ALTER TABLE does."""

import re
from collections.abc import Callable

from webapp.kit.migration_sql.columns import add_column, alter_type
from webapp.kit.migration_sql.effects import UNKNOWN, Effect, Lock, Phase, Work
from webapp.kit.migration_sql.schema import IDENTIFIER, Schema, bare
from webapp.kit.migration_sql.statements import split_at_commas

_ALTER = re.compile(
    rf"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?({IDENTIFIER}) (.+)", re.IGNORECASE | re.DOTALL
)
_REFERENCES = re.compile(rf"\bREFERENCES ({IDENTIFIER})", re.IGNORECASE)
_IS_NOT_NULL = re.compile(rf"CHECK \(+({IDENTIFIER}) IS NOT NULL\)+", re.IGNORECASE)
_NOT_VALID = re.compile(r" NOT VALID$", re.IGNORECASE)

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


def _obey(rule: str) -> str:
    return f"The running code has to obey this already: {_NOT_VALID.sub('', rule)}."


def _strongest(work: Work = Work.NONE, phase: Phase = Phase.EXPAND) -> Judge:
    """Return a judge of actions that take ACCESS EXCLUSIVE on the table alone."""
    return lambda table, _match, _schema: [Effect(table, Lock.ACCESS_EXCLUSIVE, work, phase)]


def _add_column(table: str, match: "re.Match[str]", schema: Schema) -> list[Effect]:
    return add_column(table, match.group(2), schema)


def _drop_column(table: str, match: "re.Match[str]", _schema: Schema) -> list[Effect]:
    removed = bare(match.group(1))
    return [Effect(table, Lock.ACCESS_EXCLUSIVE, phase=Phase.CONTRACT, removes=removed)]


def _alter_type(table: str, match: "re.Match[str]", schema: Schema) -> list[Effect]:
    return alter_type(table, bare(match.group(1)), match.group(2), schema)


def _set_not_null(table: str, match: "re.Match[str]", schema: Schema) -> list[Effect]:
    column = bare(match.group(1))
    work = Work.NONE if schema.is_proven_not_null(table, column) else Work.SCAN
    rule = f"{table}.{column} is never empty"
    return [Effect(table, Lock.ACCESS_EXCLUSIVE, work, condition=_obey(rule))]


def _add_check(table: str, match: "re.Match[str]", schema: Schema) -> list[Effect]:
    name, rule = bare(match.group(1)), match.group(2)
    is_validated = not _NOT_VALID.search(rule)
    not_null = _IS_NOT_NULL.match(rule)
    if not_null:
        schema.not_null_checks[table, name] = bare(not_null.group(1))
        if is_validated:
            schema.validated.add((table, name))
    work = Work.SCAN if is_validated else Work.NONE
    return [Effect(table, Lock.ACCESS_EXCLUSIVE, work, condition=_obey(rule))]


def _add_foreign_key(table: str, match: "re.Match[str]", schema: Schema) -> list[Effect]:
    name, rule = bare(match.group(1)), match.group(2)
    target = _REFERENCES.search(rule)
    if target is None:
        return [UNKNOWN]
    schema.foreign_keys[table, name] = bare(target.group(1))
    work = Work.NONE if _NOT_VALID.search(rule) else Work.SCAN
    return [
        Effect(table, Lock.SHARE_ROW_EXCLUSIVE, work, condition=_obey(rule)),
        Effect(bare(target.group(1)), Lock.SHARE_ROW_EXCLUSIVE),
    ]


def _add_key(table: str, match: "re.Match[str]", _schema: Schema) -> list[Effect]:
    rule = match.group(2)
    has_index = re.match(r"UNIQUE USING INDEX", rule, re.IGNORECASE)
    work = Work.NONE if has_index else Work.INDEX
    return [Effect(table, Lock.ACCESS_EXCLUSIVE, work, condition=_obey(rule))]


def _validate(table: str, match: "re.Match[str]", schema: Schema) -> list[Effect]:
    key = (table, bare(match.group(1)))
    schema.validated.add(key)
    effects = [Effect(table, Lock.SHARE_UPDATE_EXCLUSIVE, Work.SCAN)]
    if key in schema.foreign_keys:
        effects.append(Effect(schema.foreign_keys[key], Lock.ROW_SHARE))
    return effects


def _drop_constraint(table: str, match: "re.Match[str]", schema: Schema) -> list[Effect]:
    key = (table, bare(match.group(1)))
    schema.validated.discard(key)
    effects = [Effect(table, Lock.ACCESS_EXCLUSIVE)]
    if key in schema.foreign_keys:
        effects.append(Effect(schema.foreign_keys.pop(key), Lock.ACCESS_EXCLUSIVE))
    return effects


def _rename(table: str, match: "re.Match[str]", _schema: Schema) -> list[Effect]:
    removed = bare(match.group(1)) if match.group(1) else ""
    return [Effect(table, Lock.ACCESS_EXCLUSIVE, phase=Phase.CONTRACT, removes=removed)]


def _weak(table: str, _match: "re.Match[str]", _schema: Schema) -> list[Effect]:
    return [Effect(table, Lock.SHARE_UPDATE_EXCLUSIVE)]


_N = IDENTIFIER
_TABLE: list[tuple[str, Judge]] = [
    (rf"ADD CONSTRAINT ({_N}) (CHECK .+)", _add_check),
    (rf"ADD CONSTRAINT ({_N}) (FOREIGN KEY.+)", _add_foreign_key),
    (rf"ADD CONSTRAINT ({_N}) ((?:UNIQUE|PRIMARY KEY).+)", _add_key),
    (rf"VALIDATE CONSTRAINT ({_N})", _validate),
    (rf"DROP CONSTRAINT (?:IF EXISTS )?({_N})", _drop_constraint),
    (rf"RENAME CONSTRAINT {_N} TO {_N}", _strongest()),
    (rf"RENAME (?:COLUMN )?(?!TO )({_N}) TO {_N}", _rename),
    (rf"RENAME ()TO {_N}", _rename),
    (rf"ADD (?:COLUMN )?(?:IF NOT EXISTS )?(?!CONSTRAINT )({_N}) (.+)", _add_column),
    (rf"DROP (?:COLUMN )?(?:IF EXISTS )?(?!CONSTRAINT )({_N})", _drop_column),
    (rf"ALTER (?:COLUMN )?({_N}) (?:SET DATA )?TYPE (.+)", _alter_type),
    (rf"ALTER (?:COLUMN )?({_N}) SET NOT NULL", _set_not_null),
    (rf"ALTER (?:COLUMN )?{_N} (?:DROP NOT NULL|SET DEFAULT .+|DROP DEFAULT)", _strongest()),
    (rf"ALTER (?:COLUMN )?{_N} SET STATISTICS -?\d+", _weak),
    (r"(?:SET|RESET) \((?:(?:toast\.)?autovacuum_|fillfactor)[^()]*\)", _weak),
]
_ACTIONS = [(re.compile(pattern, re.IGNORECASE | re.DOTALL), judge) for pattern, judge in _TABLE]
