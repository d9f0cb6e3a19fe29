"""A real PgBouncer for the tests, where the machine has one."""

import os
import pwd
import shutil
import signal
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from dev.ports import LOOPBACK, free_port
from dev.process import TetheredProcess, log_tail
from tests.patience import HANG_SECONDS

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
NOT_THERE = "PgBouncer is not installed (apt-get install pgbouncer)"


class PgBouncer:
    """A pooler in transaction mode before one database, with two servers for all clients."""

    def __init__(self, folder: Path, database: dict[str, str], extra: str = "") -> None:
        """Start nothing yet; `extra` are further lines of its configuration."""
        self._folder = folder
        self._database = database
        self._extra = extra
        self._process: TetheredProcess | None = None
        self.port = free_port()

    def __enter__(self) -> Self:
        """Start it, and wait until it listens."""
        assert PROGRAM is not None
        self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        log = self._folder / "log"
        file = self._folder / "pgbouncer.ini"
        file.write_text(self._configuration())
        # It reads its file and refuses to be root, so it runs as nobody, as which it has to enter
        # the folder.
        program = [PROGRAM, str(file)]
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            runs_as = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}"]
            program = [*runs_as, "--clear-groups", *program]
            os.chown(file, nobody.pw_uid, nobody.pw_gid)
            for parent in (self._folder, *self._folder.parents):
                if parent.owner() == "root" and not parent.stat().st_mode & 0o001:
                    parent.chmod(parent.stat().st_mode | 0o011)
        self._process = TetheredProcess(program, log_path=log, farewell=signal.SIGTERM)
        deadline = time.monotonic() + HANG_SECONDS
        while not self._answers():
            assert self._process.is_running(), log_tail(log)
            assert time.monotonic() < deadline, log_tail(log)
            time.sleep(0.05)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it at once."""
        if self._process is not None:
            self._process.end(signal.SIGTERM, 10.0)

    @property
    def url(self) -> str:
        """The URL of the database behind it."""
        return f"postgresql://imprint@{LOOPBACK}:{self.port}/pooled"

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((LOOPBACK, self.port)) == 0

    def _configuration(self) -> str:
        place = " ".join(f"{name}='{value}'" for name, value in self._database.items())
        return f"""
[databases]
pooled = {place}
[pgbouncer]
listen_addr = {LOOPBACK}
listen_port = {self.port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 100
{self._extra}
"""
