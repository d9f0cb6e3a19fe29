"""Statements that are built once and run past SQLAlchemy and the driver's cursor.

What both do around a statement, to compile, to prepare, to describe columns and to wait, takes ten
times the processor time of what is left here: parameters out, rows in, and one call of libpq.
"""

import re
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any, TypeAlias

import psycopg
from psycopg import abc, errors, pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq.abc import PGresult
from sqlalchemy import Boolean, Connection, Dialect, LargeBinary, SelectBase, TextClause
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from webapp.adapters.database_errors import ends_connection

Statement: TypeAlias = SelectBase | TextClause

# PostgreSQL's numbers of what SQLAlchemy gives no cast, and would be taken for a text; 0 leaves it
# to the server.
_TYPES: tuple[tuple[type[TypeEngine[Any]], int], ...] = ((LargeBinary, 17), (Boolean, 16))
_READERS = "built_statements"
_NUMBERS = count()
_PARAMETER = re.compile(r"%\((\w+)\)s|%%")
_WENT_WELL = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK, pq.ExecStatus.EMPTY_QUERY)
_IDLE = pq.TransactionStatus.IDLE
_BAD = pq.ConnStatus.BAD


@dataclass(frozen=True)
class _Text:
    """A statement as PostgreSQL gets it: `$1` for the first of `names`, and so on."""

    sql: bytes
    names: tuple[str, ...]
    types: tuple[int, ...]
    formats: tuple[PyFormat, ...]
    processors: tuple[tuple[int, Callable[[Any], Any]], ...]
    defaults: Mapping[str, Any]


@dataclass
class _Reader:
    """How a connection writes the values of a statement and reads its rows."""

    transformer: abc.Transformer
    make_row: Callable[[Sequence[Any]], Any] | None = None


def first(connection: Connection, statement: Statement, parameters: dict[str, Any]) -> Any | None:  # noqa: ANN401
    """Run a statement in the transaction of a connection; returns its first row, if it has one.

    The columns of a row are its attributes. `statement` is one that is built once: what it is
    compiled to is kept for ever. Raises what SQLAlchemy raises.
    """
    if not connection.in_transaction():
        connection.begin()
    taken = connection.connection
    driver: psycopg.Connection[Any] = taken.driver_connection  # type: ignore[assignment]
    try:
        if driver.pgconn.transaction_status == _IDLE:
            run_bare(driver, b"BEGIN")
        return first_of(driver, connection.info, connection.dialect, statement, parameters)
    except psycopg.Error as error:
        is_lost = driver.broken or driver.closed or ends_connection(error)
        if is_lost:
            # The others in the pool lead to the same server, and go with it.
            connection.invalidate(error)
            connection.engine.dispose()
        raise DBAPIError.instance(
            str(statement), None, error, psycopg.Error, hide_parameters=True,
            connection_invalidated=is_lost, dialect=connection.dialect,
        ) from error  # fmt: skip


def run_bare(driver: psycopg.Connection[Any], command: bytes) -> None:
    """Run a command without parameters and rows, and whatever is open. Raises psycopg.Error."""
    _check(driver, driver.pgconn.exec_(command))


def first_of(
    driver: psycopg.Connection[Any],
    info: dict[Any, Any],
    dialect: Dialect,
    statement: Statement,
    parameters: dict[str, Any],
) -> Any | None:  # noqa: ANN401
    """Run it on a driver's connection, of which the pool keeps `info`, and begin no transaction.

    Raises psycopg.Error.
    """
    text = _compile(statement, dialect)
    reader = _reader_of(driver, info, statement)
    values = [
        parameters[name] if name in parameters else text.defaults[name] for name in text.names
    ]
    for place, process in text.processors:
        values[place] = process(values[place])
    dumped: list[Any] = list(reader.transformer.dump_sequence(values, text.formats))
    server = driver.pgconn
    # Behind a pooler nothing is prepared: the next transaction may meet another server.
    if driver.prepare_threshold is None:
        result = server.exec_params(text.sql, dumped, text.types)
    else:
        result = server.exec_prepared(_prepare(driver, text), dumped)
    return _read(driver, reader, result)


@cache
def _compile(statement: Statement, dialect: Dialect) -> _Text:
    compiled = statement.compile(dialect=dialect)
    places: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        name = found[1]
        return "%" if name is None else f"${places.setdefault(name, len(places) + 1)}"

    sql = _PARAMETER.sub(number, str(compiled)).encode()
    names = tuple(places)
    kinds = [compiled.binds[name].type for name in names]
    processors = []
    for place, kind in enumerate(kinds):
        process = kind.dialect_impl(dialect).bind_processor(dialect)
        if process is not None:
            processors.append((place, process))
    return _Text(
        sql,
        names,
        tuple(next((oid for type_, oid in _TYPES if isinstance(kind, type_)), 0) for kind in kinds),
        (PyFormat.TEXT,) * len(names),
        tuple(processors),
        dict(compiled.params),
    )


def _reader_of(
    driver: psycopg.Connection[Any], info: dict[Any, Any], statement: Statement
) -> _Reader:
    known: dict[Statement, _Reader] = info.setdefault(_READERS, {})
    reader = known.get(statement)
    if reader is None:
        reader = known[statement] = _Reader(Transformer(driver))
    return reader


def _prepare(driver: psycopg.Connection[Any], text: _Text) -> bytes:
    """Return the name of a statement at the server, which gets it by its first use.

    The driver's own list is the only one that is right: with each savepoint that is rolled back it
    has the server forget all statements, whoever prepared them.
    """
    known = driver._prepared._names
    key = (text.sql, text.types)
    name = known.get(key)
    if name is None:
        name = b"imprint_%d" % next(_NUMBERS)
        _check(driver, driver.pgconn.prepare(name, text.sql, text.types))
        known[key] = name
    # Those that were used least lately make room for others.
    known.move_to_end(key)
    return name


def _read(driver: psycopg.Connection[Any], reader: _Reader, result: PGresult) -> Any | None:  # noqa: ANN401
    _check(driver, result)
    if not result.ntuples:
        return None
    transformer = reader.transformer
    transformer.set_pgresult(result, set_loaders=reader.make_row is None)
    if reader.make_row is None:
        reader.make_row = _row_of(tuple(_names(driver, result)))
    row = transformer.load_row(0, reader.make_row)
    # A row may be of megabytes, and the connection lives for hours.
    transformer.set_pgresult(None, set_loaders=False)
    return row


def _names(driver: psycopg.Connection[Any], result: PGresult) -> list[str]:
    encoding = driver.info.encoding
    return [(result.fname(place) or b"").decode(encoding) for place in range(result.nfields)]


@cache
def _row_of(names: tuple[str, ...]) -> Callable[[Sequence[Any]], Any]:
    row: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # known when it runs
    make: Callable[[Sequence[Any]], Any] = row._make
    return make


def _check(driver: psycopg.Connection[Any], result: PGresult) -> None:
    """Raise the error that a result tells of."""
    if result.status in _WENT_WELL:
        return
    error = errors.error_from_result(result, encoding=driver.info.encoding)
    if driver.pgconn.status == _BAD and not isinstance(error, psycopg.OperationalError):
        raise psycopg.OperationalError(str(error))
    raise error
