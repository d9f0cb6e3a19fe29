"""What a DO block does, which is known where it does nothing but read and write rows."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from postgast import ParseResult, PgQueryError, deparse, parse_plpgsql
from postgast import pg_query_pb2 as tree

from webapp.kit.migration_sql.effects import UNKNOWN, Effect
from webapp.kit.migration_sql.row_writes import read_use, row_writes
from webapp.kit.migration_sql.schema import Schema
from webapp.kit.migration_sql.statements import UnreadableError, read

# What PL/pgSQL calls its statements. One that is not here may do anything: EXECUTE, CALL, PERFORM.
_LOOPS = {"loop", "while", "fori", "fors", "forc", "foreach_a"}
_KNOWN = _LOOPS | {
    "assert", "assign", "block", "case", "close", "commit", "execsql", "exit", "fetch", "getdiag",
    "if", "open", "raise", "return", "rollback",
}  # fmt: skip
_ENDS_TRANSACTION = {"commit", "rollback"}
_ROW_STATEMENTS = {"insert_stmt", "update_stmt", "delete_stmt", "merge_stmt", "select_stmt"}
_QUERY = "PLpgSQL_expr"
# How PL/pgSQL reads the text of a query: as a statement, an expression, or an assignment.
_STATEMENT, _ASSIGNMENT = 0, 3

# A statement's kind, what stands in it, and whether a loop around it ends the transaction.
Found = tuple[str, dict[str, Any], bool]


def judge_block(statement: tree.DoStmt, schema: Schema) -> list[Effect]:
    """Judge a DO block by every query in it."""
    try:
        found = list(_walk(_parse(statement), is_in_batches=False))
        if not found or {kind for kind, _, _ in found} - _KNOWN - {_QUERY}:
            return [UNKNOWN]
        queries = [
            (node.stmt, is_in_batches)
            for kind, inner, is_in_batches in found
            if kind == _QUERY
            for node in read(_as_statement(inner)).stmts
        ]
    except (PgQueryError, UnreadableError):
        return [UNKNOWN]
    if any(node.WhichOneof("node") not in _ROW_STATEMENTS for node, _ in queries):
        return [UNKNOWN]
    at_once = read_use((node for node, is_in_batches in queries if not is_in_batches), schema)
    ends = any(kind in _ENDS_TRANSACTION for kind, _, _ in found)
    effects = row_writes(read_use((node for node, _ in queries), schema)) or [UNKNOWN]
    return [
        replace(
            effect,
            commits_in_between=effect.table not in at_once.written,
            no_transaction="A DO block that commits" if ends else None,
        )
        for effect in effects
    ]


def _parse(statement: tree.DoStmt) -> object:
    """Return the tree of a block; one in another language has none."""
    whole = ParseResult()
    whole.stmts.add().stmt.do_stmt.CopyFrom(statement)
    return parse_plpgsql(deparse(whole))


def _walk(value: object, *, is_in_batches: bool) -> Iterator[Found]:
    """Yield each statement and each query of a block."""
    if isinstance(value, list):
        for item in value:
            yield from _walk(item, is_in_batches=is_in_batches)
    elif isinstance(value, dict):
        for name, inner in value.items():
            kind = name.removeprefix("PLpgSQL_stmt_")
            if kind != name or kind == _QUERY:
                yield kind, inner, is_in_batches
            ends = not is_in_batches and kind in _LOOPS and _ends_transaction(inner)
            yield from _walk(inner, is_in_batches=is_in_batches or ends)


def _ends_transaction(loop: object) -> bool:
    return any(kind in _ENDS_TRANSACTION for kind, _, _ in _walk(loop, is_in_batches=True))


def _as_statement(expression: dict[str, Any]) -> str:
    """Return what an expression reads as a statement of its own."""
    query: str = expression["query"]
    mode = expression.get("parseMode", _STATEMENT)
    if mode == _STATEMENT:
        return query
    return f"SELECT {query.partition('=')[2] if mode == _ASSIGNMENT else query}"
