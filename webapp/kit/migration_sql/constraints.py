"""What adding, validating and dropping a constraint does."""

from postgast import ParseResult, deparse
from postgast import pg_query_pb2 as tree

from webapp.kit.migration_sql.effects import UNKNOWN, Effect, Lock, Phase, Work
from webapp.kit.migration_sql.schema import ForeignKey, Schema
from webapp.kit.migration_sql.statements import listed_name, relation_name

_KEYS = {tree.CONSTR_UNIQUE, tree.CONSTR_PRIMARY, tree.CONSTR_EXCLUSION}
_BEFORE_RULE = "ALTER TABLE t ADD "


def obey(rule: str) -> str:
    """Return the condition of a new rule."""
    return f"The running code has to obey this already: {rule}."


def add_constraint(table: str, action: tree.AlterTableCmd, schema: Schema) -> list[Effect]:
    """Judge ADD CONSTRAINT: a check, a foreign key, a key, an exclusion or NOT NULL."""
    constraint = getattr(action, "def").constraint
    rule = _rule(constraint)
    # One without a name goes by its rule.
    key = (table, constraint.conname or rule)
    if constraint.contype in _KEYS:
        schema.unique_keys.add(key)
        return [
            Effect(table, Lock.ACCESS_EXCLUSIVE, _work_of_key(constraint), condition=obey(rule))
        ]
    work = Work.NONE if constraint.skip_validation else Work.SCAN
    if constraint.contype == tree.CONSTR_FOREIGN:
        target = relation_name(constraint.pktable)
        columns = tuple(listed_name([column]) for column in constraint.fk_attrs)
        schema.foreign_keys[key] = ForeignKey(columns, target)
        return [
            Effect(table, Lock.SHARE_ROW_EXCLUSIVE, work, condition=obey(rule)),
            Effect(target, Lock.SHARE_ROW_EXCLUSIVE),
        ]
    if constraint.contype == tree.CONSTR_CHECK:
        _note_check(key, constraint, schema)
    elif constraint.contype != tree.CONSTR_NOTNULL:
        return [UNKNOWN]
    elif schema.is_proven_not_null(table, listed_name(constraint.keys)):
        work = Work.NONE
    return [Effect(table, Lock.ACCESS_EXCLUSIVE, work, condition=obey(rule))]


def _work_of_key(constraint: tree.Constraint) -> Work:
    """Return what a key or an exclusion takes: an index, where it is given none."""
    if not constraint.indexname:
        return Work.INDEX
    # A primary key makes its columns NOT NULL, and may have to look at them.
    return Work.SCAN if constraint.contype == tree.CONSTR_PRIMARY else Work.NONE


def _note_check(key: tuple[str, str], constraint: tree.Constraint, schema: Schema) -> None:
    """Note a check that proves a column NOT NULL, once it is validated."""
    test = constraint.raw_expr.null_test
    column = test.arg.column_ref.fields
    if test.nulltesttype == tree.IS_NOT_NULL and len(column) == 1:
        schema.not_null_checks[key] = listed_name(column)
        if not constraint.skip_validation:
            schema.validated.add(key)


def validate(table: str, action: tree.AlterTableCmd, schema: Schema) -> list[Effect]:
    """Judge VALIDATE CONSTRAINT, which reads every row beside running writes."""
    key = (table, action.name)
    schema.validated.add(key)
    effects = [Effect(table, Lock.SHARE_UPDATE_EXCLUSIVE, Work.SCAN)]
    if key in schema.foreign_keys:
        effects.append(Effect(schema.foreign_keys[key].target, Lock.ROW_SHARE))
    return effects


def drop_constraint(table: str, action: tree.AlterTableCmd, schema: Schema) -> list[Effect]:
    """Judge DROP CONSTRAINT; without a unique key, ON CONFLICT of the running code fails."""
    if action.behavior == tree.DROP_CASCADE:
        return [UNKNOWN]
    key = (table, action.name)
    schema.validated.discard(key)
    phase = Phase.CONTRACT if key in schema.unique_keys else Phase.EXPAND
    effects = [Effect(table, Lock.ACCESS_EXCLUSIVE, phase=phase)]
    if key in schema.foreign_keys:
        effects.append(Effect(schema.foreign_keys.pop(key).target, Lock.ACCESS_EXCLUSIVE))
    return effects


def drop_column(table: str, action: tree.AlterTableCmd, schema: Schema) -> list[Effect]:
    """Judge DROP COLUMN, which drops the column's foreign keys as well."""
    if action.behavior == tree.DROP_CASCADE:
        return [UNKNOWN]
    column = action.name
    removal = Effect(table, Lock.ACCESS_EXCLUSIVE, phase=Phase.CONTRACT, removes=column)
    keys = [
        key
        for key, foreign_key in schema.foreign_keys.items()
        if key[0] == table and column in foreign_key.columns
    ]
    targets = {schema.foreign_keys.pop(key).target for key in keys} - {table}
    return [removal, *(Effect(target, Lock.ACCESS_EXCLUSIVE) for target in sorted(targets))]


def _rule(constraint: tree.Constraint) -> str:
    """Return a constraint as SQL, without its name and without NOT VALID."""
    whole = ParseResult()
    statement = whole.stmts.add().stmt.alter_table_stmt
    statement.relation.relname, statement.objtype = "t", tree.OBJECT_TABLE
    statement.relation.inh = True
    action = statement.cmds.add().alter_table_cmd
    action.subtype = tree.AT_AddConstraint
    rule = getattr(action, "def").constraint
    rule.CopyFrom(constraint)
    rule.conname, rule.skip_validation, rule.initially_valid = "", False, True
    return deparse(whole).removeprefix(_BEFORE_RULE)
