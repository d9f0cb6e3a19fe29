"""Databases for single tests: made and dropped over one connection, their files copied whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
from psycopg import sql

from dev.postgres import PostgresServer


class Databases:
    """Makes the databases of tests on a server, for one thread.

    A new connection for each database to make and to drop would cost as much as the copying. The
    files are copied, because copying them through the write-ahead log takes twice the time.
    """

    def __init__(self, server: PostgresServer, template: str) -> None:
        """Copy from this template, which has to be on the server."""
        self._server = server
        self._template = template
        self._connection: psycopg.Connection | None = None

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """Yield the URL of a database with all migrations, and drop it at the end."""
        with self._copied(self._template) as url:
            yield url

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Yield the URL of a database without any, and drop it at the end."""
        with self._copied("template1") as url:
            yield url

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    @contextmanager
    def _copied(self, template: str) -> Iterator[str]:
        name = f"test_{uuid4().hex}"
        make = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        self._execute(make.format(sql.Identifier(name), sql.Identifier(template)))
        try:
            yield self._server.url(name)
        finally:
            drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            self._execute(drop.format(sql.Identifier(name)))

    def _execute(self, statement: sql.Composed) -> None:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self._server.url("postgres"), autocommit=True)
        self._connection.execute(statement)
