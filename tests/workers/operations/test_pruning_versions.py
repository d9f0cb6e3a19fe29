"""Promises of pruning: whatever is killed, named or packed meanwhile, what is kept reads whole."""

import random
import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import event, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from tests.at_once import at_once
from tests.factories import make_actor, run_ready_jobs
from tests.patience import HANG_SECONDS
from tests.services.content.aged_versions import (
    RULE,
    age,
    hours_of_one_day,
    numbers_of,
    prune_all,
)
from tests.services.content.versions_in_numbers import make_versions, seal_all, switch_on
from tests.workers.operations.killed_worker import start_process
from webapp.jobs.messages import PruneVersions
from webapp.jobs.outbox import enqueue
from webapp.models import ActivityLog, Content, ContentVersion, Job
from webapp.services.content import (
    content,
    labels,
    sealing,
    version_checks,
    version_pruning,
    versions,
)
from webapp.services.content.retention import Place
from webapp.services.errors import PrunedVersionError
from webapp.services.operations import housekeeping
from webapp.settings import Settings
from workers.context import WorkerContext

NUMBER = 300


def make_old_item(session: Session, number: int = NUMBER, *, is_packed: bool = True) -> int:
    """Make an item whose versions were all saved on one day long ago, but for the newest."""
    if is_packed:
        switch_on(session)
    content_id, _ = make_versions(session, number, words=60)
    seal_all(session, content_id)
    age(session, content_id, hours_of_one_day(number))
    return content_id


def check_all(sessions: sessionmaker[Session]) -> None:
    """Compare all versions with their digests."""
    place = 0
    with sessions() as session:
        while (checked := version_checks.check_next(session, place)) is not None:
            assert checked.damaged == []
            place = checked.until_id


def kill_now_and_then(settings: Settings, sessions: sessionmaker[Session], content_id: int) -> int:
    """Run the process that prunes until it has done all, and return how often it was killed.

    It is killed after each of its first transactions, in the midst of the next one.
    """
    chance, kills = random.Random(5), 0
    give_up_at = time.monotonic() + 3 * HANG_SECONDS
    left = NUMBER
    while True:
        process = start_process(settings, "pruning_process")
        try:
            now = left
            while process.poll() is None and (now == left or kills >= 2):
                assert time.monotonic() < give_up_at
                time.sleep(0.02)
                with sessions() as session:
                    now = len(numbers_of(session, content_id))
            left = now
            time.sleep(chance.random() * 0.25)
            is_done = process.poll() == 0
            kills += not is_done
        finally:
            process.kill()
            process.wait()
        check_all(sessions)
        if is_done:
            return kills


