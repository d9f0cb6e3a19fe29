"""What making, renaming, dropping and looking after tables, views and their parts does."""

from dataclasses import replace

from postgast import pg_query_pb2 as tree
from postgast import walk

from webapp.kit.migration_sql.effects import UNKNOWN, Effect, Lock, Phase, Work
from webapp.kit.migration_sql.indexes import drop_indexes, rename_index
from webapp.kit.migration_sql.row_writes import read_use
from webapp.kit.migration_sql.schema import Schema
from webapp.kit.migration_sql.statements import listed_name, relation_name, switched_on

# What takes no lock on a table, and may be called or named by the running code.
GONE_FOR_THE_CODE = Effect(None, Lock.NONE, phase=Phase.CONTRACT)
_RELATIONS = {tree.OBJECT_VIEW, tree.OBJECT_MATVIEW, tree.OBJECT_SEQUENCE}
_OF_A_TABLE = {tree.OBJECT_TRIGGER, tree.OBJECT_POLICY, tree.OBJECT_RULE, tree.OBJECT_TABCONSTRAINT}
_OF_NO_TABLE = {
    tree.OBJECT_AGGREGATE, tree.OBJECT_COLLATION, tree.OBJECT_DOMAIN, tree.OBJECT_EXTENSION,
    tree.OBJECT_FUNCTION, tree.OBJECT_PROCEDURE, tree.OBJECT_ROUTINE, tree.OBJECT_SCHEMA,
    tree.OBJECT_TYPE,
}  # fmt: skip


def create_table(statement: tree.CreateStmt, schema: Schema) -> list[Effect]:
    """Judge CREATE TABLE, also of a part of a table, which stops all use of the whole."""
    table = relation_name(statement.relation)
    parents = [relation_name(parent.range_var) for parent in statement.inh_relations]
    is_copy = any(part.HasField("table_like_clause") for part in statement.table_elts)
    is_part = statement.HasField("partbound")
    if is_copy or (parents and not is_part) or statement.HasField("of_typename"):
        return [UNKNOWN]
    if table not in schema.existing:
        schema.created.add(table)
    targets = {relation_name(node) for place, node in walk(statement) if place == "pktable"}
    default = schema.default_partitions.get(parents[0]) if parents else None
    if is_part and statement.partbound.is_default:
        schema.default_partitions[parents[0]] = table
    return [
        Effect(table, Lock.ACCESS_EXCLUSIVE),
        *(Effect(parent, Lock.ACCESS_EXCLUSIVE) for parent in parents),
        *([Effect(default, Lock.ACCESS_EXCLUSIVE, Work.SCAN)] if default else []),
        *(Effect(target, Lock.SHARE_ROW_EXCLUSIVE) for target in sorted(targets - {table})),
    ]


def create_table_as(statement: tree.CreateTableAsStmt, schema: Schema) -> list[Effect]:
    """Judge CREATE TABLE … AS and CREATE MATERIALIZED VIEW, which read what they are made of."""
    use = read_use([statement.query], schema)
    if use.written or not statement.query.HasField("select_stmt"):
        return [UNKNOWN]
    table = relation_name(statement.into.rel)
    if table not in schema.existing:
        schema.created.add(table)
    work = Work.NONE if statement.into.skip_data else Work.ROWS
    return [Effect(table, Lock.ACCESS_EXCLUSIVE, work, sized_by=tuple(sorted(use.sources)))]


def create_view(statement: tree.ViewStmt, schema: Schema) -> list[Effect]:
    """Judge CREATE VIEW; one that replaces another changes what the running code reads."""
    view = relation_name(statement.view)
    if view in schema.created or view not in schema.existing:
        schema.created.add(view)
        return []
    rule = f"The running code reads the new {view}, where it reads it already."
    return [Effect(view, Lock.ACCESS_EXCLUSIVE, condition=rule)]


def drop(statement: tree.DropStmt, schema: Schema) -> list[Effect]:
    """Judge a DROP; what CASCADE takes along cannot be told."""
    kind = statement.remove_type
    if statement.behavior == tree.DROP_CASCADE:
        return [UNKNOWN]
    if kind == tree.OBJECT_INDEX:
        return drop_indexes(statement, schema)
    if kind in _OF_NO_TABLE:
        return [GONE_FOR_THE_CODE]
    names = [found.list.items for found in statement.objects]
    if kind in _OF_A_TABLE:
        return [_strongest(listed_name(parts[:-1])) for parts in names]
    relations = [listed_name(parts) for parts in names]
    if kind in _RELATIONS:
        return [_strongest(relation, removes="") for relation in relations]
    if kind != tree.OBJECT_TABLE:
        return [UNKNOWN]
    return [
        effect
        for table in relations
        for effect in (
            _strongest(table, removes=""),
            *(Effect(other, Lock.ACCESS_EXCLUSIVE) for other in sorted(schema.refers_to(table))),
        )
    ]


