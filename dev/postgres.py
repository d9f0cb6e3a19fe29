"""An embedded PostgreSQL: a real server from a wheel, on 127.0.0.1, with its data in one folder.

Who stops it: whoever started it, by `stop()`, `crash()` or the end of the `with` block. An owner
that dies without that, also by SIGKILL, takes the server with it: a durable one stops cleanly, a
throw-away one at once.
"""

import signal
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from dev.identity import Identity, choose_identity
from dev.ports import LOOPBACK, free_port
from dev.postgres_data import SUPERUSER, DataFolder, find_programs
from dev.process import ServerError, TetheredProcess, log_size, log_tail

# These end what hangs. A server that recovers a long log, on a busy machine, takes its minutes.
_START_SECONDS = 600.0
_STOP_SECONDS = 120.0
_ATTEMPTS = 10
_RETRY_SECONDS = 0.5
_POLL_SECONDS = 0.02
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    # Socket paths end at 107 bytes, which a project's folder may well exceed.
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}
# A power cut would ruin the data, the end of the server's processes does not. synchronous_commit
# stays on, or a crash would lose what was committed just before it; without fsync it costs little.
_THROW_AWAY_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    # A checkpoint costs as little, and what it lets go of may be memory.
    "max_wal_size": "256MB",
}


class PostgresServer:
    """One PostgreSQL server on `data_dir`, which is made and filled when it is missing.

    `programs` is the `bin` folder of another PostgreSQL, 15 or newer; without it the wheel's is
    taken.
    `durable=False` is for throw-away servers: quicker, and its data would not survive a power cut.
    `port` is fixed where given, else a free one that stays the same between starts of this object.
    The password lies beside the data in `<data_dir>.password` (mode 0600) and the log, unless
    `log_path` says otherwise, in `<data_dir>.log`.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        durable: bool,
        port: int | None = None,
        log_path: Path | None = None,
        programs: Path | None = None,
    ) -> None:
        self._data = DataFolder(data_dir.resolve())
        self.data_dir = self._data.path
        self.durable = durable
        self.log_path = (log_path or self._data.beside(".log")).resolve()
        self._programs = programs
        self._fixed_port = port
        self._port = port
        self._password = ""
        self._process: TetheredProcess | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The TCP port; raises ServerError before the first start."""
        if self._port is None:
            raise ServerError("PostgreSQL has no port before it was started.")
        return self._port

    @property
    def pid(self) -> int:
        """The process id of the running postmaster; raises ServerError when it does not run."""
        if self._process is None:
            raise ServerError("PostgreSQL does not run.")
        return self._process.pid

    def url(self, database: str) -> str:
        """Return the URL of a database, with the user and the password in it."""
        return f"postgresql://{SUPERUSER}:{self._password}@{LOOPBACK}:{self.port}/{quote(database)}"

    def is_running(self) -> bool:
        """Say whether the server that this object started still runs."""
        return self._process is not None and self._process.is_running()

    def start(self) -> None:
        """Start the server and return when it accepts connections.

        Raises ServerError when one already runs on the same data, or with the end of the log when
        the start fails.
        """
        self._data.refuse_second_server(_STOP_SECONDS)
        programs = self._programs or find_programs()
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        identity = choose_identity(programs / "postgres", self.data_dir)
        if not self._data.is_initialised():
            self._data.initialise(programs, identity, durable=self.durable)
        self._password = self._data.read_password()
        self.data_dir.chmod(0o700)
        # One that ended by itself is still to be reaped.
        self._end(signal.SIGQUIT)
        for attempts_left in reversed(range(_ATTEMPTS)):
            self._port = self._fixed_port or free_port(self._port)
            log_start = log_size(self.log_path)
            if self._launch(programs, identity):
                return
            complaint = log_tail(self.log_path, log_start)
            if not attempts_left or not self._may_pass(complaint):
                raise ServerError(f"PostgreSQL did not start:\n{complaint}")

    def stop(self) -> None:
        """Stop cleanly, ending all connections; without effect on a server that does not run."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """Stop at once and without a checkpoint, as `pg_ctl -m immediate` does.

        The next start has to recover. Without effect on a server that does not run.
        """
        self._end(signal.SIGQUIT)

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create a database, as a copy of `template` where one is named.

        Raises psycopg.errors.DuplicateDatabase where it exists.
        """
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        self._execute(statement)

    def drop_database(self, name: str) -> None:
        """Drop a database where it exists, ending the connections to it."""
        self._execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )

    def has_database(self, name: str) -> bool:
        """Say whether a database of that name exists."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            query = "SELECT 1 FROM pg_database WHERE datname = %s"
            return connection.execute(query, (name,)).fetchone() is not None

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.end(number, _STOP_SECONDS)
            self._process = None

    def _launch(self, programs: Path, identity: Identity) -> bool:
        settings = {**_SETTINGS, "port": str(self.port)}
        settings |= {} if self.durable else _THROW_AWAY_SETTINGS
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        program = [str(programs / "postgres"), "-D", str(self.data_dir)]
        self._process = TetheredProcess(
            [*identity.prefix, *program, *options],
            log_path=self.log_path,
            farewell=signal.SIGINT if self.durable else signal.SIGQUIT,
        )
        deadline = time.monotonic() + _START_SECONDS
        while self._process.is_running() and time.monotonic() < deadline:
            if self._data.is_ready(self._process.pid):
                return True
            time.sleep(_POLL_SECONDS)
        self._end(signal.SIGQUIT)
        return False

    def _may_pass(self, complaint: str) -> bool:
        if "Address already in use" in complaint and self._fixed_port is None:
            self._port = None
            return True
        # The processes of a postmaster that was killed need a moment to notice and to end.
        time.sleep(_RETRY_SECONDS)
        return "pre-existing shared memory block" in complaint
