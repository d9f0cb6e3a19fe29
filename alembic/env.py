"""Where every migration command runs, be it `alembic …` or `flask db …`.

A command that only reads takes no lock, and neither does an upgrade of a database that is at its
head already. Any other takes a session advisory lock first, so that replicas which start together
migrate once; then it runs each step in a transaction of its own, with short timeouts, and tries a
step again that met a busy table. `-x lock_timeout=5s`, `-x statement_timeout=…` and
`-x busy_tries=…` change the limits for one command.
"""

import logging
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from logging.config import fileConfig
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from alembic import context
from webapp.adapters.database import make_migration_engine
from webapp.services.operations import suitability
from webapp.settings import MissingSettingError, Settings

LOCK_KEY = 0x696D7072
LOCK_POLL_SECONDS, LOCK_WAIT_SECONDS = 0.2, 600
TIMEOUTS = ("lock_timeout", "statement_timeout")
DEFAULT_LIMITS = {"lock_timeout": "1s", "statement_timeout": "15s", "busy_tries": "20"}
LOCK_TIMEOUT, DEADLOCK, CANCELLED = "55P03", "40P01", "57014"
CAUSES = {LOCK_TIMEOUT: "Busy", DEADLOCK: "Busy", CANCELLED: "Too slow"}

FIND_HOLDER = text(
    "SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = database"
    " WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = :key"
    " AND datname = current_database()"
)

FindSteps = Callable[[Any, Any], Iterable[Any]]
logger = logging.getLogger("alembic.env")


def read_limits() -> dict[str, str]:
    """Return the limits of this command, or end it where `-x` names none or gives no number."""
    given = context.get_x_argument(as_dictionary=True)
    for name in given.keys() - DEFAULT_LIMITS.keys():
        raise SystemExit(f"-x {name}: the limits are {', '.join(DEFAULT_LIMITS)}.")
    limits = DEFAULT_LIMITS | given
    if not limits["busy_tries"].isdecimal():
        raise SystemExit(f"-x busy_tries={limits['busy_tries']}: it is a number of tries.")
    return limits


def configured_engine() -> Engine:
    """Return an engine on the database of the settings, or end the command when they name none."""
    try:
        url = Settings.from_environment().direct_database()
    except MissingSettingError as error:
        raise SystemExit(str(error)) from None
    if url is None:
        raise SystemExit(
            "Migrations hold a lock for as long as their session, which a pooler does not keep: set"
            " IMPRINT_DATABASE_DIRECT_URL to a URL that leads to PostgreSQL itself."
        )
    return make_migration_engine(url)


def configure(**where: object) -> None:
    """Set the migration context up, on a connection or for SQL as text.

    The models are imported for the commands alone that compare them with a database, which Alembic
    gives what a new file is made of. The others answer in three quarters of the time without.
    """
    context.configure(
        compare_type=True, compare_server_default=True, transaction_per_migration=True, **where
    )
    options = context.get_context().opts
    if "template_args" in options:
        options["target_metadata"] = import_module("webapp.models").Base.metadata


def run() -> None:
    """Run the command that called this file."""
    with context.begin_transaction():
        context.run_migrations()


class Plan:
    """The steps that are left to run; a step leaves once it is committed.

    The steps are found once, so that `+2` does not mean two more after a step was tried again.
    """

    def __init__(self, find: FindSteps) -> None:
        self._find = find
        self.left: list[Any] | None = None

    def __call__(self, heads: object, migration: object) -> Iterator[Any]:
        """Yield the steps, in the shape that Alembic asks for."""
        if self.left is None:
            self.left = list(self._find(heads, migration))
        while self.left:
            yield self.left[0]
            del self.left[0]


def connect(engine: Engine) -> Connection:
    """Open a connection, or end the command when there is no server."""
    try:
        connection = engine.connect()
    except (OperationalError, psycopg.Error) as error:
        said = error.orig if isinstance(error, OperationalError) else error
        reason = " ".join(str(said).split())
        raise SystemExit(f"Cannot connect to the database of DATABASE_URL: {reason}") from None
    refuse_unsuitable(connection, is_writing=False)
    # While it waits for another migration it is idle for longer than others may be.
    connection.exec_driver_sql("SET idle_session_timeout = 0")
    set_timeouts(connection)
    return connection


def refuse_unsuitable(connection: Connection, *, is_writing: bool) -> None:
    """End the command with a sentence for each reason why this database cannot carry Imprint."""
    found = suitability.judge(suitability.read_facts(connection), is_migrating=is_writing)
    connection.rollback()
    for warning in found.warnings:
        logger.warning(warning)
    faults = found.faults if is_writing else found.lasting_faults
    if faults:
        raise SystemExit("\n".join(faults))


