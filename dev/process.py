"""A server process that cannot outlive the Python process which started it."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_TETHER = Path(__file__).with_name("tether.py")
_LOG_TAIL_LINES = 20
_LOG_TAIL_BYTES = 16_384


class ServerError(Exception):
    """An embedded server could not be started, or is not in the state that was asked for."""


def log_size(path: Path) -> int:
    """Return the size of a log in bytes, 0 where there is none: `since` for a later tail."""
    return path.stat().st_size if path.exists() else 0


def log_tail(path: Path, since: int = 0) -> str:
    """Return the last lines of a log that lie behind byte `since`, or a remark that none do."""
    try:
        with path.open("rb") as log:
            log.seek(max(since, path.stat().st_size - _LOG_TAIL_BYTES))
            text = log.read().decode(errors="replace")
    except FileNotFoundError:
        return f"(no log at {path})"
    return "\n".join(text.splitlines()[-_LOG_TAIL_LINES:]) or f"(nothing in the log at {path})"


class TetheredProcess:
    """One running server, in its own session and tied to this process by a pipe.

    Its own session keeps a Ctrl-C in the terminal away from it, so that its owner decides the
    order in which things stop. When this process ends in any way, the server gets `farewell` and,
    `grace_seconds` later, SIGKILL. Children that this process starts with `subprocess` do not
    inherit the pipe; one that it forks without `exec` does, and holds the server up.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log_path: Path,
        farewell: signal.Signals,
        grace_seconds: float = 15.0,
        environment: Mapping[str, str] | None = None,
        folder: Path = Path("/"),
    ) -> None:
        """Start `command` in `folder` with its output appended to `log_path`.

        Raises ServerError when the program cannot be executed.
        """
        tether = [sys.executable, "-I", "-S", str(_TETHER)]
        with log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [*tether, str(int(farewell)), str(grace_seconds), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=folder,
                env=None if environment is None else dict(environment),
                start_new_session=True,
            )
        assert self._process.stdout is not None
        first_line = self._process.stdout.readline()
        if not first_line:
            self._close()
            raise ServerError(f"{command[0]} did not start:\n{log_tail(log_path)}")
        self.pid = int(first_line)

    @property
    def session(self) -> int:
        """The id of the session that the server and its descendants belong to."""
        return self._process.pid

    def is_running(self) -> bool:
        """Say whether the server has not ended yet."""
        return self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the server; one that has ended is no error."""
        if self.is_running():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def end(self, number: signal.Signals, timeout_seconds: float) -> int:
        """Send `number`, wait for the end, and return the exit status.

        Whatever is still there after `timeout_seconds` is killed, so nothing is left behind.
        """
        self.send(number)
        try:
            self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
        return self._close()

    def _close(self) -> int:
        # The tether ends only with its server, so its end is also the server's.
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        return self._process.wait()
