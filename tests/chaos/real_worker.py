"""One real worker process, and one dispatcher, on the servers of the ordinary fixtures."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from dev.run_options import child_environment
from dev.supervisor import Program
from tests.chaos.process_keeper import KeptProcess
from tests.chaos.rig import ROOT
from tests.patience import HANG_SECONDS
from webapp.adapters.database import plain_url, plan_listener
from webapp.settings import Settings
from workers.broker import make_celery
from workers.context import WorkerContext
from workers.dispatcher import Dispatcher

_POLL_SECONDS = 0.02


def wait_until(condition: Callable[[], object], seconds: float = HANG_SECONDS) -> None:
    """Wait until a condition holds; after `seconds` it hangs."""
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at, "it did not happen in time"
        time.sleep(_POLL_SECONDS)


@contextmanager
def real_worker(
    settings: Settings,
    queue: str,
    folder: Path,
    *,
    app: str = "celery_app",
    processes: int = 1,
    extra: Mapping[str, str] | None = None,
) -> Iterator[KeptProcess]:
    """Run `celery worker` on a queue inside the block; it is ready when the block begins."""
    command = ["python", "-m", "celery", "-A", app, "worker", "-Q", queue, "-c", str(processes)]
    command += ["--without-gossip", "--without-mingle", "-O", "fair"]
    program = Program("worker", command, "1-worker", 1)
    with _kept(settings, f"worker-{queue}", program, folder, extra) as process:
        wait_until(lambda: " ready." in process.log_path.read_text())
        yield process


@contextmanager
def real_dispatcher(
    settings: Settings, folder: Path, *, extra: Mapping[str, str] | None = None
) -> Iterator[KeptProcess]:
    """Run `flask dispatcher` inside the block, in a process of its own."""
    program = Program("dispatcher", ["python", "-m", "flask", "dispatcher"], "1-dispatcher", 1)
    with _kept(settings, "dispatcher", program, folder, extra) as process:
        wait_until(lambda: "dispatcher.started" in process.log_path.read_text())
        yield process


@contextmanager
def _kept(
    settings: Settings,
    name: str,
    program: Program,
    folder: Path,
    extra: Mapping[str, str] | None,
) -> Iterator[KeptProcess]:
    environment = child_environment(
        {
            "DATABASE_URL": plain_url(settings),
            "REDIS_URL": settings.redis_url,
            "SMTP_URL": settings.smtp_url,
            "SECRET_KEY": settings.require_secret_key(),
            "IMPRINT_LEASE_SECONDS": str(settings.lease_seconds),
            "IMPRINT_WORKER_STOP_SECONDS": str(settings.worker_stop_seconds),
            **(extra or {}),
        }
    )
    process = KeptProcess(name, program, environment, ROOT, folder)
    process.start()
    try:
        yield process
    finally:
        process.end()


@contextmanager
def running_dispatcher(context: WorkerContext) -> Iterator[None]:
    """Run a dispatcher in a thread inside the block."""
    settings = context.settings
    dispatcher = Dispatcher(context, make_celery(settings), plan_listener(settings))
    thread = threading.Thread(target=dispatcher.run, name="dispatcher")
    thread.start()
    try:
        yield
    finally:
        dispatcher.stop()
        thread.join()


def job_state(context: WorkerContext, job_id: int) -> str:
    """Return the state of a job."""
    with context.transaction() as session:
        state = session.scalar(text("SELECT state FROM jobs WHERE id = :id"), {"id": job_id})
    return str(state)


def is_held_up_by(context: WorkerContext, holder_pid: int) -> bool:
    """Say whether some connection waits for a lock of the one with this server process."""
    with context.transaction() as session:
        statement = text("SELECT 1 FROM pg_stat_activity WHERE :pid = ANY (pg_blocking_pids(pid))")
        return session.scalar(statement, {"pid": holder_pid}) is not None