def rename(statement: tree.RenameStmt, schema: Schema) -> list[Effect]:
    """Judge ALTER … RENAME, which takes the old name away from the running code."""
    kind, name = statement.rename_type, relation_name(statement.relation)
    if kind == tree.OBJECT_INDEX:
        return rename_index(statement, schema)
    if kind == tree.OBJECT_TABLE:
        if name in schema.created and statement.newname not in schema.existing:
            schema.created.add(statement.newname)
        return [_strongest(name, removes="")]
    if kind in _RELATIONS:
        return [_strongest(name, removes="")]
    if kind == tree.OBJECT_COLUMN:
        return [_strongest(name, removes=statement.subname)]
    if kind in _OF_A_TABLE:
        return [Effect(name, Lock.ACCESS_EXCLUSIVE)]
    return [GONE_FOR_THE_CODE if kind in _OF_NO_TABLE else UNKNOWN]


def move(statement: tree.AlterObjectSchemaStmt, _schema: Schema) -> list[Effect]:
    """Judge ALTER … SET SCHEMA, after which the running code finds nothing under the old name."""
    kind = statement.object_type
    if kind in _RELATIONS | {tree.OBJECT_TABLE}:
        return [_strongest(relation_name(statement.relation), removes="")]
    return [GONE_FOR_THE_CODE if kind in _OF_NO_TABLE else UNKNOWN]


def truncate(statement: tree.TruncateStmt, _schema: Schema) -> list[Effect]:
    """Judge TRUNCATE; what CASCADE takes along cannot be told."""
    if statement.behavior == tree.DROP_CASCADE:
        return [UNKNOWN]
    return [_strongest(relation_name(found.range_var)) for found in statement.relations]


def comment(statement: tree.CommentStmt, schema: Schema) -> list[Effect]:
    """Judge COMMENT ON."""
    kind, parts = statement.objtype, statement.object.list.items
    if kind in _OF_NO_TABLE:
        return []
    if kind == tree.OBJECT_INDEX:
        table = schema.index_tables.get(listed_name(parts))
        return [Effect(table, Lock.SHARE_UPDATE_EXCLUSIVE)]
    if kind in _OF_A_TABLE:
        return [Effect(listed_name(parts[:-1]), Lock.ACCESS_SHARE)]
    if kind not in _RELATIONS | {tree.OBJECT_TABLE, tree.OBJECT_COLUMN}:
        return [UNKNOWN]
    name = listed_name(parts[:-1] if kind == tree.OBJECT_COLUMN else parts)
    return [Effect(name, Lock.SHARE_UPDATE_EXCLUSIVE)]


def lock(statement: tree.LockStmt, _schema: Schema) -> list[Effect]:
    """Judge LOCK TABLE; the tree has the mode by PostgreSQL's own number."""
    tables = [relation_name(found.range_var) for found in statement.relations]
    return [Effect(table, Lock(statement.mode)) for table in tables]


def vacuum(statement: tree.VacuumStmt, _schema: Schema) -> list[Effect]:
    """Judge VACUUM and ANALYZE of tables that are named."""
    tables = [relation_name(found.vacuum_relation.relation) for found in statement.rels]
    is_full = "full" in switched_on(statement.options)
    effect = Effect(
        None,
        Lock.ACCESS_EXCLUSIVE if is_full else Lock.SHARE_UPDATE_EXCLUSIVE,
        Work.REWRITE if is_full else Work.SCAN,
        no_transaction="VACUUM" if statement.is_vacuumcmd else None,
    )
    return _each(effect, tables)


def cluster(statement: tree.ClusterStmt, _schema: Schema) -> list[Effect]:
    """Judge CLUSTER of one table."""
    effect = Effect(None, Lock.ACCESS_EXCLUSIVE, Work.REWRITE)
    is_named = statement.HasField("relation")
    return _each(effect, [relation_name(statement.relation)] if is_named else [])


def refresh(statement: tree.RefreshMatViewStmt, _schema: Schema) -> list[Effect]:
    """Judge REFRESH MATERIALIZED VIEW by the size of the view, for its sources are not known."""
    view = relation_name(statement.relation)
    if statement.skip_data:
        return [_strongest(view)]
    strong = Lock.EXCLUSIVE if statement.concurrent else Lock.ACCESS_EXCLUSIVE
    return [Effect(view, strong, Work.REWRITE)]


def on_table(taken: Lock, relation: tree.RangeVar, condition: str | None = None) -> list[Effect]:
    """Return the effect of what is added to one table and needs no look at its rows."""
    return [Effect(relation_name(relation), taken, condition=condition)]


def _each(effect: Effect, tables: list[str]) -> list[Effect]:
    """Return an effect on each table; without any it is on all, and that is not known."""
    return [replace(effect, table=table) for table in tables] or [UNKNOWN]


def _strongest(table: str, removes: str | None = None) -> Effect:
    return Effect(table, Lock.ACCESS_EXCLUSIVE, phase=Phase.CONTRACT, removes=removes)
