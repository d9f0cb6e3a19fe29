"""One whole Imprint for the fault tests: durable servers, and every process as in production."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from alembic.config import Config
from pydantic import SecretStr
from redis import Redis
from sqlalchemy import NullPool, create_engine

from alembic import command
from dev.ports import free_port
from dev.postgres import PostgresServer
from dev.programs import programs
from dev.redis import RedisServer
from dev.run_options import child_environment
from tests.chaos.process_keeper import KeptProcess, ProcessKeeper
from tests.patience import HANG_SECONDS
from webapp.jobs.queues import Queue
from webapp.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "imprint"
SECRET_KEY = "a secret key for the fault tests, long enough for production"
LEASE_SECONDS = 2.0
REDISPATCH_SECONDS = 1.0
_POLL_SECONDS = 0.02


class Rig:
    """The servers, the processes, and a view of the database that survives its crashes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mail_dir = folder / "mail"
        self.postgres = PostgresServer(folder / "postgres", durable=True)
        self.redis = RedisServer(folder / "redis")
        self._mail_port = free_port()
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None
        self.keeper: ProcessKeeper

    @contextmanager
    def running(self) -> Iterator["Rig"]:
        """Run everything inside the block, and leave nothing behind at its end."""
        with ExitStack() as stack:
            self.mail_dir.mkdir()
            # The stop is arranged first: the server may be down, or half up, when the test fails.
            stack.callback(self.postgres.stop)
            self.postgres.start()
            self.postgres.create_database(DATABASE)
            self._migrate()
            stack.callback(self.redis.stop)
            self.redis.start()
            self.keeper = ProcessKeeper(self._processes())
            stack.callback(self._close)
            stack.enter_context(self.keeper.running())
            yield self

    @property
    def database_url(self) -> str:
        """The database's URL."""
        return self.postgres.url(DATABASE)

    @property
    def settings(self) -> Settings:
        """The settings of the API in this process; those of the other processes are the same."""
        return Settings(
            _env_file=None,
            database_url=self.database_url,
            redis_url=self.redis.url,
            smtp_url=f"smtp://127.0.0.1:{self._mail_port}",
            secret_key=SecretStr(SECRET_KEY),
            rate_limits=False,
            log_level="ERROR",
        )

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Open a connection for a transaction that holds something up."""
        return psycopg.connect(self.database_url, application_name="fault-test")

    def rows(self, statement: LiteralString, **parameters: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query; a database that is away is waited for."""
        give_up_at = time.monotonic() + HANG_SECONDS
        while True:
            try:
                if self._connection is None:
                    self._connection = psycopg.connect(self.database_url, autocommit=True)
                return self._connection.execute(statement, parameters).fetchall()
            except psycopg.OperationalError:
                self._close()
                if time.monotonic() > give_up_at:
                    raise
                time.sleep(_POLL_SECONDS)

    def number(self, statement: LiteralString, **parameters: Any) -> int:
        """Return the only value of the only row of a query, such as a count."""
        return int(self.rows(statement, **parameters)[0][0])

    def wait_for(self, statement: LiteralString, seconds: float, **parameters: Any) -> bool:
        """Wait until a query returns rows; False when it has not within `seconds`."""
        give_up_at = time.monotonic() + seconds
        while not self.rows(statement, **parameters):
            if time.monotonic() > give_up_at:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def hints(self) -> int:
        """Return how many hints are on the broker now."""
        with Redis(port=self.redis.port) as broker:
            waiting = sum(broker.llen(f"imprint:{queue.value}") for queue in Queue)
            return int(waiting + broker.hlen("imprint:unacked"))

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _migrate(self) -> None:
        url = self.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
        engine = create_engine(url, poolclass=NullPool)
        with engine.connect() as connection:
            config = Config(str(ROOT / "alembic.ini"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        engine.dispose()

    def _processes(self) -> list[KeptProcess]:
        """Return what `make run` starts, but for the API, and with a second dispatcher."""
        environment = child_environment(
            {
                "DATABASE_URL": self.database_url,
                "REDIS_URL": self.redis.url,
                "SMTP_URL": f"smtp://127.0.0.1:{self._mail_port}",
                "SECRET_KEY": SECRET_KEY,
                "IMPRINT_LEASE_SECONDS": str(LEASE_SECONDS),
                "IMPRINT_REDISPATCH_SECONDS": str(REDISPATCH_SECONDS),
            }
        )
        processes = []
        for program in programs(0, self._mail_port, self.mail_dir):
            copies = {"web": [], "dispatcher": ["dispatcher-1", "dispatcher-2"]}
            for name in copies.get(program.name, [program.name]):
                processes.append(KeptProcess(name, program, environment, ROOT, self.folder))
        return processes
