"""Promise: a line of the activity log that was changed or removed shows, and its name is told."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import Engine, func, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from tests.activity_chain import seal_all, tamper, verify
from tests.chaos.real_worker import wait_until
from webapp.kit.clock import utc_now
from webapp.models import ActivityBlock, ActivityLog
from webapp.services import activity, activity_erasure, origins
from webapp.services.operations import activity_chain
from webapp.services.origins import Origin

LOCK = 77
# The line gets its id and then waits, before anything is written in its transaction.
SLOW_LINE = text(
    "INSERT INTO activity_logs (action, subject_kind, request_id)"
    f" SELECT 'thing.do', 'slow', pg_advisory_xact_lock({LOCK})::text"
)
WAITS = text(
    f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = {LOCK} AND NOT granted"
)


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity_chain, "LINES_A_BLOCK", 3)


def write(sessions: sessionmaker[Session], lines: int, *, days: int = 0, user_id: int = 7) -> None:
    """Write lines, each in a transaction of its own, as if so many days ago."""
    for number in range(lines):
        with sessions.begin() as session:
            session.execute(
                insert(ActivityLog).values(
                    actor_id=user_id,
                    action="thing.do",
                    subject_kind="thing",
                    subject_id=number,
                    details={"number": number, "half": 0.5},
                    address="192.0.2.7",
                    created_at=utc_now() - timedelta(days=days),
                )
            )


def line_ids(sessions: sessionmaker[Session]) -> list[int]:
    """Return the ids of all lines."""
    with sessions() as session:
        return list(session.scalars(select(ActivityLog.id).order_by(ActivityLog.id)))


def test_lines_are_sealed_in_blocks_and_the_chain_is_whole(
    sessions: sessionmaker[Session], commands: FlaskCliRunner
) -> None:
    assert seal_all(sessions) == 0
    write(sessions, 7)
    assert seal_all(sessions) == 3
    write(sessions, 1)
    report = verify(commands)
    assert (report["blocks"], report["lines"], report["unsealed_lines"]) == (3, 7, 1)
    assert seal_all(sessions) == 1
    assert verify(commands)["unsealed_lines"] == 0
    assert verify(commands, "--since", report["head"])["blocks"] == 1


def test_a_line_that_commits_late_is_waited_for(
    sessions: sessionmaker[Session], commands: FlaskCliRunner, engine: Engine
) -> None:
    """A block that ended behind a line which is not there yet would call it added afterwards."""
    write(sessions, 1)
    with ThreadPoolExecutor() as threads, sessions() as holder:
        holder.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        late = threads.submit(_write_slowly, sessions)
        wait_until(lambda: _waits(engine), 30)
        write(sessions, 1)
        horizon = None
        for _ in range(5):
            with sessions.begin() as session:
                horizon, sealed = activity_chain.advance(session, horizon)
                assert sealed is None
        holder.rollback()
        late.result(30)
    assert len(line_ids(sessions)) == 3
    seal_all(sessions)
    report = verify(commands)
    assert (report["lines"], report["fault"]) == (3, None)


def _write_slowly(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        session.execute(SLOW_LINE)


def _waits(engine: Engine) -> bool:
    with engine.connect() as connection:
        return bool(connection.scalar(WAITS))


def test_dispatchers_at_once_make_one_chain(
    sessions: sessionmaker[Session], commands: FlaskCliRunner
) -> None:
    write(sessions, 20)
    barrier = threading.Barrier(4)

    def work(_: int) -> int:
        barrier.wait()
        return seal_all(sessions)

    with ThreadPoolExecutor(4) as threads:
        made = sum(threads.map(work, range(4)))
    made += seal_all(sessions)
    report = verify(commands)
    assert (report["blocks"], report["lines"], report["unsealed_lines"]) == (made, 20, 0)


def test_a_sealing_that_is_cut_off_leaves_nothing_behind(
    sessions: sessionmaker[Session], commands: FlaskCliRunner
) -> None:
    write(sessions, 2)
    with sessions.begin() as session:
        horizon, _ = activity_chain.advance(session, None)
    with sessions() as session:
        assert activity_chain.advance(session, horizon)[1] is not None
        session.rollback()
    assert seal_all(sessions) == 1
    assert verify(commands)["lines"] == 2


@pytest.mark.parametrize(
    ("statement", "line", "words"),
    [
        ("UPDATE activity_logs SET action = 'thing.undo' WHERE id = {4}", 4, "was changed"),
        ("UPDATE activity_logs SET details = '{{}}' WHERE id = {4}", 4, "was changed"),
        ("UPDATE activity_logs SET created_at = now() WHERE id = {0}", 0, "was changed"),
        ("DELETE FROM activity_logs WHERE id = {2}", 2, "is missing"),
        ("DELETE FROM activity_logs WHERE id >= {2}", 2, "is missing"),
        (
            "INSERT INTO activity_logs (id, action, subject_kind) OVERRIDING SYSTEM VALUE"
            " VALUES (-5, 'thing.do', 'thing')",
            None,
            "Line -5 was added afterwards",
        ),
        (
            "UPDATE activity_logs SET details = '{{}}', changes = '{{}}', address = NULL,"
            " erased_at = now(), personal_hash = sha256('a guess') WHERE id = {5}",
            5,
            "was changed",
        ),
        ("UPDATE activity_blocks SET row_count = 4 WHERE number = 2", None, "Block 2 was changed"),
        ("UPDATE activity_blocks SET digests = '' WHERE number = 2", None, "digests of block 2"),
        ("DELETE FROM activity_blocks WHERE number = 1", None, "Block 1 is missing"),
    ],
)
def test_what_was_tampered_with_is_named(
    sessions: sessionmaker[Session],
    commands: FlaskCliRunner,
    statement: str,
    line: int | None,
    words: str,
) -> None:
    write(sessions, 7)
    seal_all(sessions)
    ids = line_ids(sessions)
    assert verify(commands)["is_whole"]
    tamper(sessions, statement.format(*ids))
    fault = verify(commands)["fault"]
    assert words in fault["sentence"]
    if line is not None:
        assert fault["line"] == ids[line]


def test_a_chain_that_was_shortened_or_made_anew_is_not_the_one_that_was_noted(
    sessions: sessionmaker[Session], commands: FlaskCliRunner
) -> None:
    write(sessions, 7)
    seal_all(sessions)
    noted = verify(commands)["head"]
    tamper(sessions, "DELETE FROM activity_blocks WHERE number = 3")
    assert verify(commands)["is_whole"]
    assert verify(commands, "--since", noted)["fault"]["sentence"] == "Block 3 is missing."
    tamper(sessions, "UPDATE activity_logs SET action = 'thing.undo'")
    tamper(sessions, "DELETE FROM activity_blocks")
    seal_all(sessions)
    assert verify(commands)["is_whole"]
    assert "not the one that was noted" in verify(commands, "--since", noted)["fault"]["sentence"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE activity_logs SET action = 'thing.undo'",
        "UPDATE activity_logs SET erased_at = now(), personal_hash = '' WHERE true",
        "DELETE FROM activity_logs",
        "TRUNCATE activity_logs",
        "UPDATE activity_blocks SET row_count = 0",
        "UPDATE activity_blocks SET pruned_at = now(), digests = '', row_count = 0",
        # Not even the path of retention takes away what is younger than a day.
        "UPDATE activity_blocks SET pruned_at = now(), digests = ''",
        "DELETE FROM activity_blocks",
        "TRUNCATE activity_blocks",
    ],
)
def test_the_database_refuses_every_other_change(
    sessions: sessionmaker[Session], statement: str
) -> None:
    write(sessions, 3)
    seal_all(sessions)
    with pytest.raises(DBAPIError, match="only grows"), sessions.begin() as session:
        session.execute(text(statement))


def test_old_blocks_are_pruned_and_the_chain_stays_whole(
    sessions: sessionmaker[Session], commands: FlaskCliRunner
) -> None:
    write(sessions, 6, days=11)
    write(sessions, 1, days=11)
    write(sessions, 3, days=9)
    # A clock that was set back: these are older than what stands before them.
    write(sessions, 2, days=11)
    seal_all(sessions)
    write(sessions, 1, days=11)
    noted = verify(commands)["head"]
    with sessions.begin() as session:
        # The third block has a line that is younger, and keeps the fourth; the last is not sealed.
        assert not activity_chain.prune_blocks(session, 10)
    assert len(line_ids(sessions)) == 7
    report = verify(commands)
    assert (report["pruned_blocks"], report["pruned_lines"], report["lines"]) == (2, 6, 6)
    assert report["head"] == noted
    assert verify(commands, "--since", noted)["is_whole"]
    tamper(sessions, "UPDATE activity_blocks SET row_count = 2 WHERE number = 1")
    assert "Block 1 was changed" in verify(commands)["fault"]["sentence"]


def test_a_block_that_is_said_to_be_pruned_hides_no_line(
    sessions: sessionmaker[Session], commands: FlaskCliRunner
) -> None:
    write(sessions, 4, days=11)
    seal_all(sessions)
    tamper(sessions, "UPDATE activity_blocks SET pruned_at = now(), digests = '' WHERE number = 1")
    assert "was added afterwards" in verify(commands)["fault"]["sentence"]


def test_a_person_is_erased_from_it_and_the_chain_stays_whole(
    sessions: sessionmaker[Session], commands: FlaskCliRunner
) -> None:
    write(sessions, 4, user_id=7)
    write(sessions, 2, user_id=8)
    seal_all(sessions)
    origins.enter(Origin(address="192.0.2.9", user_agent="Lynx"))
    with sessions.begin() as session:
        changes = activity.difference({"name": "Old"}, {"name": "New"})
        activity.record(session, 8, "account.edit", "user", 7, changes=changes)
        assert activity_erasure.erase(session, 7) == 5
        assert activity_erasure.erase(session, 7) == 0
    seal_all(sessions)
    report = verify(commands)
    assert (report["is_whole"], report["lines"], report["erased_lines"]) == (True, 7, 5)
    with sessions() as session:
        left = session.scalars(select(ActivityLog).where(ActivityLog.erased_at.is_not(None))).all()
        told = {str((row.details, row.changes, row.address, row.user_agent)) for row in left}
        assert told == {"({}, {}, None, None)"}
        assert [row.salt for row in left] == [None] * 5
    tamper(sessions, "UPDATE activity_logs SET actor_id = 8 WHERE erased_at IS NOT NULL")
    assert "was changed" in verify(commands)["fault"]["sentence"]


def test_lines_of_an_older_release_are_sealed_as_well(
    sessions: sessionmaker[Session], commands: FlaskCliRunner
) -> None:
    old = "INSERT INTO activity_logs (action, subject_kind, salt) VALUES ('thing.do', 'thing', {})"
    for salt in ("NULL", "DEFAULT"):
        with sessions.begin() as session:
            session.execute(text(old.format(salt)))
    seal_all(sessions)
    assert verify(commands)["lines"] == 2


def test_a_block_holds_forty_bytes_for_a_line(sessions: sessionmaker[Session]) -> None:
    write(sessions, 3)
    seal_all(sessions)
    with sessions() as session:
        assert session.scalar(select(func.octet_length(ActivityBlock.digests))) == 3 * 40
