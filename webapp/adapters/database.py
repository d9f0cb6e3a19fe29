"""Connections to PostgreSQL: the engine for writes, and bare connections for public reads."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from sqlalchemy import Engine, create_engine

from webapp.settings import Settings

Result = TypeVar("Result")

KEEPALIVES: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def make_engine(settings: Settings, *, application_name: str) -> Engine:
    """Return an engine that has not connected yet. Raises MissingSettingError.

    Its errors do not tell the parameters of the statement: they hold addresses and drafts, and
    errors are logged and kept with jobs.
    """
    timeout = int(settings.statement_timeout_seconds * 1000)
    return create_engine(
        settings.require_database_url(),
        pool_size=settings.database_pool_size,
        max_overflow=settings.database_pool_size,
        pool_pre_ping=True,
        pool_recycle=1800,
        hide_parameters=True,
        connect_args={
            **KEEPALIVES,
            "application_name": application_name,
            "options": f"-c statement_timeout={timeout} -c lock_timeout=5000"
            " -c idle_in_transaction_session_timeout=30000 -c timezone=UTC",
        },
    )


def plain_url(settings: Settings) -> str:
    """Return the database's URL as libpq and psycopg want it, without SQLAlchemy's driver name."""
    return settings.require_database_url().replace("postgresql+psycopg://", "postgresql://", 1)


class _RawLoader(Loader):
    """Hand a value over as the bytes that came from the server."""

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


class ReaderConnections:
    """One connection in autocommit for each thread, kept for its life.

    Checking a connection out of a pool and opening a transaction costs as much as the indexed read
    that it is for. `json` values arrive as bytes.
    """

    def __init__(self, settings: Settings) -> None:
        """Connect nowhere yet."""
        self._url = plain_url(settings)
        self._timeout = int(settings.statement_timeout_seconds * 1000)
        self._local = threading.local()

    def run(self, read: Callable[[psycopg.Connection[tuple[Any, ...]]], Result]) -> Result:
        """Call `read` with this thread's connection, once more on a new one if it was broken.

        Only for reads: a statement may run twice.
        """
        connection = getattr(self._local, "connection", None)
        if connection is not None and not connection.closed:
            try:
                return read(connection)
            except psycopg.OperationalError:
                if not connection.broken and not connection.closed:
                    raise
        self._local.connection = self._connect()
        return read(self._local.connection)

    def close(self) -> None:
        """Close this thread's connection, if it has one."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        connection = psycopg.connect(
            self._url,
            autocommit=True,
            application_name="imprint-reader",
            options=f"-c statement_timeout={self._timeout} -c default_transaction_read_only=on"
            " -c timezone=UTC",
            **KEEPALIVES,
        )
        connection.adapters.register_loader("json", _RawLoader)
        # A list is planned for its own filters each time only while that is cheaper.
        connection.prepare_threshold = 5
        return connection
