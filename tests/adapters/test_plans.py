"""Promises about plans: none outlives what the tables were when it was made."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from bench.articles import fill
from tests.factories import make_actor, make_content
from webapp.adapters import database
from webapp.adapters.database import make_engine
from webapp.kit.clock import utc_now
from webapp.services.publishing import firing, handing_over, schedules
from webapp.services.publishing.schedules import SchedulePlan
from webapp.settings import Settings

FIRST, LOADED = 15, 400
TABLES = ("content", "content_versions", "renderings", "schedules")
_MAKE_DUE = text("UPDATE schedules SET due_at = clock_timestamp() WHERE state = 'pending'")
_HANDED = text("SELECT id FROM schedules WHERE state = 'handed' ORDER BY id")
_READ_FROM_END_TO_END = text(
    "SELECT sum(seq_tup_read) FROM pg_stat_xact_user_tables WHERE relname = ANY (:tables)"
)
# Some of the statements may read a table once, but none once for each row.
MOST_READ = 20 * LOADED


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine as a worker has it, on tables that only the test analyses."""
    settings = Settings(_env_file=None, database_url=database_url)
    engine = make_engine(settings, application_name="worker")
    with engine.begin() as connection:
        for table in TABLES:
            connection.execute(text(f"ALTER TABLE {table} SET (autovacuum_enabled = off)"))
    yield engine
    engine.dispose()


def plan_on_small_tables(session: Session) -> None:
    """Publish a few short items one by one, until the session keeps its plans."""
    actor = make_actor(session)
    ids = []
    for _ in range(FIRST):
        plan = SchedulePlan("publish", utc_now())
        ids.append(schedules.create(session, actor, make_content(session, actor), None, plan))
    session.commit()
    session.execute(text(f"ANALYZE {', '.join(TABLES)}"))
    handing_over.hand_over_due(session)
    session.commit()
    for schedule_id in ids:
        firing.fire(session, [schedule_id], missed_after_seconds=1e9)
        session.commit()


def publish_all(session: Session) -> int:
    """Publish all that is scheduled; returns how many rows were read in scans of whole tables."""
    session.execute(_MAKE_DUE)
    session.commit()
    assert handing_over.hand_over_due(session) == LOADED
    session.commit()
    ids = list(session.scalars(_HANDED))
    before = read_from_end_to_end(session)
    assert len(firing.fire(session, ids, missed_after_seconds=1e9).fired) == LOADED
    return read_from_end_to_end(session) - before


def read_from_end_to_end(session: Session) -> int:
    """Return how many rows this transaction has read so, and those before that are not told yet.

    PostgreSQL tells what a session has read about once a second, and never amid a transaction.
    """
    return int(session.scalars(_READ_FROM_END_TO_END, {"tables": list(TABLES)}).one())


@pytest.mark.parametrize(
    ("seconds", "is_linear"), [(0.0, True), (1e9, False)], ids=["replanned", "as PostgreSQL does"]
)
def test_plans_of_small_tables_are_not_kept_for_large_ones(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, seconds: float, is_linear: bool
) -> None:
    monkeypatch.setattr(database, "PLANS_LAST_SECONDS", seconds)
    with Session(engine) as session:
        plan_on_small_tables(session)
        fill(session, LOADED, analyzed=False)
        assert (publish_all(session) <= MOST_READ) is is_linear
