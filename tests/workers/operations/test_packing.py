"""Promises of the backfills that pack and unpack: nothing is lost, whatever is killed or turned."""

import random
import time

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import run_ready_jobs
from tests.patience import HANG_SECONDS
from tests.services.content.versions_in_numbers import make_versions
from tests.workers.operations.killed_worker import start_process, take_back
from webapp.models import BackfillState, ContentVersion
from webapp.services.content import versions
from webapp.services.content.sealing import PACK_VERSIONS, UNPACK_VERSIONS
from webapp.services.operations import backfills
from webapp.settings import Settings
from workers.context import WorkerContext

NUMBER = 120


def start(sessions: sessionmaker[Session], name: str) -> None:
    """Start a backfill."""
    with sessions.begin() as session:
        backfills.start(session, name)


def run_until_finished(worker: WorkerContext, name: str) -> None:
    """Run jobs until a backfill is finished, or its job has failed."""
    give_up_at = time.monotonic() + HANG_SECONDS
    while True:
        run_ready_jobs(worker)
        with worker.transaction() as session:
            progress = backfills.read_progress(session, name)
        if progress.is_finished or progress.job_state == "failed":
            return
        assert time.monotonic() < give_up_at
        time.sleep(0.05)


def packed(sessions: sessionmaker[Session]) -> int:
    """Return how many versions are packed."""
    with sessions() as session:
        return session.scalar(select(func.count(ContentVersion.packed))) or 0


def check(sessions: sessionmaker[Session], content_id: int, bodies: list[str]) -> None:
    """Read every version."""
    with sessions() as session:
        found = [versions.get_version(session, content_id, n + 1) for n in range(len(bodies))]
    assert [version.body for version in found] == bodies


@pytest.mark.timeout(12 * HANG_SECONDS)
@pytest.mark.long
def test_killed_between_packing_and_commit_no_version_is_lost(
    settings: Settings, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        content_id, bodies = make_versions(session, NUMBER, words=200)
    start(sessions, PACK_VERSIONS)
    kills, chance = 0, random.Random(3)
    give_up_at = time.monotonic() + 10 * HANG_SECONDS
    while packed(sessions) < NUMBER:
        assert time.monotonic() < give_up_at
        process = start_process(settings, "packing_process")
        before = packed(sessions)
        try:
            while process.poll() is None and (kills == 4 or packed(sessions) < before + 5):
                assert time.monotonic() < give_up_at
                time.sleep(0.02)
            time.sleep(chance.random() * 0.3)
            kills += process.poll() is None
        finally:
            process.kill()
            process.wait()
            take_back(sessions)
        check(sessions, content_id, bodies)
    assert kills >= 2
    with sessions() as session:
        unsealed = select(func.count()).where(ContentVersion.words.is_(None))
        assert session.scalar(unsealed) == 0


def test_present_versions_are_sealed_and_packed_and_from_then_on_new_ones(
    sessions: sessionmaker[Session], worker: WorkerContext
) -> None:
    with sessions.begin() as session:
        content_id, bodies = make_versions(session, 60)
    run_ready_jobs(worker, kinds={"version.seal"})
    assert packed(sessions) == 0
    start(sessions, PACK_VERSIONS)
    run_until_finished(worker, PACK_VERSIONS)
    assert packed(sessions) == 60
    check(sessions, content_id, bodies)
    with sessions.begin() as session:
        make_versions(session, 3)
    run_ready_jobs(worker, kinds={"version.seal"})
    assert packed(sessions) == 63


def test_packing_is_taken_back_and_begun_again(
    sessions: sessionmaker[Session], worker: WorkerContext
) -> None:
    with sessions.begin() as session:
        content_id, bodies = make_versions(session, 70, words=50)
    for name, left in [(PACK_VERSIONS, 70), (UNPACK_VERSIONS, 0)] * 2:
        start(sessions, name)
        run_until_finished(worker, name)
        assert packed(sessions) == left
        check(sessions, content_id, bodies)
        with sessions() as session:
            assert session.scalars(select(BackfillState.name)).all() == [name]
    with sessions.begin() as session:
        make_versions(session, 2)
    run_ready_jobs(worker)
    assert packed(sessions) == 0, "what is saved after unpacking stays whole"


def test_unpacking_waits_for_a_worker_that_packs(
    sessions: sessionmaker[Session], worker: WorkerContext
) -> None:
    with sessions.begin() as session:
        make_versions(session, 2)
    start(sessions, PACK_VERSIONS)
    with sessions() as packing:
        state = select(BackfillState).where(BackfillState.name == PACK_VERSIONS)
        packing.execute(state.with_for_update(read=True, key_share=True))
        with sessions() as session:
            session.execute(text("SET LOCAL lock_timeout = '200ms'"))
            with pytest.raises(DBAPIError, match="lock timeout"):
                backfills.start(session, UNPACK_VERSIONS)
        # The backfill itself goes on beside it.
        run_until_finished(worker, PACK_VERSIONS)
    assert packed(sessions) == 2


def test_a_damaged_version_stops_unpacking_by_its_name(
    sessions: sessionmaker[Session], worker: WorkerContext
) -> None:
    with sessions.begin() as session:
        make_versions(session, 3)
    start(sessions, PACK_VERSIONS)
    run_until_finished(worker, PACK_VERSIONS)
    with sessions.begin() as session:
        session.execute(text("UPDATE content_versions SET packed = 'no' WHERE number = 3"))
        damaged = session.scalar(text("SELECT id FROM content_versions WHERE number = 3"))
    start(sessions, UNPACK_VERSIONS)
    run_until_finished(worker, UNPACK_VERSIONS)
    with sessions() as session:
        progress = backfills.read_progress(session, UNPACK_VERSIONS)
    assert progress.last_error == (f"content_versions.id = {damaged} is still: packed IS NOT NULL")
