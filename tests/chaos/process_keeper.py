"""The processes of one Imprint, kept alive: whichever ends is started again at once."""

import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from dev.process import ServerError, TetheredProcess
from dev.supervisor import Program

_LOOK_SECONDS = 0.02
_PAUSE_BEFORE_RESTART_SECONDS = 0.1
_END_SECONDS = 5.0


class KeptProcess:
    """One program and the process that runs it at present."""

    def __init__(
        self, name: str, program: Program, environment: Mapping[str, str], root: Path, logs: Path
    ) -> None:
        self.name = name
        self.log_path = logs / f"{name}.log"
        self.started_at = 0.0
        self.killed = False
        self._program = program
        self._environment = {**environment, **program.environment}
        self._root = root
        self._process: TetheredProcess | None = None

    @property
    def pid(self) -> int:
        """The id of the process that was started last."""
        assert self._process is not None
        return self._process.pid

    @property
    def queues(self) -> list[str]:
        """The queues that it consumes; none for anything but a worker."""
        command = list(self._program.command)
        return command[command.index("-Q") + 1].split(",") if "-Q" in command else []

    def start(self) -> None:
        """Start the program, in a process group of its own."""
        self.started_at, self.killed = time.time(), False
        self._process = TetheredProcess(
            self._program.command,
            log_path=self.log_path,
            farewell=signal.SIGKILL,
            environment=self._environment,
            folder=self._root,
        )

    def is_running(self) -> bool:
        """Say whether the process that was started last still runs."""
        return self._process is not None and self._process.is_running()

    def freeze(self) -> None:
        """Stop every process of the group where it is, as a debugger would."""
        self._send_to_group(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen group go on."""
        self._send_to_group(signal.SIGCONT)

    def kill(self) -> None:
        """Kill the group: a worker with its pool."""
        self.killed = True
        self._send_to_group(signal.SIGKILL)

    def kill_pool(self) -> bool:
        """Kill only what a worker has forked, as the kernel does when memory runs out."""
        assert self._process is not None
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(self._process.pid).children(recursive=True)
            for child in children:
                child.kill()
            return bool(children)
        return False

    def end(self) -> None:
        """Kill it for good and wait for its end."""
        if self._process is not None:
            self.kill()
            self._process.end(signal.SIGKILL, _END_SECONDS)

    def _send_to_group(self, number: signal.Signals) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.session, number)


class ProcessKeeper:
    """Starts processes again when they end, and remembers those that nobody had killed."""

    def __init__(self, processes: Sequence[KeptProcess]) -> None:
        self.deaths_of_their_own: list[str] = []
        self._processes = {process.name: process for process in processes}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="process-keeper")

    def __getitem__(self, name: str) -> KeptProcess:
        """Return a process by its name."""
        return self._processes[name]

    @property
    def names(self) -> list[str]:
        """The names of all processes."""
        return list(self._processes)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Keep the processes alive inside the block, and kill them all at its end."""
        try:
            for process in self._processes.values():
                process.start()
            self._thread.start()
            yield
        finally:
            self._stopping.set()
            if self._thread.ident is not None:
                self._thread.join()
            for process in self._processes.values():
                process.end()

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Start nothing inside the block, so that a process can be frozen, read and killed."""
        with self._lock:
            yield

    def _keep(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            with self._lock:
                for process in self._processes.values():
                    if not process.is_running():
                        self._restart(process)

    def _restart(self, process: KeptProcess) -> None:
        if not process.killed:
            self.deaths_of_their_own.append(process.name)
        with suppress(ServerError):  # The next look tries again.
            process.start()
            return
        time.sleep(_PAUSE_BEFORE_RESTART_SECONDS)
