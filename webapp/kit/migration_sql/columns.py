"""What a column's definition and a change of its type ask of the rows that are there."""

from postgast import pg_query_pb2 as tree
from postgast import walk

from webapp.kit.migration_sql.effects import Effect, Lock, Phase, Work
from webapp.kit.migration_sql.schema import Schema
from webapp.kit.migration_sql.statements import UnreadableError, listed_name, read, relation_name

# A default that calls nothing but these is computed once and kept beside the table, so no row is
# written. A function that is not named here may be volatile, and then every row is.
_STABLE = {"now", "transaction_timestamp", "statement_timestamp"}
# A type that is not among these may be a domain with a rule, and then every row is written.
_BUILT_IN = {
    "bit", "bool", "bpchar", "bytea", "cidr", "date", "float4", "float8", "inet", "int2", "int4",
    "int8", "interval", "json", "jsonb", "numeric", "text", "time", "timestamp", "timestamptz",
    "timetz", "tsvector", "uuid", "varbit", "varchar", "xml",
}  # fmt: skip
_SERIAL = {"smallserial", "serial", "bigserial", "serial2", "serial4", "serial8"}
_VALUES = {tree.CONSTR_DEFAULT, tree.CONSTR_GENERATED, tree.CONSTR_IDENTITY}
# Which of the marks of a generated column says that it is computed at each look.
_VIRTUAL = "v"

# The name of a type, how long it may be or how many digits it has, and how many dimensions.
Shape = tuple[str, tuple[int, ...], int]


def add_column(table: str, action: tree.AlterTableCmd, _schema: Schema) -> list[Effect]:
    """Judge ADD COLUMN."""
    column = getattr(action, "def").column_def
    rules = {rule.constraint.contype: rule.constraint for rule in column.constraints}
    has_value = bool(rules.keys() & _VALUES)
    has_value |= _type_name(column.type_name) in _SERIAL
    defect = None
    if rules.keys() & {tree.CONSTR_NOTNULL, tree.CONSTR_PRIMARY} and not has_value:
        defect = (
            "The column is NOT NULL without a default: it fails where there are rows, and so does"
            " every insert of the running code. Give it a server default, or add it nullable."
        )
    return [
        Effect(table, Lock.ACCESS_EXCLUSIVE, _work_of_new_column(column, rules), defect=defect),
        *(
            Effect(relation_name(rule.constraint.pktable), Lock.SHARE_ROW_EXCLUSIVE)
            for rule in column.constraints
            if rule.constraint.contype == tree.CONSTR_FOREIGN
        ),
    ]


def _work_of_new_column(column: tree.ColumnDef, rules: dict[int, tree.Constraint]) -> Work:
    generated, default = rules.get(tree.CONSTR_GENERATED), rules.get(tree.CONSTR_DEFAULT)
    is_stored = generated is not None and generated.generated_kind != _VIRTUAL
    is_volatile = default is not None and not _is_stable(default.raw_expr)
    is_own = _type_name(column.type_name) not in _BUILT_IN
    if is_stored or is_volatile or is_own or tree.CONSTR_IDENTITY in rules:
        return Work.REWRITE
    if rules.keys() & {tree.CONSTR_UNIQUE, tree.CONSTR_PRIMARY}:
        return Work.INDEX
    is_referred = tree.CONSTR_FOREIGN in rules and default is not None
    return Work.SCAN if tree.CONSTR_CHECK in rules or is_referred else Work.NONE


def _is_stable(expression: tree.Node) -> bool:
    """Say whether an expression has one value for all rows of a statement."""
    calls = [node for _, node in walk(expression) if isinstance(node, tree.FuncCall)]
    return all(listed_name(call.funcname).removeprefix("pg_catalog.") in _STABLE for call in calls)


def alter_type(table: str, action: tree.AlterTableCmd, schema: Schema) -> list[Effect]:
    """Judge ALTER COLUMN … TYPE by the type that the column has now."""
    column = getattr(action, "def").column_def
    old, new = (
        _shape_of(schema.column_types.get((table, action.name), "")),
        _shape(column.type_name),
    )
    schema.column_types[table, action.name] = _spell(new)
    is_computed = column.HasField("raw_default") or column.HasField("coll_clause")
    if old is None or is_computed or not _is_wider(old, new):
        return [Effect(table, Lock.ACCESS_EXCLUSIVE, Work.REWRITE, Phase.CONTRACT)]
    # No row is written, but a check on the column is made anew.
    prepared = (
        f"Each prepared statement of the running code that returns {table}.{action.name} may fail"
        " once: cached plan must not change result type."
    )
    return [Effect(table, Lock.ACCESS_EXCLUSIVE, Work.SCAN, condition=prepared)]


def _is_wider(old: Shape, new: Shape) -> bool:
    """Say whether every value of the old type is one of the new, stored in the same way."""
    (old_name, old_size, old_depth), (new_name, new_size, new_depth) = old, new
    if old_depth != new_depth:
        return False
    if {old_name, new_name} <= {"varchar", "text"}:
        is_longer = old_name == "varchar" and bool(old_size) and new_size >= old_size
        return not new_size or is_longer
    if old_name == new_name == "numeric":
        old_digits, new_digits = ((*size, 0)[:2] for size in (old_size, new_size))
        is_as_fine = bool(old_size) and new_digits[1:] == old_digits[1:]
        return not new_size or (is_as_fine and new_digits >= old_digits)
    return False


def _type_name(kind: tree.TypeName) -> str:
    return listed_name(kind.names).removeprefix("pg_catalog.")


def _shape(kind: tree.TypeName) -> Shape:
    size = tuple(modifier.a_const.ival.ival for modifier in kind.typmods)
    return _type_name(kind), size, len(kind.array_bounds)


def _shape_of(spelt: str) -> Shape | None:
    try:
        value = read(f"SELECT NULL::{spelt}").stmts[0].stmt.select_stmt.target_list[0].res_target
    except UnreadableError:
        return None
    return _shape(value.val.type_cast.type_name)


def _spell(shape: Shape) -> str:
    name, size, depth = shape
    return f"{name}{size}".replace(",)", ")").replace("()", "") + "[]" * depth