@pytest.mark.long
@pytest.mark.timeout(4 * HANG_SECONDS)
def test_killed_anywhere_pruning_loses_nothing_that_is_kept(
    settings: Settings, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        content_id = make_old_item(session)
        # Something is kept in each chain, and hangs on what goes.
        actor = make_actor(session)
        for number in (60, 127, 128, 190, 255, 280):
            labels.add(session, actor, content_id, number, f"name {number}")
    wanted = [1, 60, 127, 128, 190, 255, 280, NUMBER - 1, NUMBER]
    kills = kill_now_and_then(settings, sessions, content_id)
    assert kills == 2
    with sessions() as session:
        assert numbers_of(session, content_id) == wanted
        depth = session.scalar(
            text(
                "WITH RECURSIVE chain AS (SELECT id, 0 AS depth FROM content_versions"
                " WHERE reference_id IS NULL UNION ALL SELECT version.id, chain.depth + 1"
                " FROM content_versions AS version JOIN chain ON version.reference_id = chain.id)"
                " SELECT max(depth) FROM chain"
            )
        )
    assert depth is not None
    assert 1 <= depth <= 4


def test_of_many_who_prune_at_once_each_version_goes_once(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        content_id = make_old_item(session, 150)

    def prune(_: int) -> str:
        with sessions.begin() as session:
            pruned = version_pruning.prune(session, RULE, Place())
        return str(sum(pruned.versions.values()))

    counts = at_once(prune, 4)
    with sessions() as session:
        left = numbers_of(session, content_id)
        lines = session.scalars(
            select(ActivityLog.details).where(ActivityLog.action == "versions.prune")
        ).all()
    assert sum(map(int, counts)) == 150 - len(left)
    assert sum(line["versions"] for line in lines) == 150 - len(left)
    assert set(lines[0]) == {"versions", "first", "last"}
    check_all(sessions)


@pytest.mark.parametrize("place", [2, 12, 13, 14])
def test_who_prunes_between_two_statements_of_another_takes_nothing_from_it(
    sessions: sessionmaker[Session], place: int
) -> None:
    """Before it locks anything, what one has read of a chain may have been packed anew."""
    with sessions.begin() as session:
        # What is kept of the second chain has nothing left there that it could hang on.
        content_id = make_old_item(session, 150)
    seen = 0

    def prune_in_between(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == place:
            with sessions.begin() as other:
                assert version_pruning.prune(other, RULE, Place()).versions == {content_id: 147}

    with sessions.begin() as session:
        event.listen(session.connection(), "before_cursor_execute", prune_in_between)
        assert version_pruning.prune(session, RULE, Place()).versions == {}
    with sessions() as session:
        assert numbers_of(session, content_id) == [1, 149, 150]
    check_all(sessions)


@pytest.mark.parametrize("way", ["label", "restore"])
def test_what_is_named_at_that_moment_is_kept_or_was_gone_before(
    sessions: sessionmaker[Session], way: str
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        content_id = make_old_item(session, 40)

    def work(turn: int) -> str:
        with sessions.begin() as session:
            if turn == 0:
                version_pruning.prune(session, RULE, Place())
                return "pruned"
            try:
                if way == "label":
                    labels.add(session, actor, content_id, 10 + turn, f"name {turn}")
                else:
                    content.restore(session, actor, content_id, None, 10 + turn)
            except PrunedVersionError:
                return "gone"
            return "named"

    done = at_once(work, 5)
    with sessions() as session:
        left = set(numbers_of(session, content_id))
        if way == "label":
            named = {
                line.version
                for line in labels.list_labels(session, actor, content_id, below=None, limit=9)
            }
        else:
            restored = select(ContentVersion.restored_from)
            named = {one for one in session.scalars(restored) if one is not None}
    assert len(named) == done.count("named")
    assert named <= left
    check_all(sessions)


def test_who_is_at_work_on_an_item_is_not_waited_for(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        content_id = make_old_item(session, 20)
    with sessions.begin() as editor:
        editor.execute(select(Content.id).where(Content.id == content_id).with_for_update())
        with sessions.begin() as session:
            session.execute(text("SET LOCAL lock_timeout = '200ms'"))
            pruning = version_pruning.prune(session, RULE, Place())
        assert (pruning.busy, pruning.versions) == ({content_id}, {})
    with sessions.begin() as session:
        assert len(prune_all(session)[0].versions) == 1


def test_what_somebody_packs_against_is_left_for_the_next_time(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        content_id = make_old_item(session, 20)
    with sessions() as packing:
        fifth = select(ContentVersion.id).where(
            ContentVersion.content_id == content_id, ContentVersion.number == 5
        )
        packing.execute(fifth.with_for_update(read=True, key_share=True))
        with sessions.begin() as session:
            session.execute(text("SET LOCAL lock_timeout = '200ms'"))
            prune_all(session)
        with sessions() as session:
            assert numbers_of(session, content_id) == [1, 5, 19, 20]
    with sessions.begin() as session:
        prune_all(session)
        assert numbers_of(session, content_id) == [1, 19, 20]
    check_all(sessions)


def test_a_damaged_version_keeps_its_chain_and_no_other(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        content_id = make_old_item(session, 200)
        session.execute(
            update(ContentVersion).where(ContentVersion.number == 70).values(packed=b"no")
        )
    with sessions.begin() as session:
        done = prune_all(session)
    assert {number for pruning in done for _, number in pruning.damaged} >= {70}
    with sessions() as session:
        assert numbers_of(session, content_id) == [*range(1, 129), 199, 200]


def test_whole_versions_are_pruned_and_new_ones_packed_against_what_is_left(
    sessions: sessionmaker[Session], worker: WorkerContext
) -> None:
    with sessions.begin() as session:
        content_id = make_old_item(session, 40, is_packed=False)
        prune_all(session)
        assert numbers_of(session, content_id) == [1, 39, 40]
        switch_on(session)
        ids = session.scalars(select(ContentVersion.id)).all()
        sealing.pack_range(session, 0, max(ids))
    with sessions() as session:
        kept = session.execute(
            select(ContentVersion.number, ContentVersion.reference_id).order_by(
                ContentVersion.number
            )
        ).all()
    # 39 would hang on 37, and hangs on 1.
    assert [row.reference_id is not None for row in kept] == [False, True, True]
    check_all(sessions)


def test_the_database_refuses_to_let_go_what_another_hangs_on(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        make_old_item(session, 5)
    with sessions() as session, pytest.raises(IntegrityError):
        session.execute(text("DELETE FROM content_versions WHERE number = 1"))


def test_the_job_prunes_once_a_day_what_the_settings_say(
    sessions: sessionmaker[Session], worker: WorkerContext, settings: Settings
) -> None:
    with sessions.begin() as session:
        content_id = make_old_item(session, 30)
        enqueue(session, PruneVersions())
    run_ready_jobs(worker, kinds={PruneVersions.kind})
    with sessions.begin() as session:
        assert len(numbers_of(session, content_id)) == 30, "everything is kept unless it is set"
        assert housekeeping.write_due_version_prune(session)
        assert not housekeeping.write_due_version_prune(session)
    configured = settings.model_copy(update={"keep_all_versions_days": 30})
    own = WorkerContext(configured, worker.sessions, worker.account_mailer, worker.bulk_mailer)
    run_ready_jobs(own, kinds={PruneVersions.kind})
    with sessions() as session:
        assert numbers_of(session, content_id) == [1, 29, 30]
        states = select(Job.state).where(Job.kind == PruneVersions.kind)
        assert set(session.scalars(states)) == {"done"}


def test_while_pruning_goes_on_every_read_finds_what_was_saved(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        content_id = make_old_item(session, 130)
        actor = make_actor(session)
        labels.add(session, actor, content_id, 127, "kept")
        wanted = versions.get_version(session, content_id, 127).body
        age(session, content_id, [one + timedelta(0) for one in hours_of_one_day(130)])
    begun, ended = threading.Event(), threading.Event()
    found: list[str] = []

    def read() -> None:
        while not ended.is_set():
            with sessions() as session:
                found.append(versions.get_version(session, content_id, 127).body)
            begun.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert begun.wait(HANG_SECONDS)
        with sessions.begin() as session:
            prune_all(session)
    finally:
        ended.set()
        reader.join(HANG_SECONDS)
    assert set(found) == {wanted}
    with sessions() as session:
        assert numbers_of(session, content_id) == [1, 127, 129, 130]
