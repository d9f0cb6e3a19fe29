"""Reads of one row by one statement, without a session and a transaction around it.

To begin a transaction, to end it, and what SQLAlchemy does around a statement cost several times as
much as the indexed read of who holds a token, which most requests begin with.
"""

from typing import Any

import psycopg
from sqlalchemy import Engine, PoolProxiedConnection

from webapp.adapters.built_statements import Statement, first, first_of, run_bare
from webapp.adapters.database import plans_are_old, trusting

# A connection that was in use so lately is taken unasked. The read finds out whether it is broken.
TRUSTED_SECONDS = 1.0


class SingleReads:
    """Connections of an engine's pool, each for one read in autocommit.

    Behind a pooler a read has a transaction all the same, because nothing else keeps its time-outs
    and its statement with one server.
    """

    def __init__(self, engine: Engine, *, is_pooled: bool) -> None:
        """Connect nowhere yet."""
        self._engine = engine
        self._is_pooled = is_pooled

    def first(self, statement: Statement, parameters: dict[str, Any]) -> Any | None:  # noqa: ANN401
        """Return the first row, whose columns are its attributes, or None.

        `statement` is one that is built once, because it is compiled once and kept. On a connection
        that is found broken it runs once more on another one. Raises psycopg.Error, and what the
        pool raises.
        """
        if self._is_pooled:
            return self._first_in_transaction(statement, parameters)
        with trusting(TRUSTED_SECONDS):
            taken = self._engine.raw_connection()
        try:
            return self._first(taken, statement, parameters)
        except psycopg.OperationalError as error:
            if not _driver(taken).broken and not _driver(taken).closed:
                raise
            taken.invalidate(error)
        finally:
            taken.close()
        # The others in the pool lead to the same server, and go with it.
        self._engine.dispose()
        return self._first_in_transaction(statement, parameters)

    def _first_in_transaction(self, statement: Statement, parameters: dict[str, Any]) -> Any | None:  # noqa: ANN401
        with self._engine.begin() as connection:
            return first(connection, statement, parameters)

    def _first(
        self, taken: PoolProxiedConnection, statement: Statement, parameters: dict[str, Any]
    ) -> Any | None:  # noqa: ANN401
        driver = _driver(taken)
        if plans_are_old(taken.info):
            run_bare(driver, b"DISCARD PLANS")
        return first_of(driver, taken.info, self._engine.dialect, statement, parameters)


def _driver(taken: PoolProxiedConnection) -> psycopg.Connection[Any]:
    connection: psycopg.Connection[Any] = taken.driver_connection  # type: ignore[assignment]
    return connection
