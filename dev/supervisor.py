"""The processes of `make run` under supervisord: its configuration, its start and its end."""

import configparser
import os
import re
import shlex
import signal
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from dev.process import TetheredProcess, log_size

STOP_SECONDS = 33.0
_KEEP_TRYING = 1_000_000
_LOG_BYTES = "20MB"
# What supervisord writes of a program that ended by itself.
_ENDED = re.compile(rb" exited: (\S+) \(")


@dataclass(frozen=True)
class Program:
    """One process to keep alive.

    `stage` orders the start, lowest first, and the end, highest first. Programs of one stage stop
    at the same time and have `stop_seconds` to do so before they are killed.
    """

    name: str
    command: Sequence[str]
    stage: str
    stop_seconds: int
    environment: Mapping[str, str] = field(default_factory=dict)


def _literal(text: str) -> str:
    # supervisord expands %(name)s in every value.
    return text.replace("%", "%%")


def _quoted(environment: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_literal(value)}"' for name, value in environment.items())


def configuration(programs: Sequence[Program], logs: Path) -> configparser.RawConfigParser:
    """Return supervisord's configuration for `programs`, whose logs go to the folder `logs`.

    Nothing in it may hold a path with a space before `;` or `#`, which would begin a comment: pass
    relative paths, and programs by name.
    """
    parser = configparser.RawConfigParser()
    parser["supervisord"] = {
        "nodaemon": "true",
        "silent": "true",
        "logfile": _literal(str(logs / "supervisord.log")),
        "logfile_maxbytes": _LOG_BYTES,
        "logfile_backups": "1",
        "pidfile": _literal(str(logs.parent / "supervisord.pid")),
        "childlogdir": _literal(str(logs)),
    }
    stages = sorted({program.stage for program in programs})
    for priority, stage in enumerate(stages, start=1):
        names = [program.name for program in programs if program.stage == stage]
        parser[f"group:{stage}"] = {"programs": ",".join(names), "priority": str(priority)}
    for program in programs:
        parser[f"program:{program.name}"] = {
            "command": _literal(shlex.join(program.command)),
            "environment": _quoted(program.environment),
            "autorestart": "true",
            "startsecs": "1",
            "startretries": str(_KEEP_TRYING),
            "stopsignal": "TERM",
            "stopwaitsecs": str(program.stop_seconds),
            # Only the main process is asked to stop, and lets its children finish; what is left
            # of them when its time is over is killed with it.
            "stopasgroup": "false",
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": _literal(str(logs / f"{program.name}.log")),
            "stdout_logfile_maxbytes": _LOG_BYTES,
            "stdout_logfile_backups": "1",
        }
    return parser


class Supervisor:
    """A supervisord on `programs`, run in `folder` with `environment`.

    `configuration_path` and `logs` are relative to `folder`.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        folder: Path,
        configuration_path: Path,
        logs: Path,
        environment: Mapping[str, str],
    ) -> None:
        self._programs = programs
        self._folder = folder
        self._configuration_path = configuration_path
        self._logs = logs
        self._environment = environment
        self._process: TetheredProcess | None = None
        self._log_start = 0

    def start(self) -> None:
        """Start supervisord, which starts the programs; does not wait until they are ready."""
        parser = configuration(self._programs, self._logs)
        with (self._folder / self._configuration_path).open("w", encoding="utf-8") as file:
            parser.write(file)
        self._log_start = log_size(self._folder / self._logs / "supervisord.log")
        self._process = TetheredProcess(
            ["python", "-m", "supervisor.supervisord", "-n", "-c", str(self._configuration_path)],
            log_path=self._folder / self._logs / "supervisord.log",
            farewell=signal.SIGTERM,
            grace_seconds=STOP_SECONDS,
            environment=self._environment,
            folder=self._folder,
        )

    def is_running(self) -> bool:
        """Say whether supervisord runs."""
        return self._process is not None and self._process.is_running()

    def most_ends(self) -> int:
        """Return how often the program that ended most often has ended since the start."""
        log = (self._folder / self._logs / "supervisord.log").read_bytes()[self._log_start :]
        return max(Counter(_ENDED.findall(log)).values(), default=0)

    def stop(self) -> None:
        """Stop the programs, stage by stage, then supervisord; nothing of them is left behind."""
        if self._process is None:
            return
        self._process.end(signal.SIGTERM, STOP_SECONDS)
        for process in _session_members(self._process.session):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._process = None


def _session_members(session: int) -> Iterator[int]:
    for pid in psutil.pids():
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) == session:
                yield pid
