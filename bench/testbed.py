"""A throw-away Imprint: servers of its own, databases in known states, and its programs."""

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from alembic.config import Config
from psycopg import sql
from redis import Redis
from sqlalchemy import Engine, NullPool, create_engine
from sqlalchemy.orm import Session, sessionmaker

from alembic import command
from bench.processes import PROJECT, Memory, Program, cpu_seconds
from dev.ports import LOOPBACK
from dev.postgres import PostgresServer
from dev.process import log_tail
from dev.programs import programs
from dev.redis import RedisServer

EMPTY = "bench_empty"
_READY_SECONDS = 60.0
_POLL_SECONDS = 0.05
_SETTINGS = ("DATABASE_URL", "REDIS_URL", "SMTP_URL", "SECRET_KEY", "BROKER_URL")


class BenchError(Exception):
    """The benchmark cannot go on; the message says why."""


class Testbed:
    """Embedded servers in `folder`, and whatever the measures start on them.

    PostgreSQL runs as in production, with fsync, and notes when each transaction was committed.
    The databases are copies of one another, so that every measure begins in a known state.
    """

    __test__ = False  # Its name is no reason for pytest to collect it.

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        """Start nothing yet; `say` is called with each step's name."""
        self.folder = folder
        self.say = say
        self.peaks: list[Memory] = []
        self._stack = ExitStack()
        self._postgres = PostgresServer(folder / "postgres", durable=True)
        self._redis = RedisServer(folder / "redis")

    def __enter__(self) -> Self:
        """Start the servers and migrate the database that all others are copied from."""
        with ExitStack() as stack:
            self.say("starting PostgreSQL (with fsync) and Redis, migrating")
            stack.callback(self._postgres.stop)
            self._postgres.start()
            with psycopg.connect(self._postgres.url("postgres"), autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
            self._postgres.stop()
            self._postgres.start()
            stack.callback(self._redis.stop)
            self._redis.start()
            self._postgres.create_database(EMPTY)
            _migrate(self.url(EMPTY))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the servers."""
        self._stack.close()

    def url(self, database: str) -> str:
        """Return the URL of a database."""
        return self._postgres.url(database)

    @contextmanager
    def database(self, name: str, template: str = EMPTY) -> Iterator[str]:
        """Make a copy of a database, dropped at the end; yields its URL."""
        self._postgres.create_database(name, template=template)
        try:
            yield self.url(name)
        finally:
            self._postgres.drop_database(name)

    def set_server(self, name: str, value: str) -> None:
        """Change a setting of the server while it runs."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            parts = sql.SQL("ALTER SYSTEM SET {} = {}")
            connection.execute(parts.format(sql.Identifier(name), sql.Literal(value)))
            connection.execute("SELECT pg_reload_conf()")

    def postgres_cpu_seconds(self) -> float:
        """Return the processor time that PostgreSQL has used so far."""
        return cpu_seconds(self._postgres.pid)

    def count_statements(self, seconds: float) -> float:
        """Return how many statements a second the server is sent by all who are connected."""
        self.set_server("log_statement", "all")
        time.sleep(1)  # Each process reads its settings before its next statement.
        before = self._postgres.log_path.stat().st_size
        time.sleep(seconds)
        with self._postgres.log_path.open("rb") as server_log:
            server_log.seek(before)
            lines = server_log.read().splitlines()
        self.set_server("log_statement", "none")
        return sum(b"] LOG:  statement: " in line or b"] LOG:  execute " in line
                   for line in lines) / seconds  # fmt: skip

    @contextmanager
    def program(
        self,
        name: str,
        command: Sequence[str],
        database_url: str,
        children: int = 0,
        folder: Path = PROJECT,
    ) -> Iterator[Program]:
        """Run a program in a folder until the end of the block, and keep the peaks of its memory.

        Returns once it has as many child processes as it shall have. Raises BenchError when it
        ends before.
        """
        log_path = self.folder / f"{name}.log"
        program = Program(name, command, self.environment(database_url), log_path, folder)
        try:
            self.wait(lambda: program.children() >= children, f"{name} starts", program)
            yield program
            self.peaks.extend(program.memory())
        finally:
            program.stop()

    @contextmanager
    def workers(
        self,
        database_url: str,
        names: Sequence[str],
        concurrency: int = 1,
        folder: Path = PROJECT,
    ) -> Iterator[dict[str, Program]]:
        """Run the dispatcher and the named workers of a checkout, as `make run` does."""
        commands = {program.name: program.command for program in programs(0, None, Path())}
        with Redis.from_url(self._redis.url) as redis:
            redis.flushall()  # Hints of another database would name other jobs.
        with ExitStack() as stack:
            running = {}
            for name in names:
                chosen = _with_concurrency(commands[name], concurrency)
                running[name] = stack.enter_context(
                    self.program(name, chosen, database_url, concurrency, folder)
                )
            running["dispatcher"] = stack.enter_context(
                self.program("dispatcher", commands["dispatcher"], database_url, folder=folder)
            )
            with psycopg.connect(database_url, autocommit=True) as connection:
                beat = "SELECT 1 FROM ticks WHERE task = 'dispatcher.heartbeat'"
                self.wait(
                    lambda: connection.execute(beat).fetchone() is not None,
                    "the dispatcher's first round",
                    running["dispatcher"],
                )
            yield running

    def wait(
        self,
        is_done: Callable[[], bool],
        what: str,
        program: Program | None = None,
        seconds: float = _READY_SECONDS,
        poll_seconds: float = _POLL_SECONDS,
    ) -> None:
        """Wait until something is so. Raises BenchError when it takes too long."""
        deadline = time.monotonic() + seconds
        while not is_done():
            ended = program is not None and not program.is_running()
            if ended or time.monotonic() > deadline:
                log = f"\n{log_tail(program.log_path)}" if program else ""
                raise BenchError(f"Waited {seconds:g} s in vain until {what}.{log}")
            time.sleep(poll_seconds)

    def environment(self, database_url: str) -> Mapping[str, str]:
        """Return this process's environment without its settings of Imprint, and with ours."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("IMPRINT_") and name not in _SETTINGS
        }
        return {
            **kept,
            "IMPRINT_ENVIRONMENT": "development",
            "DATABASE_URL": database_url,
            "REDIS_URL": self._redis.url,
            "SMTP_URL": f"smtp://{LOOPBACK}:9",  # Nothing listens there; no measure sends mail.
            "PYTHONUNBUFFERED": "1",
            "REMAP_SIGTERM": "SIGQUIT",
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")]),
        }


def sessions_on(database_url: str) -> sessionmaker[Session]:
    """Return a maker of sessions, each on a connection of its own."""
    return sessionmaker(_engine(database_url), expire_on_commit=False)


def listens(port: int) -> bool:
    """Say whether something accepts connections on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


def _engine(database_url: str) -> Engine:
    url = database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    return create_engine(url, poolclass=NullPool)


def _with_concurrency(command: Sequence[str], concurrency: int) -> list[str]:
    words = list(command)
    words[words.index("-c") + 1] = str(concurrency)
    return words


def _migrate(database_url: str) -> None:
    with _engine(database_url).connect() as connection:
        config = Config(str(PROJECT / "alembic.ini"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