def set_timeouts(connection: Connection) -> None:
    """Set the timeouts of this command, whatever a step that failed has left behind."""
    for name in TIMEOUTS:
        connection.exec_driver_sql("SELECT set_config(%s, %s, false)", (name, LIMITS[name]))
    connection.commit()


def look_ahead(connection: Connection) -> tuple[FindSteps, bool]:
    """Return what finds the steps of the command, and whether they need the lock.

    Logging is held back, since the context is configured once more for the command itself.
    """
    logging.disable(logging.INFO)
    configure(connection=connection)
    logging.disable(logging.NOTSET)
    migration = context.get_context()
    find_steps, destination = migration.opts["fn"], migration.opts.get("destination_rev")
    if destination is None:
        return find_steps, False
    is_at_head = set(migration.get_current_heads()) == set(context.script.get_heads())
    connection.rollback()
    if is_at_head and destination in {"head", "heads"}:
        return lambda _heads, _migration: (), False
    return find_steps, True


def take_lock(connection: Connection) -> None:
    """Take the advisory lock of this database's migrations, or wait for whoever has it.

    It belongs to the session in which the steps run, because a lock of the transaction would be
    gone in an autocommit block, and because it then lasts for as long as the server still works at
    a step, even of a client that was killed. It is polled, because a blocked call counts as a
    running statement, which CREATE INDEX CONCURRENTLY in the other process would wait for, for
    ever.
    """
    deadline = time.monotonic() + LOCK_WAIT_SECONDS
    is_told = False
    while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK_KEY}):
        holder = connection.scalar(FIND_HOLDER, {"key": LOCK_KEY})
        connection.rollback()
        if holder is not None and not is_told:
            sys.stderr.write(f"Another migration is running (pid {holder}); waiting.\n")
            is_told = True
        if time.monotonic() > deadline:
            raise SystemExit(
                f"Another migration was still running after {LOCK_WAIT_SECONDS} seconds."
            )
        time.sleep(LOCK_POLL_SECONDS)
    connection.rollback()


def describe(error: DBAPIError) -> str:
    """Say what PostgreSQL said of which statement, instead of a traceback, without parameters."""
    cause = CAUSES.get(getattr(error.orig, "sqlstate", None) or "", "Refused")
    if error.connection_invalidated:
        cause = "The connection was lost"
    statement = f"\nStatement: {error.statement.strip()}" if error.statement else ""
    return f"{cause}: {str(error.orig).strip()}{statement}"


def run_steps(connection: Connection, plan: Plan) -> None:
    """Run the steps of the plan; one that meets a busy table is rolled back and tried again."""
    tries, left = 0, -1
    while True:
        try:
            configure(connection=connection, fn=plan)
            run()
            return
        except DBAPIError as error:
            remaining = len(plan.left or ())
            tries, left = (tries + 1 if remaining == left else 1), remaining
            is_busy = getattr(error.orig, "sqlstate", None) in {LOCK_TIMEOUT, DEADLOCK}
            if not is_busy or tries >= int(LIMITS["busy_tries"]):
                raise SystemExit(f"The step is not done. {describe(error)}") from None
            logger.warning("A table is busy; the step is rolled back and tried again.")
            connection.rollback()
            time.sleep(random.uniform(0.1, 1.0))  # noqa: S311 - jitter, not a secret
            set_timeouts(connection)


def run_online(engine: Engine) -> None:
    """Run the command on a server."""
    with connect(engine) as connection:
        find_steps, needs_lock = look_ahead(connection)
        if needs_lock:
            refuse_unsuitable(connection, is_writing=True)
            take_lock(connection)
            run_steps(connection, Plan(find_steps))
        else:
            configure(connection=connection, fn=find_steps)
            run()


def run_offline() -> None:
    """Print the SQL of the command; no server is asked, and no DATABASE_URL is needed."""
    dialect = {"dialect_name": "postgresql+psycopg", "dialect_opts": {"paramstyle": "named"}}
    configure(literal_binds=True, **dialect)
    for name in TIMEOUTS:
        context.get_context().impl.static_output(f"SET {name} = '{LIMITS[name]}';")
    run()


LIMITS = read_limits()
# A caller in Python may hand over the connection to work in, or an engine to say where to work.
handed = context.config.attributes.get("connection")
if handed is None and context.config.config_file_name is not None:
    fileConfig(context.config.config_file_name, disable_existing_loggers=False)
if context.is_offline_mode():
    run_offline()
elif isinstance(handed, Connection):
    configure(connection=handed)
    run()
else:
    is_handed = isinstance(handed, Engine)
    where = create_engine(handed.url, poolclass=NullPool) if is_handed else configured_engine()
    try:
        run_online(where)
    except DBAPIError as error:
        raise SystemExit(describe(error)) from None
