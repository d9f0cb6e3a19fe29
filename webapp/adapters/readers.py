"""Bare connections for public reads."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader

from webapp.adapters.database_connections import open_connection, set_settings
from webapp.adapters.database_parameters import limits_of, plan_connection
from webapp.settings import Settings

Result = TypeVar("Result")
Connection = psycopg.Connection[tuple[Any, ...]]

# A list is planned for its own filters each time only while that is cheaper.
PREPARE_THRESHOLD = 5
READ_ONLY = {"default_transaction_read_only": "on"}


class _RawLoader(Loader):
    """Hand a value over as the bytes that came from the server."""

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


class ReaderConnections:
    """One connection in autocommit for each thread, kept for its life.

    Checking a connection out of a pool and opening a transaction costs as much as the indexed read
    that it is for. `json` values arrive as bytes. Behind a pooler each read has a transaction all
    the same, because nothing else keeps its time-outs and its statements with one server.
    """

    def __init__(self, settings: Settings) -> None:
        """Connect nowhere yet. Raises MissingSettingError."""
        self._plan = plan_connection(
            settings,
            application_name="imprint-reader",
            session=limits_of(settings),
            fixed=READ_ONLY,
        )
        self._is_pooled = self._plan.is_pooled
        self._begin = f"BEGIN READ ONLY; {set_settings(self._plan.each_transaction, is_local=True)}"
        self._local = threading.local()

    def run(self, read: Callable[[Connection], Result]) -> Result:
        """Call `read` with this thread's connection, once more on a new one if it was broken.

        Only for reads: a statement may run twice.
        """
        connection = getattr(self._local, "connection", None)
        if connection is not None and not connection.closed:
            try:
                return self._call(connection, read)
            except psycopg.OperationalError:
                if not connection.broken and not connection.closed:
                    raise
        self._local.connection = self._connect()
        return self._call(self._local.connection, read)

    def close(self) -> None:
        """Close this thread's connection, if it has one."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()

    def _call(self, connection: Connection, read: Callable[[Connection], Result]) -> Result:
        if not self._is_pooled:
            return read(connection)
        connection.execute(self._begin)
        try:
            result = read(connection)
        except BaseException:
            # The pooler takes its server back only when the transaction is over.
            connection.close()
            raise
        connection.execute("COMMIT")
        return result

    def _connect(self) -> Connection:
        connection = open_connection(self._plan)
        connection.adapters.register_loader("json", _RawLoader)
        if not self._is_pooled:
            connection.prepare_threshold = PREPARE_THRESHOLD
        return connection
