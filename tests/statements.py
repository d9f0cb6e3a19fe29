"""What the application sends to the database, for tests that compare two ways of being asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, event

from webapp.adapters import built_statements, single_reads


@contextmanager
def noting_statements(engine: Engine) -> Iterator[list[str]]:
    """Note each statement, commit and roll-back that is sent inside the block."""
    noted: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        noted.append(statement)

    def commit(_connection: Any) -> None:
        noted.append("COMMIT")

    def roll_back(_connection: Any) -> None:
        noted.append("ROLLBACK")

    listeners = (("before_cursor_execute", note), ("commit", commit), ("rollback", roll_back))
    for name, listener in listeners:
        event.listen(engine, name, listener)
    with noting_built(noted):
        yield noted
    for name, listener in listeners:
        event.remove(engine, name, listener)


@contextmanager
def noting_built(noted: list[str]) -> Iterator[None]:
    """Note each statement that runs past SQLAlchemy in a session."""
    first_of = built_statements.first_of

    def note(driver: Any, info: Any, dialect: Any, statement: Any, parameters: Any) -> Any:
        noted.append(str(statement))
        return first_of(driver, info, dialect, statement, parameters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(built_statements, "first_of", note)
        yield


@contextmanager
def noting_executions() -> Iterator[list[str]]:
    """Note each statement that this process sends inside the block, through SQLAlchemy or past it.

    The question whether a connection is still there is not one of them, nor is what a connection
    forgets every few seconds.
    """
    noted: list[str] = []
    execute = psycopg.Cursor.execute

    def note(cursor: Any, query: Any, params: Any = None, **options: Any) -> Any:
        statement = query.decode() if isinstance(query, bytes) else str(query)
        if statement.strip(" ;") not in {"", "SELECT 1", "DISCARD PLANS"}:
            noted.append(statement)
        return execute(cursor, query, params, **options)

    with pytest.MonkeyPatch.context() as patch, noting_built(noted):
        patch.setattr(psycopg.Cursor, "execute", note)
        # Noted already, and run by one function with those of sessions.
        patch.setattr(single_reads, "first_of", built_statements.first_of)
        yield noted
