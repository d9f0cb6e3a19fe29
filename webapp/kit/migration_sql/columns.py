"""What a column's definition and a change of its type ask of the rows that are there."""

import re

from webapp.kit.migration_sql.effects import Effect, Lock, Phase, Work
from webapp.kit.migration_sql.schema import IDENTIFIER, Schema, bare
from webapp.kit.migration_sql.statements import without_quoted

# A default of this kind is computed once and kept beside the table, so no row is written. A
# function that is not named here may be volatile, and then every row is.
_CONSTANT = re.compile(
    r"(?:''|-?[\d.]+|true|false|null|now\(\)|current_timestamp|current_date|current_user"
    r"|transaction_timestamp\(\)|statement_timestamp\(\))(?:::[\w\s\[\]]+)?",
    re.IGNORECASE,
)
_DEFAULT = re.compile(
    r"\bDEFAULT (.+?)"
    r"(?= (?:NOT NULL|NULL|CONSTRAINT|CHECK|REFERENCES|UNIQUE|PRIMARY|GENERATED)\b|$)",
    re.IGNORECASE,
)
_BUILT_IN = re.compile(
    r"(?:bigint|integer|int|int2|int4|int8|smallint|text|varchar|character varying|character|char"
    r"|boolean|bool|bytea|uuid|jsonb?|timestamp|timestamptz|date|time|interval|numeric|decimal|real"
    r"|double precision|float|tsvector|inet|cidr)\b",
    re.IGNORECASE,
)
_REFERENCES = re.compile(rf"\bREFERENCES ({IDENTIFIER})", re.IGNORECASE)
_VARCHAR = re.compile(r"(?:varchar|character varying)(?:\s*\((\d+)\))?$", re.IGNORECASE)
_NUMERIC = re.compile(r"(?:numeric|decimal)(?:\s*\((\d+)(?:,\s*(\d+))?\))?$", re.IGNORECASE)


def add_column(table: str, definition: str) -> list[Effect]:
    """Judge ADD COLUMN by what follows the column's name."""
    plain = without_quoted(definition)
    upper = plain.upper()
    work = _work_of_new_column(plain, upper)
    has_value = bool(re.search(r"\bDEFAULT\b|\bGENERATED\b|SERIAL\b", upper))
    defect = None
    if "NOT NULL" in upper and not has_value:
        defect = (
            "The column is NOT NULL without a default: it fails where there are rows, and so does"
            " every insert of the running code. Give it a server default, or add it nullable."
        )
    effects = [Effect(table, Lock.ACCESS_EXCLUSIVE, work, defect=defect)]
    effects += [
        Effect(bare(found.group(1)), Lock.SHARE_ROW_EXCLUSIVE)
        for found in _REFERENCES.finditer(plain)
    ]
    return effects


def _work_of_new_column(plain: str, upper: str) -> Work:
    default = _DEFAULT.search(plain)
    is_volatile = default is not None and not _CONSTANT.fullmatch(default.group(1).strip())
    is_computed = re.search(r"\bGENERATED\b|SERIAL\b", upper) is not None
    if is_volatile or is_computed or not _BUILT_IN.match(plain):
        return Work.REWRITE
    if re.search(r"\bUNIQUE\b|\bPRIMARY KEY\b", upper):
        return Work.INDEX
    is_checked = re.search(r"\bCHECK\b", upper) or ("REFERENCES" in upper and default is not None)
    return Work.SCAN if is_checked else Work.NONE


def alter_type(table: str, column: str, new_type: str, schema: Schema) -> list[Effect]:
    """Judge ALTER COLUMN … TYPE by the type that the column has now."""
    old_type = schema.column_types.get((table, column), "")
    plain_type = without_quoted(new_type).strip().lower()
    schema.column_types[table, column] = plain_type
    if not _is_wider(old_type, plain_type):
        return [Effect(table, Lock.ACCESS_EXCLUSIVE, Work.REWRITE, Phase.CONTRACT)]
    # No row is written, but a check on the column is made anew.
    prepared = (
        f"Each prepared statement of the running code that returns {table}.{column} may fail once:"
        " cached plan must not change result type."
    )
    return [Effect(table, Lock.ACCESS_EXCLUSIVE, Work.SCAN, condition=prepared)]


def _is_wider(old: str, new: str) -> bool:
    """Say whether every value of the old type is one of the new, stored in the same way."""
    old_varchar, new_varchar = _VARCHAR.match(old), _VARCHAR.match(new)
    if old_varchar or old == "text":
        if new == "text" or (new_varchar and new_varchar.group(1) is None):
            return True
        if old_varchar and new_varchar and old_varchar.group(1):
            return int(new_varchar.group(1)) >= int(old_varchar.group(1))
    old_number, new_number = _NUMERIC.match(old), _NUMERIC.match(new)
    if not (old_number and new_number):
        return False
    if new_number.group(1) is None:
        return True
    if old_number.group(1) is None:
        return False
    same_scale = int(old_number.group(2) or 0) == int(new_number.group(2) or 0)
    return same_scale and int(new_number.group(1)) >= int(old_number.group(1))
