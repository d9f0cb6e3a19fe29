"""Connections to PostgreSQL that are known to keep the limits they were opened with."""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from webapp.adapters.database_errors import DroppedOptionsError
from webapp.adapters.database_parameters import MARK, MARK_VALUE, ConnectionPlan

_READ_MARK = sql.SQL("SELECT current_setting({}, true)").format(sql.Literal(MARK))


def open_connection(plan: ConnectionPlan) -> psycopg.Connection[tuple[Any, ...]]:
    """Return a connection in autocommit. Raises psycopg.OperationalError.

    Behind a pooler no statement is prepared, because the next one may meet another server.
    """
    connection = psycopg.connect(
        make_conninfo(**plan.parameters), autocommit=True, prepare_threshold=None
    )
    try:
        settle(connection, plan)
    except BaseException:
        connection.close()
        raise
    return connection


def settle(connection: psycopg.Connection[Any], plan: ConnectionPlan) -> None:
    """Make a new connection in autocommit what the plan says.

    Raises DroppedOptionsError where its options did not arrive. Behind a pooler each transaction is
    made so instead.
    """
    if plan.is_pooled:
        return
    row = connection.execute(_READ_MARK).fetchone()
    if row is None or row[0] != MARK_VALUE:
        raise DroppedOptionsError
    connection.execute(set_settings(plan.once_connected, is_local=False).encode())


def set_settings(settings: Mapping[str, str], *, is_local: bool) -> str:
    """Return the statement that sets settings, until the end of the transaction if it is local."""
    calls = [
        sql.SQL("set_config({}, {}, {})").format(name, value, is_local)
        for name, value in settings.items()
    ]
    return (sql.SQL("SELECT ") + sql.SQL(", ").join(calls)).as_string(None)
