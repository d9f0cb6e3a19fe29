"""Which processes make up a running Imprint on one development machine."""

from collections.abc import Iterator
from pathlib import Path

from dev.ports import LOOPBACK
from dev.supervisor import Program

# One process for each class of queue. Mail for accounts has its own, so that it never waits
# behind anything else.
WORKER_QUEUES = {
    "accounts": "accounts",
    "publishing": "publishing,versions",
    "notifications": "notifications,housekeeping",
    "mail": "mail",
}
# The sum over the stages stays under the time that supervisord gets as a whole.
_EDGE_STOP_SECONDS, _WORKER_STOP_SECONDS, _MAIL_STOP_SECONDS = 10, 15, 3
_JOB_STOP_SECONDS = 5


def programs(port: int, mail_port: int | None, mail_dir: Path) -> list[Program]:
    """Return the programs: API, dispatcher, workers, and the mail sink where it has a port."""
    chosen = [*_edge(port), *_workers()]
    if mail_port is not None:
        command = ["python", "-m", "dev.mail_sink", "--port", str(mail_port)]
        command += ["--dir", str(mail_dir)]
        chosen.append(Program("mail-sink", command, "1-mail", _MAIL_STOP_SECONDS))
    return chosen


def _edge(port: int) -> Iterator[Program]:
    granian = ["python", "-m", "granian", "--interface", "rsgi", "--http", "1", "--no-ws"]
    granian += ["--host", LOOPBACK, "--port", str(port), "--workers", "1"]
    granian += ["--http1-header-read-timeout", "10000"]
    # One that is told to stop while it still starts would never end.
    granian += ["--workers-kill-timeout", "8", "rsgi:app"]
    yield Program("web", granian, "3-edge", _EDGE_STOP_SECONDS)
    dispatcher = ["python", "-m", "flask", "dispatcher"]
    yield Program("dispatcher", dispatcher, "3-edge", _EDGE_STOP_SECONDS)


def _workers() -> Iterator[Program]:
    for name, queues in WORKER_QUEUES.items():
        celery = ["python", "-m", "celery", "-A", "celery_app", "worker", "-Q", queues]
        celery += ["-c", "1", "-n", f"{name}@%h", "--without-gossip", "--without-mingle"]
        celery += ["-O", "fair", "--loglevel", "INFO"]
        # A job that takes longer is cut off and put back, while there is still time to do so.
        environment = {"IMPRINT_WORKER_STOP_SECONDS": str(_JOB_STOP_SECONDS)}
        yield Program(f"worker-{name}", celery, "2-workers", _WORKER_STOP_SECONDS, environment)
