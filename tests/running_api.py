"""The API in a process of its own, with the command of `make run`."""

import signal
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dev.ports import LOOPBACK, free_port
from dev.process import TetheredProcess
from dev.programs import programs
from dev.run_options import child_environment
from tests.patience import HANG_SECONDS
from webapp.adapters.database import plain_url
from webapp.settings import Settings

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class RunningApi:
    """Where it listens, the id of its main process, and what it logs."""

    port: int
    pid: int
    log: Path

    def workers(self) -> list[int]:
        """Return the ids of the processes that serve."""
        return children_of(self.pid)

    def threads(self) -> int:
        """Return how many threads the processes that serve have."""
        return sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in self.workers())


@contextmanager
def running_api(
    settings: Settings, folder: Path, *, port: int | None = None, **environment: str
) -> Iterator[RunningApi]:
    """Run the API until the end of the block, with more settings in its environment."""
    port = port or free_port()
    (web,) = (program for program in programs(port, None, folder) if program.name == "web")
    given = {
        "DATABASE_URL": plain_url(settings),
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.require_secret_key(),
        "IMPRINT_RATE_LIMITS": "false",
        **environment,
    }
    log = folder / f"web-{port}.log"
    process = TetheredProcess(
        web.command,
        log_path=log,
        farewell=signal.SIGKILL,
        environment=child_environment(given),
        folder=ROOT,
    )
    try:
        deadline = time.monotonic() + HANG_SECONDS
        while not is_well(port):
            assert process.is_running(), log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield RunningApi(port, process.pid, log)
    finally:
        process.end(signal.SIGTERM, HANG_SECONDS)


def children_of(pid: int) -> list[int]:
    """Return the ids of the processes that a process has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in children.split()]


def is_well(port: int) -> bool:
    """Say whether something answers on a port as the API does."""
    with suppress(OSError):
        url = f"http://{LOOPBACK}:{port}/health"
        with urllib.request.urlopen(url, timeout=HANG_SECONDS) as answer:
            return bool(answer.status == 200)
    return False
