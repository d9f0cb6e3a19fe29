"""Promise: the erasure of 100,000 rows of a person goes on after every kill and leaves nothing."""

import time

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor
from tests.patience import HANG_SECONDS
from tests.workers.operations.killed_worker import start_process, take_back
from webapp.models import ActivityLog, Erasure, Job, Notification
from webapp.services.operations import erasure
from webapp.settings import Settings

ROWS = 100_000
KILLS = 4


def rows_left(sessions: sessionmaker[Session], account_id: int) -> int:
    """Return how many rows of the inbox are left."""
    with sessions() as session:
        mine = select(func.count()).where(Notification.user_id == account_id)
        return session.scalar(mine) or 0


@pytest.mark.long
@pytest.mark.timeout(12 * HANG_SECONDS)
def test_killed_again_and_again_it_leaves_nothing(
    settings: Settings, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        make_actor(session)
        account_id = make_actor(session).user_id
        for statement in (
            "INSERT INTO notifications (user_id, event_id) SELECT :id, n FROM"
            " generate_series(1, :rows) AS n",
            "INSERT INTO activity_logs (actor_id, action, subject_kind, details)"
            " SELECT :id, 'thing.do', 'thing', '{\"of\": \"them\"}' FROM generate_series(1, 5000)",
        ):
            session.execute(text(statement), {"id": account_id, "rows": ROWS})
    with sessions.begin() as session:
        assert erasure.begin(session, account_id, actor_id=None)
    kills, give_up_at = 0, time.monotonic() + 8 * HANG_SECONDS
    process, left_at_kill = start_process(settings, "erasure_process"), ROWS
    while process.poll() is None:
        assert time.monotonic() < give_up_at
        left = rows_left(sessions, account_id)
        if kills < KILLS and 0 < left < left_at_kill:
            process.kill()
            process.wait()
            kills, left_at_kill = kills + 1, rows_left(sessions, account_id)
            take_back(sessions)
            process = start_process(settings, "erasure_process")
        time.sleep(0.01)
    assert (process.returncode, kills > 0) == (0, True)
    assert rows_left(sessions, account_id) == 0
    with sessions() as session:
        unerased = select(func.count()).where(ActivityLog.erased_at.is_(None))
        assert session.scalar(unerased) == 0
        # The last look is still to come, so the erasure has not ended and the job is not done.
        assert session.get_one(Erasure, account_id).ended_at is None
        assert session.scalars(select(Job.state).where(Job.kind == "account.erase")).all() == [
            "ready"
        ]
