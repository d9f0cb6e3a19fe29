"""What adding, validating and dropping a constraint does."""

import re

from webapp.kit.migration_sql.effects import UNKNOWN, Effect, Lock, Phase, Work
from webapp.kit.migration_sql.schema import IDENTIFIER, ForeignKey, Schema, bare
from webapp.kit.migration_sql.statements import first_bracket, split_at_commas

_REFERENCES = re.compile(rf"\bREFERENCES ({IDENTIFIER})", re.IGNORECASE)
_IS_NOT_NULL = re.compile(rf"CHECK ?\(+({IDENTIFIER}) IS NOT NULL\)+(?: NOT VALID)?", re.IGNORECASE)
_NOT_VALID = re.compile(r" NOT VALID$", re.IGNORECASE)


def obey(rule: str) -> str:
    """Return the condition of a new rule."""
    return f"The running code has to obey this already: {_NOT_VALID.sub('', rule)}."


def add_check(table: str, match: "re.Match[str]", schema: Schema) -> list[Effect]:
    """Judge ADD … CHECK; a validated one may prove a column NOT NULL."""
    key, rule = _key_and_rule(table, match)
    is_validated = not _NOT_VALID.search(rule)
    not_null = _IS_NOT_NULL.fullmatch(rule)
    if not_null:
        schema.not_null_checks[key] = bare(not_null.group(1))
        if is_validated:
            schema.validated.add(key)
    work = Work.SCAN if is_validated else Work.NONE
    return [Effect(table, Lock.ACCESS_EXCLUSIVE, work, condition=obey(rule))]


def add_foreign_key(table: str, match: "re.Match[str]", schema: Schema) -> list[Effect]:
    """Judge ADD … FOREIGN KEY, which stops the writes of both tables."""
    key, rule = _key_and_rule(table, match)
    target = _REFERENCES.search(rule)
    if target is None:
        return [UNKNOWN]
    columns = tuple(bare(name) for name in split_at_commas(first_bracket(rule) or ""))
    schema.foreign_keys[key] = ForeignKey(columns, bare(target.group(1)))
    work = Work.NONE if _NOT_VALID.search(rule) else Work.SCAN
    return [
        Effect(table, Lock.SHARE_ROW_EXCLUSIVE, work, condition=obey(rule)),
        Effect(bare(target.group(1)), Lock.SHARE_ROW_EXCLUSIVE),
    ]


def add_key(table: str, match: "re.Match[str]", schema: Schema) -> list[Effect]:
    """Judge ADD … UNIQUE or PRIMARY KEY, which builds an index where it is given none."""
    key, rule = _key_and_rule(table, match)
    schema.unique_keys.add(key)
    has_index = re.match(r"UNIQUE USING INDEX", rule, re.IGNORECASE)
    work = Work.NONE if has_index else Work.INDEX
    return [Effect(table, Lock.ACCESS_EXCLUSIVE, work, condition=obey(rule))]


def validate(table: str, match: "re.Match[str]", schema: Schema) -> list[Effect]:
    """Judge VALIDATE CONSTRAINT, which reads every row beside running writes."""
    key = (table, bare(match.group(1)))
    schema.validated.add(key)
    effects = [Effect(table, Lock.SHARE_UPDATE_EXCLUSIVE, Work.SCAN)]
    if key in schema.foreign_keys:
        effects.append(Effect(schema.foreign_keys[key].target, Lock.ROW_SHARE))
    return effects


def drop_constraint(table: str, match: "re.Match[str]", schema: Schema) -> list[Effect]:
    """Judge DROP CONSTRAINT; without a unique key, ON CONFLICT of the running code fails."""
    key = (table, bare(match.group(1)))
    schema.validated.discard(key)
    phase = Phase.CONTRACT if key in schema.unique_keys else Phase.EXPAND
    effects = [Effect(table, Lock.ACCESS_EXCLUSIVE, phase=phase)]
    if key in schema.foreign_keys:
        effects.append(Effect(schema.foreign_keys.pop(key).target, Lock.ACCESS_EXCLUSIVE))
    return effects


def drop_column(table: str, match: "re.Match[str]", schema: Schema) -> list[Effect]:
    """Judge DROP COLUMN, which drops the column's foreign keys as well."""
    column = bare(match.group(1))
    removal = Effect(table, Lock.ACCESS_EXCLUSIVE, phase=Phase.CONTRACT, removes=column)
    keys = [
        key
        for key, foreign_key in schema.foreign_keys.items()
        if key[0] == table and column in foreign_key.columns
    ]
    targets = {schema.foreign_keys.pop(key).target for key in keys} - {table}
    return [removal, *(Effect(target, Lock.ACCESS_EXCLUSIVE) for target in sorted(targets))]


def _key_and_rule(table: str, match: "re.Match[str]") -> tuple[tuple[str, str], str]:
    """Return under which key to note a constraint; one without a name goes by its rule."""
    name, rule = match.group(1, 2)
    return (table, bare(name) if name else rule), rule
