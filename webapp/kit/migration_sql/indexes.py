"""What making, dropping, renaming and rebuilding an index does to its table."""

from postgast import pg_query_pb2 as tree

from webapp.kit.migration_sql.effects import CONCURRENTLY, UNKNOWN, Effect, Lock, Phase, Work
from webapp.kit.migration_sql.schema import Schema
from webapp.kit.migration_sql.statements import listed_name, relation_name, switched_on

_MAY_BE_INVALID = (
    "IF NOT EXISTS would keep the invalid index that an interrupted run leaves behind: make it"
    " without, and `DROP INDEX CONCURRENTLY IF EXISTS` before."
)


def create_index(statement: tree.IndexStmt, schema: Schema) -> list[Effect]:
    """Judge CREATE INDEX; beside running writes where it is made CONCURRENTLY."""
    table, index = relation_name(statement.relation), statement.idxname
    if index:
        schema.index_tables[index] = table
    if index and statement.unique:
        schema.unique_indexes.add(index)
    unique = f"{index or f'a new index on {table}'} is unique"
    rule = f"The running code has to obey this already: {unique}." if statement.unique else None
    is_weak = statement.concurrent
    return [
        Effect(
            table,
            Lock.SHARE_UPDATE_EXCLUSIVE if is_weak else Lock.SHARE,
            Work.INDEX,
            condition=rule,
            defect=_MAY_BE_INVALID if is_weak and statement.if_not_exists else None,
            no_transaction=CONCURRENTLY if is_weak else None,
        )
    ]


def drop_indexes(statement: tree.DropStmt, schema: Schema) -> list[Effect]:
    """Judge DROP INDEX; without a unique one, ON CONFLICT of the running code fails."""
    return [
        _drop_index(listed_name(found.list.items), statement, schema) for found in statement.objects
    ]


def _drop_index(index: str, statement: tree.DropStmt, schema: Schema) -> Effect:
    lock = Lock.SHARE_UPDATE_EXCLUSIVE if statement.concurrent else Lock.ACCESS_EXCLUSIVE
    is_known = index in schema.index_tables
    # All indexes of the schema `public` are known, so IF EXISTS of another one does nothing.
    is_absent = not is_known and statement.missing_ok and "." not in index
    is_needed = index in schema.unique_indexes or not (is_known or is_absent)
    return Effect(
        schema.index_tables.get(index),
        lock,
        phase=Phase.CONTRACT if is_needed else Phase.EXPAND,
        no_transaction=CONCURRENTLY if statement.concurrent else None,
    )


def rename_index(statement: tree.RenameStmt, schema: Schema) -> list[Effect]:
    """Judge ALTER INDEX … RENAME, whose lock reads and writes of the table take weakly."""
    table = schema.index_tables.get(relation_name(statement.relation))
    return [Effect(table, Lock.SHARE_UPDATE_EXCLUSIVE)]


def reindex(statement: tree.ReindexStmt, schema: Schema) -> list[Effect]:
    """Judge REINDEX of a table or an index.

    It takes SHARE on the table and ACCESS EXCLUSIVE on the index, which the planner of every query
    of the table wants to look at.
    """
    name = relation_name(statement.relation)
    is_index = statement.kind == tree.REINDEX_OBJECT_INDEX
    table = schema.index_tables.get(name) if is_index else name
    options = switched_on(statement.params)
    is_table = is_index or statement.kind == tree.REINDEX_OBJECT_TABLE
    if table is None or not is_table or options - {"concurrently", "verbose"}:
        return [UNKNOWN]
    if "concurrently" in options:
        weak = Lock.SHARE_UPDATE_EXCLUSIVE
        return [Effect(table, weak, Work.INDEX, no_transaction=CONCURRENTLY)]
    return [Effect(table, Lock.ACCESS_EXCLUSIVE, Work.INDEX)]
