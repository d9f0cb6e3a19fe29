"""What each action of an ALTER TABLE does: its lock is the one of PostgreSQL's own page on it."""

from collections.abc import Callable

from postgast import pg_query_pb2 as tree

from webapp.kit.migration_sql.columns import add_column, alter_type
from webapp.kit.migration_sql.constraints import (
    add_constraint,
    drop_column,
    drop_constraint,
    obey,
    validate,
)
from webapp.kit.migration_sql.effects import CONCURRENTLY, UNKNOWN, Effect, Lock, Phase, Work
from webapp.kit.migration_sql.schema import Schema
from webapp.kit.migration_sql.statements import relation_name

Judge = Callable[[str, tree.AlterTableCmd, Schema], list[Effect]]

# These settings say how a table is kept, and nothing waits for them.
_WEAK_SETTINGS = {
    "fillfactor", "log_autovacuum_min_duration", "parallel_workers", "toast_tuple_target",
    "vacuum_index_cleanup", "vacuum_truncate",
}  # fmt: skip


def alter_table(statement: tree.AlterTableStmt, schema: Schema) -> list[Effect]:
    """Return the effects of all actions of one ALTER TABLE, and note what they make known."""
    if statement.objtype != tree.OBJECT_TABLE:
        return [UNKNOWN]
    table = relation_name(statement.relation)
    return [
        effect
        for action in statement.cmds
        for effect in _judge_action(table, action.alter_table_cmd, schema)
    ]


def _judge_action(table: str, action: tree.AlterTableCmd, schema: Schema) -> list[Effect]:
    judge = _ACTIONS.get(action.subtype)
    return [UNKNOWN] if judge is None else judge(table, action, schema)


def _alone(
    lock: Lock = Lock.ACCESS_EXCLUSIVE, work: Work = Work.NONE, phase: Phase = Phase.EXPAND
) -> Judge:
    """Return a judge of actions that are about the table alone."""
    return lambda table, _action, _schema: [Effect(table, lock, work, phase)]


def _set_not_null(table: str, action: tree.AlterTableCmd, schema: Schema) -> list[Effect]:
    work = Work.NONE if schema.is_proven_not_null(table, action.name) else Work.SCAN
    rule = f"{table}.{action.name} is never empty"
    return [Effect(table, Lock.ACCESS_EXCLUSIVE, work, condition=obey(rule))]


def _set_default(table: str, action: tree.AlterTableCmd, _schema: Schema) -> list[Effect]:
    phase = Phase.EXPAND if action.HasField("def") else Phase.CONTRACT
    return [Effect(table, Lock.ACCESS_EXCLUSIVE, phase=phase)]


def _set_identity(table: str, action: tree.AlterTableCmd, _schema: Schema) -> list[Effect]:
    rule = f"{table}.{action.name} is an identity, and one that is ALWAYS takes no given value"
    return [Effect(table, Lock.ACCESS_EXCLUSIVE, condition=obey(rule))]


def _set_options(table: str, action: tree.AlterTableCmd, _schema: Schema) -> list[Effect]:
    names = {option.def_elem.defname for option in getattr(action, "def").list.items}
    is_weak = all(name in _WEAK_SETTINGS or name.startswith("autovacuum_") for name in names)
    return [Effect(table, Lock.SHARE_UPDATE_EXCLUSIVE if is_weak else Lock.ACCESS_EXCLUSIVE)]


def _attach(table: str, action: tree.AlterTableCmd, schema: Schema) -> list[Effect]:
    """Judge ATTACH PARTITION, which looks at the rows of the part and of the default one."""
    parts = [relation_name(getattr(action, "def").partition_cmd.name)]
    parts += [schema.default_partitions[table]] if table in schema.default_partitions else []
    return [
        Effect(table, Lock.SHARE_UPDATE_EXCLUSIVE),
        *(Effect(part, Lock.ACCESS_EXCLUSIVE, Work.SCAN) for part in parts),
    ]


def _detach(table: str, action: tree.AlterTableCmd, schema: Schema) -> list[Effect]:
    command = getattr(action, "def").partition_cmd
    lock = Lock.SHARE_UPDATE_EXCLUSIVE if command.concurrent else Lock.ACCESS_EXCLUSIVE
    alone = CONCURRENTLY if command.concurrent else None
    parts = [relation_name(command.name)]
    parts += [schema.default_partitions[table]] if table in schema.default_partitions else []
    return [
        Effect(table, lock, phase=Phase.CONTRACT, no_transaction=alone),
        *(Effect(part, Lock.ACCESS_EXCLUSIVE) for part in parts),
    ]


_ACTIONS: dict[int, Judge] = {
    tree.AT_AddColumn: add_column,
    tree.AT_DropColumn: drop_column,
    tree.AT_AlterColumnType: alter_type,
    tree.AT_AddConstraint: add_constraint,
    tree.AT_ValidateConstraint: validate,
    tree.AT_DropConstraint: drop_constraint,
    tree.AT_SetNotNull: _set_not_null,
    tree.AT_ColumnDefault: _set_default,
    tree.AT_AddIdentity: _set_identity,
    tree.AT_SetIdentity: _set_identity,
    tree.AT_SetRelOptions: _set_options,
    tree.AT_ResetRelOptions: _set_options,
    tree.AT_AttachPartition: _attach,
    tree.AT_DetachPartition: _detach,
}
# What is about the table alone, by what it does.
_ALONE: dict[str, Judge] = {
    "SetStatistics SetOptions ResetOptions ClusterOn DropCluster": (
        _alone(Lock.SHARE_UPDATE_EXCLUSIVE)
    ),
    "DetachPartitionFinalize": _alone(Lock.SHARE_UPDATE_EXCLUSIVE, phase=Phase.CONTRACT),
    "EnableTrig EnableAlwaysTrig EnableTrigAll EnableTrigUser": _alone(Lock.SHARE_ROW_EXCLUSIVE),
    "DisableTrig DisableTrigAll DisableTrigUser EnableReplicaTrig": (
        _alone(Lock.SHARE_ROW_EXCLUSIVE, phase=Phase.CONTRACT)
    ),
    "DropNotNull SetStorage SetCompression ReplicaIdentity DisableRowSecurity NoForceRowSecurity": (
        _alone()
    ),
    "SetExpression SetLogged SetUnLogged SetAccessMethod SetTableSpace": _alone(work=Work.REWRITE),
    "DropIdentity DropExpression EnableRowSecurity ForceRowSecurity ChangeOwner": (
        _alone(phase=Phase.CONTRACT)
    ),
}
_ACTIONS |= {
    getattr(tree, f"AT_{name}"): judge for names, judge in _ALONE.items() for name in names.split()
}
