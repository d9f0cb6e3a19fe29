"""Rendering in a real prefork worker: each child of it renders in children of its own."""

from pathlib import Path

import pytest

from tests.chaos.real_worker import job_state, real_worker, running_dispatcher, wait_until
from webapp.jobs.messages import SealVersion
from webapp.jobs.outbox import enqueue
from webapp.settings import Settings
from workers.context import WorkerContext

pytestmark = pytest.mark.chaos

JOBS = 6
# How `rendering_app` begins its lines.
RENDERED = "rendered:"


def test_children_of_a_worker_whose_main_process_rendered_share_nothing(
    worker: WorkerContext, settings: Settings, tmp_path: Path
) -> None:
    app = "tests.chaos.rendering_app"
    with (
        real_worker(settings, "versions", tmp_path, app=app, processes=2) as process,
        running_dispatcher(worker),
    ):
        jobs = []
        for number in range(1, JOBS + 1):
            with worker.transaction() as session:
                jobs.append(enqueue(session, SealVersion(version_id=number)) or 0)
            # A hint of its own for each, so that the child that is free gets the next one.
            wait_until(lambda: job_state(worker, jobs[-1]) != "ready")
        wait_until(lambda: all(job_state(worker, job) == "done" for job in jobs))
        log = process.log_path.read_text()
    lines = [
        line.partition(RENDERED)[2].split(":") for line in log.splitlines() if RENDERED in line
    ]
    assert sorted(html for _, _, html in lines) == [f"<p>text {n}</p>" for n in range(JOBS + 1)]
    children = {process: mine for process, mine, _ in lines}
    # The main process and both of its children, each with one child that nobody else has.
    assert len(children) == 3
    assert len(set(children.values())) == 3
    assert all(mine.isdigit() for mine in children.values())
