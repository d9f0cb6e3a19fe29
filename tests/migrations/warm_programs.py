"""`flask …` and `alembic …` in processes of their own that begin with the libraries imported.

Those imports take most of the time of a command that does one step. They are done once, in the
process that all the others are forked from. Nothing of `webapp` is among them: each process imports
it from the folder in which the command is run, as the program does.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import IO, Self

from alembic.config import main as run_alembic
from flask.cli import main as run_flask

ROOT = Path(__file__).resolve().parents[2]
RUN = {"alembic": run_alembic, "flask": run_flask}
# What the commands of migrations import, beside this module's own imports.
LIBRARIES = [
    "alembic.autogenerate.api",
    "flask_migrate.cli",
    "psycopg",
    "pydantic_settings",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.orm",
    "structlog",
]


class WarmProcess:
    """A command under way, to be read, waited for and ended as one that `subprocess` started.

    What goes to its standard output is read from `stdout`, and from `stderr` what it complains of;
    the latter is None where both go to the first.
    """

    def __init__(self, process: ForkServerProcess, stdout: IO[str], stderr: IO[str] | None) -> None:
        """Take a process that was started, and the ends of its pipes."""
        self._process = process
        self.stdout = stdout
        self.stderr = stderr

    def __enter__(self) -> Self:
        """Return the process."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the pipes and wait for the end."""
        self.stdout.close()
        if self.stderr is not None:
            self.stderr.close()
        self.wait()

    @property
    def returncode(self) -> int | None:
        """The exit status; None while the command runs, -9 where SIGKILL ended it."""
        return self._process.exitcode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Return all that is printed until the end; what takes longer (in seconds) is killed."""
        limit = Timer(timeout, self.kill) if timeout is not None else None
        if limit is not None:
            limit.start()
        with ThreadPoolExecutor(2) as readers:
            complaints = readers.submit(lambda: self.stderr.read() if self.stderr else "")
            printed = readers.submit(self.stdout.read)
        self.wait()
        if limit is not None:
            limit.cancel()
        self.__exit__(None, None, None)
        return printed.result(), complaints.result()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit status; TimeoutError after so many seconds."""
        self._process.join(timeout)
        if self.returncode is None:
            raise TimeoutError(f"The command still runs after {timeout} seconds.")
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal to a command that runs."""
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def terminate(self) -> None:
        """End it with SIGTERM."""
        self._process.terminate()

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._process.kill()


def start_warm(
    arguments: list[str], settings: dict[str, str], folder: Path, *, in_one_stream: bool = False
) -> WarmProcess:
    """Start `flask` or `alembic` in a folder, with these environment variables alone."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__, *LIBRARIES])
    reader, output = context.Pipe(duplex=False)
    error_reader, errors = (None, output) if in_one_stream else context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(arguments, settings, folder, output, errors))
    process.start()
    # The command holds the only writing ends, so that its end is the end of what is read.
    output.close()
    errors.close()
    return WarmProcess(process, _as_text(reader), _as_text(error_reader) if error_reader else None)


def _as_text(reader: "Connection[object, object]") -> IO[str]:
    with reader:
        return open(os.dup(reader.fileno()), encoding="utf-8")


def _run(
    arguments: list[str],
    settings: dict[str, str],
    folder: Path,
    output: "Connection[object, object]",
    errors: "Connection[object, object]",
) -> None:
    """Become the program: its streams, environment, folder, arguments and places to import from."""
    os.dup2(output.fileno(), 1)
    os.dup2(errors.fileno(), 2)
    output.close()
    errors.close()
    sys.stdout.reconfigure(write_through=True)  # type: ignore[union-attr]
    os.environ.clear()
    os.environ.update(settings)
    os.chdir(folder)
    program = Path(sys.executable).parent / arguments[0]
    sys.argv[:] = [str(program), *arguments[1:]]
    sys.path[:] = [str(program.parent), *filter(_is_of_the_interpreter, sys.path)]
    sys.exit(RUN[arguments[0]]())


def _is_of_the_interpreter(place: str) -> bool:
    path = Path(place)
    return path.is_absolute() and (path.is_relative_to(sys.prefix) or not path.is_relative_to(ROOT))
