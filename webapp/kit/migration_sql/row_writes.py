"""What a statement that reads, locks or writes rows does, by the tables that it names."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from google.protobuf.message import Message
from postgast import pg_query_pb2 as tree
from postgast import walk

from webapp.kit.migration_sql.effects import UNKNOWN, Effect, Lock, Phase, Work
from webapp.kit.migration_sql.schema import Schema
from webapp.kit.migration_sql.statements import listed_name, relation_name

_READ = {"from_clause", "using_clause", "larg", "rarg", "source_relation"}
# What a SELECT may call and still be known to change nothing but the sequence that it sets. Any
# other function may do whatever it likes.
_HARMLESS = {
    "array_agg", "avg", "count", "currval", "generate_series", "length", "lower", "max", "md5",
    "min", "nextval", "now", "pg_get_serial_sequence", "setval", "string_agg", "sum", "to_regclass",
    "unnest", "upper",
}  # fmt: skip


@dataclass
class RowUse:
    """The tables whose rows some statements insert, update, delete and read."""

    inserted: set[str] = field(default_factory=set)
    updated: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    sources: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)
    locks_rows: bool = False
    makes_table: bool = False

    @property
    def written(self) -> set[str]:
        """All tables of which rows are written."""
        return self.inserted | self.updated | self.deleted


def use_rows(statement: Message, schema: Schema) -> list[Effect]:
    """Judge one INSERT, UPDATE, DELETE, MERGE or SELECT, with all that its WITH holds."""
    use = read_use([statement], schema)
    if use.makes_table:
        return [UNKNOWN]
    if not use.written:
        return _reads(use)
    is_insert = isinstance(statement, tree.InsertStmt)
    is_small = is_insert and not use.sources and _has_values_alone(statement)
    return row_writes(use, Work.NONE if is_small else Work.ROWS)


def row_writes(use: RowUse, work: Work = Work.ROWS) -> list[Effect]:
    """Return the effects of row writes, each sized by what is read and changed."""
    return [
        Effect(
            table,
            Lock.ROW_EXCLUSIVE,
            work,
            Phase.CONTRACT if table in use.deleted else Phase.BACKFILL,
            # What is only inserted is as much as what it comes from.
            sized_by=tuple(sorted(use.sources | ({table} & (use.updated | use.deleted)))),
        )
        for table in sorted(use.written)
    ]


def read_use(statements: Iterable[Message], schema: Schema) -> RowUse:
    """Return what some statements do with rows, by every part of their trees."""
    use, queries = RowUse(), set[str]()
    for statement in statements:
        for place, node in walk(statement):
            if isinstance(node, tree.RangeVar) and place in _READ:
                use.sources.add(relation_name(node))
            elif isinstance(node, tree.CommonTableExpr):
                queries.add(node.ctename)
            else:
                _note(use, node)
    use.sources -= queries - schema.existing
    return use


def _note(use: RowUse, node: Message) -> None:
    if isinstance(node, tree.InsertStmt):
        use.inserted.add(relation_name(node.relation))
    elif isinstance(node, tree.UpdateStmt):
        use.updated.add(relation_name(node.relation))
    elif isinstance(node, tree.DeleteStmt):
        use.deleted.add(relation_name(node.relation))
    elif isinstance(node, tree.MergeStmt):
        clauses = [clause.merge_when_clause for clause in node.merge_when_clauses]
        _note_merge(use, relation_name(node.relation), clauses)
    elif isinstance(node, tree.FuncCall):
        use.called.add(listed_name(node.funcname).removeprefix("pg_catalog."))
    elif isinstance(node, tree.LockingClause):
        use.locks_rows = True
    elif isinstance(node, tree.IntoClause):
        use.makes_table = True


def _note_merge(use: RowUse, table: str, clauses: list[tree.MergeWhenClause]) -> None:
    commands = {clause.command_type for clause in clauses}
    use.updated.add(table)
    if tree.CMD_DELETE in commands:
        use.deleted.add(table)
    if tree.CMD_INSERT in commands:
        use.inserted.add(table)


def _reads(use: RowUse) -> list[Effect]:
    """Judge a statement that only reads, or locks the rows that it reads."""
    if use.called - _HARMLESS:
        return [UNKNOWN]
    lock = Lock.ROW_SHARE if use.locks_rows else Lock.ACCESS_SHARE
    work = Work.ROWS if use.locks_rows else Work.SCAN
    return [Effect(table, lock, work) for table in sorted(use.sources)]


def _has_values_alone(statement: tree.InsertStmt) -> bool:
    """Say whether an INSERT brings its rows along; that is no work to speak of."""
    query = statement.select_stmt.select_stmt
    return not statement.HasField("select_stmt") or bool(query.values_lists)
