"""The engine for everything that is written, and the plain connection that listens."""

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from webapp.adapters import built_statements
from webapp.adapters.database_connections import set_settings, settle
from webapp.adapters.database_errors import ends_connection
from webapp.adapters.database_parameters import (
    ConnectionPlan,
    limits_of,
    plan_connection,
    plan_direct,
)
from webapp.kit.database_url import DatabaseUrl
from webapp.settings import Settings

DRIVER = "postgresql+psycopg"
# How long to wait for a connection of the pool: as long as for a new one of the server.
POOL_WAIT_SECONDS = 5.0
# A session keeps the plans of its statements and of the checks of its foreign keys until somebody
# analyses the tables. Those that it made while a table was of one page read it from end to end, and
# still do a minute later, when ten thousand rows have come and no autovacuum yet.
PLANS_LAST_SECONDS = 5.0
_PLANNED_AT = "planned_at"
_USED_AT = "used_at"
_TRUSTED_SECONDS: ContextVar[float | None] = ContextVar("trusted_seconds", default=None)
# What the server tells of itself without being asked, since PostgreSQL 14.
_REFUSES_WRITES = ("default_transaction_read_only", "in_hot_standby")


def make_engine(settings: Settings, *, application_name: str) -> Engine:
    """Return an engine that has not connected yet. Raises MissingSettingError.

    What leaves the pool has begun a transaction, which says as well that the server is still there;
    see `trusting` for what does without.

    Its errors do not tell the parameters of the statement: they hold addresses and drafts, and
    errors are logged and kept with jobs.
    """
    plan = plan_connection(settings, application_name=application_name, session=limits_of(settings))
    engine = create_engine(
        _shown(plan),
        pool_size=settings.database_pool_size,
        max_overflow=settings.database_pool_size,
        pool_timeout=POOL_WAIT_SECONDS,
        pool_recycle=1800,
        hide_parameters=True,
        connect_args=_arguments(plan),
    )
    _prepare(engine, plan)
    _ask_before_use(engine)
    return engine


def make_migration_engine(url: DatabaseUrl) -> Engine:
    """Return an engine without a pool and without time-outs, which migrations set themselves."""
    plan = plan_direct(url, application_name="imprint-migrations", session={})
    engine = create_engine(_shown(plan), poolclass=NullPool, connect_args=_arguments(plan))
    _prepare(engine, plan)
    return engine


def plan_listener(settings: Settings) -> ConnectionPlan | None:
    """Return how to connect for LISTEN; None behind a pooler, where nothing would be heard.

    Raises MissingSettingError.
    """
    url = settings.direct_database()
    if url is None:
        return None
    return plan_direct(url, application_name="imprint-dispatcher", session=limits_of(settings))


def plain_url(settings: Settings) -> str:
    """Return the database's URL in the spelling of libpq. Raises MissingSettingError."""
    return settings.database().text


def _shown(plan: ConnectionPlan) -> URL:
    """Return the URL that commands show of an engine: whose and which, without the password.

    What is connected with are the arguments of the driver, which say the same and more.
    """
    port = plan.parameters.get("port", "")
    host = plan.parameters.get("host", "")
    is_one_server = "," not in host and not host.startswith("/")
    return URL.create(
        DRIVER,
        username=plan.parameters.get("user"),
        host=host if is_one_server else None,
        port=int(port) if port.isdecimal() and is_one_server else None,
        database=plan.parameters.get("dbname"),
    )


def _arguments(plan: ConnectionPlan) -> dict[str, Any]:
    """Return what psycopg is called with; it never prepares where servers may change."""
    pooled = {"prepare_threshold": None} if plan.is_pooled else {}
    return {**plan.parameters, **pooled}


