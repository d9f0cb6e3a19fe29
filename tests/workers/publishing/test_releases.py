"""Promises of a release whose worker dies: all of it or nothing, and once."""

import time

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor, make_content, run_ready_jobs
from tests.patience import HANG_SECONDS
from tests.workers.operations.killed_worker import start_process, take_back
from webapp.models import Content, Event, Publication, Release
from webapp.services.publishing import release_entries, releases
from webapp.services.publishing.release_entries import EntryWish
from webapp.services.publishing.releases import ReleasePlan
from webapp.settings import Settings
from workers.context import WorkerContext

ITEMS = 300


@pytest.mark.long
@pytest.mark.timeout(12 * HANG_SECONDS)
def test_killed_in_the_middle_it_goes_live_once_and_whole(
    settings: Settings, sessions: sessionmaker[Session], worker: WorkerContext
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        ids = [make_content(session, actor) for _ in range(ITEMS)]
        release_id = releases.create(session, actor, ReleasePlan("Spring")).id
        wishes = [EntryWish(content_id, "publish") for content_id in ids]
        release_entries.add(session, actor, release_id, None, wishes)
    run_ready_jobs(worker, kinds={"release.prepare"})
    with sessions.begin() as session:
        releases.schedule(session, actor, release_id, None, None)
        # It dies while the transaction of the release is open: each event takes its time.
        session.execute(text(_SLOW))
        session.execute(text(_SLOWED))
    for _ in range(2):
        process = start_process(settings, "release_process")
        _wait_until_it_writes(sessions)
        process.kill()
        process.wait()
        assert _public(sessions) == 0
        take_back(sessions)
    with sessions.begin() as session:
        session.execute(text("DROP TRIGGER slowed ON events"))
    process = start_process(settings, "release_process")
    assert process.wait(8 * HANG_SECONDS) == 0
    with sessions() as session:
        assert session.get_one(Release, release_id).state == "live"
        assert set(session.scalars(select(Content.publish_sequence))) == {1}
        assert session.scalar(select(func.count(Event.id))) == ITEMS
    assert _public(sessions) == ITEMS


_SLOW = """
    CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END $$
"""
_SLOWED = "CREATE TRIGGER slowed BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION take_time()"


def _wait_until_it_writes(sessions: sessionmaker[Session]) -> None:
    """Wait until a transaction of the worker is at the events."""
    give_up_at = time.monotonic() + 4 * HANG_SECONDS
    writes = text(
        "SELECT count(*) FROM pg_locks WHERE relation = 'events'::regclass"
        " AND mode = 'RowExclusiveLock' AND granted"
    )
    while True:
        with sessions() as session:
            if session.scalar(writes):
                return
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


def _public(sessions: sessionmaker[Session]) -> int:
    with sessions() as session:
        return session.scalar(select(func.count()).select_from(Publication)) or 0
