"""The limits under which each statement of a step runs: lock_timeout and statement_timeout."""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from postgast.pg_query_pb2 import (
    TRANS_STMT_BEGIN,
    TRANS_STMT_COMMIT,
    VAR_RESET_ALL,
    Node,
    VariableSetStmt,
)

from webapp.kit.migration_sql.statements import UnreadableError, read

# What alembic/env.py sets for each command.
DEFAULTS = {"lock_timeout": 1.0, "statement_timeout": 15.0}

_TIME = re.compile(r"([\d.]+) ?(us|ms|s|min|h|d|)")
_SECONDS = {"us": 1e-6, "": 1e-3, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True)
class Limits:
    """The limits in seconds; infinity is none."""

    lock_timeout: float
    statement_timeout: float


def read_limits(statements: Iterable[str]) -> Iterator[Limits]:
    """Yield the limits under which each statement runs, or that it sets.

    SET LOCAL holds until the end of its transaction, and does nothing outside of one.
    """
    session, local, is_inside = dict(DEFAULTS), dict[str, float](), False
    for node in map(_read_node, statements):
        if node.transaction_stmt.kind in {TRANS_STMT_BEGIN, TRANS_STMT_COMMIT}:
            local, is_inside = {}, node.transaction_stmt.kind == TRANS_STMT_BEGIN
        changes = _read_changes(node.variable_set_stmt)
        if not node.variable_set_stmt.is_local:
            session |= changes
        if is_inside:
            local |= changes
        yield Limits(**(session | local))


def _read_node(statement: str) -> Node:
    """Return the tree of a statement; one that cannot be read sets nothing."""
    try:
        return read(statement).stmts[0].stmt
    except UnreadableError:
        return Node()


def _read_changes(setting: VariableSetStmt) -> dict[str, float]:
    """Return the limits that a SET or RESET gives; the server's own default is no limit."""
    names = DEFAULTS if setting.kind == VAR_RESET_ALL else DEFAULTS.keys() & {setting.name}
    value = setting.args[0].a_const if setting.args else None
    seconds = math.inf if value is None else _seconds(value.sval.sval or str(value.ival.ival))
    return dict.fromkeys(names, seconds)


def _seconds(value: str) -> float:
    """Return a time as PostgreSQL reads it; 0 is no limit."""
    found = _TIME.fullmatch(value)
    seconds = float(found.group(1)) * _SECONDS[found.group(2)] if found else 0.0
    return seconds or math.inf
