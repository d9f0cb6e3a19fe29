"""Promises of backfills: each row once, whatever is killed; nothing left out without a word."""

import time

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor, make_content, run_ready_jobs
from tests.patience import HANG_SECONDS
from tests.workers.operations.backfill_process import COUNT_ROWS, MAKE_TABLE, ROWS
from tests.workers.operations.killed_worker import start_process, take_back
from webapp.models import ContentVersion, Job
from webapp.services.operations import backfills
from webapp.services.operations.backfills import (
    BACKFILLS,
    SEAL_PRESENT_VERSIONS,
    Backfill,
    Progress,
)
from webapp.settings import Settings
from workers.context import WorkerContext

NAME = COUNT_ROWS.name


@pytest.fixture
def counted(sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch) -> None:
    """A table to fill, and its backfill in the list of this process."""
    monkeypatch.setitem(BACKFILLS, NAME, COUNT_ROWS)
    with sessions.begin() as session:
        session.execute(text(MAKE_TABLE))


def times(sessions: sessionmaker[Session]) -> dict[int, int]:
    """Return how many rows were done how many times."""
    with sessions() as session:
        rows = session.execute(text("SELECT times, count(*) AS rows FROM counted GROUP BY times"))
        return {row.times: row.rows for row in rows}


def progress_of(sessions: sessionmaker[Session], name: str = NAME) -> Progress:
    """Return how far a backfill is."""
    with sessions() as session:
        return backfills.read_progress(session, name)


def start(sessions: sessionmaker[Session], name: str = NAME) -> Progress:
    """Start a backfill or go on with it."""
    with sessions.begin() as session:
        return backfills.start(session, name)


@pytest.mark.long
@pytest.mark.timeout(12 * HANG_SECONDS)
def test_killed_again_and_again_it_does_each_row_once(
    settings: Settings, sessions: sessionmaker[Session], counted: None
) -> None:
    assert start(sessions).rows_total == ROWS
    kills, rows_at_kills = 0, [0]
    while not progress_of(sessions).is_finished:
        process, give_up_at = (
            start_process(settings, "backfill_process"),
            time.monotonic() + 2 * HANG_SECONDS,
        )
        try:
            while process.poll() is None and (
                kills == 5 or progress_of(sessions).rows_done < rows_at_kills[-1] + 500
            ):
                assert time.monotonic() < give_up_at, progress_of(sessions)
                time.sleep(0.02)
            if process.poll() is None:
                kills += 1
        finally:
            process.kill()
            process.wait()
            take_back(sessions)
        rows_at_kills.append(progress_of(sessions).rows_done)
    assert kills == 5
    assert all(0 < rows < ROWS for rows in rows_at_kills[1:6]), rows_at_kills
    assert times(sessions) == {1: ROWS}
    assert progress_of(sessions).rows_done == ROWS


def test_two_starts_write_one_job_and_a_finished_one_stays_finished(
    sessions: sessionmaker[Session], worker: WorkerContext, counted: None
) -> None:
    start(sessions)
    start(sessions)
    with sessions() as session:
        assert session.scalar(text("SELECT count(*) FROM jobs")) == 1
    run_until_finished(worker)
    assert times(sessions) == {1: ROWS}
    assert start(sessions).is_finished
    assert run_ready_jobs(worker) == 0
    assert times(sessions) == {1: ROWS}


def test_a_job_that_gave_up_is_gone_on_with_where_it_was(
    sessions: sessionmaker[Session], worker: WorkerContext, counted: None
) -> None:
    start(sessions)
    with sessions.begin() as session:
        for _ in range(3):
            assert not backfills.run_batch(session, COUNT_ROWS)
        session.execute(update(Job).values(state="failed", last_error="it broke"))
    assert progress_of(sessions).last_error == "it broke"
    assert start(sessions).job_state == "ready"
    run_until_finished(worker)
    assert times(sessions) == {1: ROWS}


def test_rows_that_stay_unfilled_stop_it_with_their_key(
    sessions: sessionmaker[Session],
    worker: WorkerContext,
    counted: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    idle = "UPDATE counted SET times = 1 WHERE id > :after AND id <= :until AND id <> 1403"
    monkeypatch.setitem(
        BACKFILLS, NAME, Backfill(NAME, "counted", idle, unfilled="times = 0", rows_a_batch=100)
    )
    start(sessions)
    run_ready_jobs(worker)
    progress = progress_of(sessions)
    assert (progress.job_state, progress.rows_done, progress.is_finished) == ("failed", 100, False)
    assert progress.last_error == "counted.id = 1403 is still: times = 0"
    assert times(sessions) == {0: ROWS - 100, 1: 100}


def test_a_worker_that_does_not_know_it_leaves_it_to_another(
    sessions: sessionmaker[Session],
    worker: WorkerContext,
    counted: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start(sessions)
    monkeypatch.delitem(BACKFILLS, NAME)
    assert run_ready_jobs(worker) == 1
    progress = progress_of(sessions)
    assert progress.job_state == "ready"
    assert "knows no backfill" in (progress.last_error or "")
    with sessions() as session:
        job = session.execute(text("SELECT starts, declines FROM jobs")).one()
    assert tuple(job) == (0, 1), "it does not use up the starts of the job"


def test_versions_from_before_they_were_sealed_are_sealed(
    sessions: sessionmaker[Session], worker: WorkerContext
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        for _ in range(3):
            make_content(session, actor, body="four words are here")
        session.execute(text("DELETE FROM jobs"))
    start(sessions, SEAL_PRESENT_VERSIONS.name)
    run_ready_jobs(worker)
    with sessions() as session:
        versions = session.query(ContentVersion).all()
        assert [version.words for version in versions] == [4, 4, 4]
    assert progress_of(sessions, SEAL_PRESENT_VERSIONS.name).is_finished


def run_until_finished(worker: WorkerContext) -> None:
    """Run the backfill's job, stretch by stretch."""
    give_up_at = time.monotonic() + HANG_SECONDS
    while not progress_of(worker.sessions).is_finished:
        assert time.monotonic() < give_up_at
        run_ready_jobs(worker, kinds={"backfill.run"})
        time.sleep(0.05)
