"""Which lock a statement takes on which table, and what it does there: one table of statements.

PostgreSQL's own grammar reads the statement; what its locks are stands in the documentation of each
command. What is not known here is called unknown, and counts as ACCESS EXCLUSIVE on everything.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from postgast import pg_query_pb2 as tree

from webapp.kit.migration_sql import relations
from webapp.kit.migration_sql.alter_table import alter_table
from webapp.kit.migration_sql.blocks import judge_block
from webapp.kit.migration_sql.effects import UNKNOWN, Effect, Lock, Phase
from webapp.kit.migration_sql.indexes import create_index, reindex
from webapp.kit.migration_sql.relations import GONE_FOR_THE_CODE, on_table
from webapp.kit.migration_sql.row_writes import use_rows
from webapp.kit.migration_sql.schema import Schema
from webapp.kit.migration_sql.statements import UnreadableError, listed_name, read, relation_name


def classify(statement: str, schema: Schema) -> list[Effect]:
    """Return what a statement does, and note in `schema` what it makes known to those after it."""
    try:
        nodes = [found.stmt for found in read(statement).stmts]
    except UnreadableError as error:
        return [replace(UNKNOWN, defect=f"{UNKNOWN.defect} The grammar says: {error}.")]
    return [effect for node in nodes for effect in _judge(node, schema)]


def _judge(node: tree.Node, schema: Schema) -> list[Effect]:
    kind = node.WhichOneof("node") or ""
    judge = _STATEMENTS.get(kind)
    return [UNKNOWN] if judge is None else judge(getattr(node, kind), schema)


def _nothing(_statement: object, _schema: Schema) -> list[Effect]:
    return []


def _set(statement: tree.VariableSetStmt, _schema: Schema) -> list[Effect]:
    """Judge SET and RESET; another search_path gives every name another meaning."""
    return [UNKNOWN] if statement.name == "search_path" else []


def _transaction(statement: tree.TransactionStmt, _schema: Schema) -> list[Effect]:
    return [] if statement.kind in _TRANSACTIONS else [UNKNOWN]


def _create_function(statement: tree.CreateFunctionStmt, schema: Schema) -> list[Effect]:
    name = listed_name(statement.funcname)
    if not statement.replace or name not in schema.functions:
        return []
    rule = f"The running code and its triggers get the new {name}, where they call it already."
    return [Effect(None, Lock.NONE, condition=rule)]


def _create_schema(statement: tree.CreateSchemaStmt, _schema: Schema) -> list[Effect]:
    return [UNKNOWN] if statement.schema_elts else []


def _alter_enum(statement: tree.AlterEnumStmt, _schema: Schema) -> list[Effect]:
    return [GONE_FOR_THE_CODE] if statement.old_val else []


def _create_trigger(statement: tree.CreateTrigStmt, _schema: Schema) -> list[Effect]:
    return on_table(Lock.SHARE_ROW_EXCLUSIVE, statement.relation)


def _create_statistics(statement: tree.CreateStatsStmt, _schema: Schema) -> list[Effect]:
    found = [item.range_var for item in statement.relations]
    return on_table(Lock.SHARE_UPDATE_EXCLUSIVE, found[0])


def _policy(
    statement: tree.CreatePolicyStmt | tree.AlterPolicyStmt, _schema: Schema
) -> list[Effect]:
    table = relation_name(statement.table)
    rule = f"The running code sees and writes the rows of {table} that its policies let it."
    return on_table(Lock.ACCESS_EXCLUSIVE, statement.table, rule)


def _alter_sequence(statement: tree.AlterSeqStmt, _schema: Schema) -> list[Effect]:
    return on_table(Lock.SHARE_ROW_EXCLUSIVE, statement.sequence)


def _grant(statement: tree.GrantStmt | tree.GrantRoleStmt, _schema: Schema) -> list[Effect]:
    """Judge GRANT and REVOKE, which change a row of the catalogs and lock no table."""
    return [Effect(None, Lock.NONE, phase=Phase.EXPAND if statement.is_grant else Phase.CONTRACT)]


_TRANSACTIONS = {
    tree.TRANS_STMT_BEGIN, tree.TRANS_STMT_START, tree.TRANS_STMT_COMMIT,
    tree.TRANS_STMT_SAVEPOINT, tree.TRANS_STMT_RELEASE,
}  # fmt: skip
# What makes something new, or changes the session alone.
_HARMLESS = """
    composite_type_stmt constraints_set_stmt create_domain_stmt create_enum_stmt
    create_extension_stmt create_range_stmt create_seq_stmt define_stmt notify_stmt
    variable_show_stmt
"""
_STATEMENTS: dict[str, Callable[[Any, Schema], list[Effect]]] = {
    **dict.fromkeys(_HARMLESS.split(), _nothing),
    "alter_enum_stmt": _alter_enum,
    "alter_object_schema_stmt": relations.move,
    "alter_policy_stmt": _policy,
    "alter_seq_stmt": _alter_sequence,
    "alter_table_stmt": alter_table,
    "cluster_stmt": relations.cluster,
    "comment_stmt": relations.comment,
    "create_function_stmt": _create_function,
    "create_policy_stmt": _policy,
    "create_schema_stmt": _create_schema,
    "create_stats_stmt": _create_statistics,
    "create_stmt": relations.create_table,
    "create_table_as_stmt": relations.create_table_as,
    "create_trig_stmt": _create_trigger,
    "delete_stmt": use_rows,
    "do_stmt": judge_block,
    "drop_stmt": relations.drop,
    "grant_role_stmt": _grant,
    "grant_stmt": _grant,
    "index_stmt": create_index,
    "insert_stmt": use_rows,
    "lock_stmt": relations.lock,
    "merge_stmt": use_rows,
    "refresh_mat_view_stmt": relations.refresh,
    "reindex_stmt": reindex,
    "rename_stmt": relations.rename,
    "select_stmt": use_rows,
    "transaction_stmt": _transaction,
    "truncate_stmt": relations.truncate,
    "update_stmt": use_rows,
    "vacuum_stmt": relations.vacuum,
    "variable_set_stmt": _set,
    "view_stmt": relations.create_view,
}