def _prepare(engine: Engine, plan: ConnectionPlan) -> None:
    """Make an engine keep its limits, and give up connections that are of no use any more."""
    limits = set_settings(plan.each_transaction, is_local=True).replace("%", "%%")

    @event.listens_for(engine, "connect")
    def begin(connection: psycopg.Connection[Any], entry: ConnectionPoolEntry) -> None:
        connection.autocommit = True
        settle(connection, plan)
        connection.autocommit = False
        entry.info[_PLANNED_AT] = time.monotonic()

    @event.listens_for(engine, "handle_error")
    def give_up(context: ExceptionContext) -> None:
        if ends_connection(context.original_exception):
            # The others in the pool lead to the same server, and go with it.
            context.is_disconnect = True

    @event.listens_for(engine, "checkin")
    def leave(connection: psycopg.Connection[Any] | None, entry: ConnectionPoolEntry) -> None:
        if connection is not None and _refuses_writes(connection):
            entry.invalidate(soft=True)

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        if plan.is_pooled:
            connection.exec_driver_sql(limits)
        if plans_are_old(connection.info):
            connection.exec_driver_sql("DISCARD PLANS")

    # By one call of libpq: the driver's own way of waiting takes three times as much of a core. Its
    # roll-back lets the server forget all prepared statements as well, because some may name a
    # table that was made in the transaction. Nothing here makes tables, and each refused request
    # would cost as much again as those after it then take to prepare theirs anew.
    engine.dialect.do_commit = partial(_end, b"COMMIT")  # type: ignore[method-assign]
    engine.dialect.do_rollback = partial(_end, b"ROLLBACK")  # type: ignore[method-assign]


def _end(command: bytes, connection: DBAPIConnection) -> None:
    """End the transaction of a connection, be it the pool's or the driver's, if there is one."""
    driver: Any = getattr(connection, "driver_connection", connection)
    if driver.closed or driver.pgconn.transaction_status != TransactionStatus.IDLE:
        built_statements.run_bare(driver, command)


def plans_are_old(info: dict[Any, Any]) -> bool:
    """Say whether the plans of a connection have lasted long enough, and count from now on.

    `info` is what the pool knows of it.
    """
    if time.monotonic() < info[_PLANNED_AT] + PLANS_LAST_SECONDS:
        return False
    info[_PLANNED_AT] = time.monotonic()
    return True


@contextmanager
def trusting(seconds: float) -> Iterator[None]:
    """Let this thread take connections from the pool without a transaction.

    They are not even asked if they were in use so lately. For who reads by one statement, and goes
    to another connection where the first is broken: to ask costs as much as to read.
    """
    token = _TRUSTED_SECONDS.set(seconds)
    try:
        yield
    finally:
        _TRUSTED_SECONDS.reset(token)


def _ask_before_use(engine: Engine) -> None:
    @event.listens_for(engine, "checkout")
    def ask(
        connection: psycopg.Connection[Any], entry: ConnectionPoolEntry, _proxy: object
    ) -> None:
        trusted_seconds = _TRUSTED_SECONDS.get()
        if trusted_seconds is not None:
            idle_seconds = time.monotonic() - entry.info.get(_USED_AT, -math.inf)
            if idle_seconds < trusted_seconds:
                return
        if not _answers(connection, b"" if trusted_seconds is not None else b"BEGIN"):
            raise InvalidatePoolError

    @event.listens_for(engine, "checkin")
    def note(_connection: object, entry: ConnectionPoolEntry) -> None:
        entry.info[_USED_AT] = time.monotonic()

    @event.listens_for(engine, "set_connection_execution_options")
    def step_back(connection: Connection, options: Mapping[str, Any]) -> None:
        if "isolation_level" in options:
            # The driver sets it for transactions that begin from then on.
            connection.connection.rollback()


def _answers(connection: psycopg.Connection[Any], command: bytes) -> bool:
    try:
        built_statements.run_bare(connection, command)
    except psycopg.Error:
        return False
    return True


def _refuses_writes(connection: psycopg.Connection[Any]) -> bool:
    told = connection.info.parameter_status
    return any(told(name) == "on" for name in _REFUSES_WRITES)
