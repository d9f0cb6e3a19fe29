"""The processes under measurement: how they are started, and what they take of the machine."""

import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from dev.process import TetheredProcess

PROJECT = Path(__file__).resolve().parent.parent
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Memory:
    """The most resident memory that one process had, in MiB; shared pages count in each."""

    program: str
    role: str
    peak_mebibytes: float


class Program:
    """One program with its child processes, such as a Celery worker with its pool."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        log_path: Path,
        folder: Path = PROJECT,
    ) -> None:
        """Start it in a folder; `python` is the interpreter of this process."""
        self.name = name
        self.log_path = log_path
        words = [sys.executable if word == "python" else word for word in command]
        self._process = TetheredProcess(
            words,
            log_path=log_path,
            farewell=signal.SIGTERM,
            environment=environment,
            folder=folder,
        )

    def is_running(self) -> bool:
        """Say whether it has not ended."""
        return self._process.is_running()

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used so far, with its children's."""
        return cpu_seconds(self._process.pid)

    def memory(self) -> list[Memory]:
        """Return the peaks until now: of the main process first, then of its children."""
        peaks = []
        for number, process in enumerate(_tree(self._process.pid)):
            with suppress(psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):
                role = "main" if number == 0 else "child"
                peaks.append(Memory(self.name, role, _peak_bytes(process) / MEBIBYTE))
        return peaks

    def children(self) -> int:
        """Return how many child processes there are."""
        return len(_tree(self._process.pid)) - 1

    def stop(self) -> None:
        """Ask it to end, and see to it."""
        self._process.end(signal.SIGTERM, 20.0)


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and its children, also of those that have ended."""
    seconds = 0.0
    for process in _tree(pid):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            seconds += times.user + times.system
            seconds += getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return seconds


def _tree(pid: int) -> list[psutil.Process]:
    try:
        main = psutil.Process(pid)
        return [main, *main.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _peak_bytes(process: psutil.Process) -> int:
    """Return the kernel's own record of the peak where it keeps one, else the present size."""
    status = Path(f"/proc/{process.pid}/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return int(process.memory_info().rss)
