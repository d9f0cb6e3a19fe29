"""Workers of two releases side by side while they are restarted one by one, in both directions.

IMPRINT_RELEASE_JOBS=10000 does it with so many jobs and 20 restarts; without it there are fewer.
"""

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.chaos.process_keeper import KeptProcess
from tests.chaos.real_worker import real_worker, running_dispatcher, wait_until
from tests.releases.press import (
    MAKE_TABLE,
    BindPages,
    PrintPage,
    PrintSheet,
    PrintSheetOnPaper,
)
from webapp.jobs.message import Message
from webapp.jobs.outbox import enqueue_many
from webapp.settings import Settings
from workers.context import WorkerContext

pytestmark = [pytest.mark.chaos, pytest.mark.long, pytest.mark.timeout(1800)]

JOBS = int(os.environ.get("IMPRINT_RELEASE_JOBS", "2000"))
# To the new release, back to the last one, and to the new one in the end; two workers each time.
RESTARTS = max(6, JOBS // 500)
WORKERS = 2
HANG_SECONDS = 600.0


class Fleet:
    """The workers, each of a release and restarted in turn."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self._stacks: list[ExitStack] = []
        self._processes: list[KeptProcess] = []
        self.started = 0

    @contextmanager
    def running(self) -> Iterator["Fleet"]:
        """Run workers of the last release at first, and none at the end of the block."""
        try:
            for place in range(WORKERS):
                self._stacks.append(ExitStack())
                self._processes.append(self._start(place, "last"))
            yield self
        finally:
            for stack in self._stacks:
                stack.close()

    def replace(self, place: int, release: str) -> None:
        """Ask a worker to stop, wait for its end, and start one of a release in its place."""
        process = self._processes[place]
        os.kill(process.pid, signal.SIGTERM)
        wait_until(lambda: not process.is_running(), HANG_SECONDS)
        self._stacks[place].close()
        self._processes[place] = self._start(place, release)

    def _start(self, place: int, release: str) -> KeptProcess:
        self.started += 1
        folder = self._folder / str(self.started)
        folder.mkdir()
        app = f"tests.releases.{release}_app"
        return self._stacks[place].enter_context(
            real_worker(self._settings, "versions", folder, app=app)
        )

    def log(self) -> str:
        """Return what all of them have logged."""
        return "".join(path.read_text() for path in sorted(self._folder.glob("*/*.log")))


def jobs_from(first: int, how_many: int) -> list[Message]:
    """Return jobs that both releases have written, in a random order."""
    makers = (
        lambda number: PrintPage(number=number),
        lambda number: PrintSheet(number=number),
        lambda number: PrintSheetOnPaper(first_number=number, paper="A3"),
        lambda number: BindPages(number=number),
    )
    messages: list[Message] = [
        makers[number % 4](number) for number in range(first, first + how_many)
    ]
    random.Random(first).shuffle(messages)
    return messages


def pages_printed(worker: WorkerContext) -> int:
    """Return how many pages are printed."""
    with worker.transaction() as session:
        return session.scalar(text("SELECT count(*) FROM prints")) or 0


def unfinished_jobs(worker: WorkerContext) -> int:
    """Return how many jobs are still to do."""
    with worker.transaction() as session:
        statement = "SELECT count(*) FROM jobs WHERE queue = 'versions' AND state <> 'done'"
        return session.scalar(text(statement)) or 0


def test_jobs_of_both_releases_are_done_once_through_rolling_restarts(
    worker: WorkerContext, settings: Settings, tmp_path: Path
) -> None:
    with worker.transaction() as session:
        session.execute(text(MAKE_TABLE))
    portion = -(-JOBS // (RESTARTS + 1))
    written = 0
    with Fleet(settings, tmp_path).running() as fleet, running_dispatcher(worker):
        for restart in range(RESTARTS + 1):
            done = pages_printed(worker)
            messages = jobs_from(written, min(portion, JOBS - written))
            with worker.transaction() as session:
                written += enqueue_many(session, messages)
            if restart < RESTARTS:
                # The stop comes in the midst of them.
                wait_until(lambda done=done: pages_printed(worker) > done, HANG_SECONDS)  # type: ignore[misc]
                is_forward = restart // WORKERS % 2 == 0 or restart >= RESTARTS - WORKERS
                fleet.replace(restart % WORKERS, "new" if is_forward else "last")
        assert written == JOBS
        wait_until(lambda: unfinished_jobs(worker) == 0, HANG_SECONDS)
        log = fleet.log()
    with worker.transaction() as session:
        states = Counter(session.scalars(text("SELECT state FROM jobs WHERE queue = 'versions'")))
        prints = Counter(session.scalars(text("SELECT number FROM prints")))
        starts = session.scalar(text("SELECT max(starts) FROM jobs WHERE queue = 'versions'"))
        releases = set(session.scalars(text("SELECT DISTINCT release FROM prints")))
    assert states == {"done": JOBS}
    assert prints == Counter(range(JOBS)), "none is lost, and none was done twice"
    assert starts == 1, "neither a stop nor a kind that is not known counts"
    assert releases == {"last", "new"}
    assert "job.declined" in log
    assert "job.failed" not in log
