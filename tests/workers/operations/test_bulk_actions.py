"""Promises of bulk actions: each item once, whatever is killed, and few statements for each."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session, sessionmaker

from tests.at_once import at_once
from tests.factories import make_actor, make_content, run_ready_jobs
from tests.patience import HANG_SECONDS
from tests.statements import noting_statements
from tests.workers.operations.killed_worker import start_process, take_back
from webapp.models import BulkAction, BulkItem, Content, Job
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, item_reads
from webapp.services.operations import bulk_actions, bulk_steps
from webapp.services.operations.bulk_actions import Wish
from webapp.services.operations.bulk_changes import Action, Options
from webapp.settings import Settings
from workers.context import WorkerContext
from workers.handlers import HANDLERS
from workers.runner import run_job

RUN = {"bulk_action.run"}
ITEMS = 900


def begin(
    sessions: sessionmaker[Session], actor: Actor, action: Action, ids: Sequence[int], **given: Any
) -> int:
    """Ask for a bulk action and return its id."""
    with sessions.begin() as session:
        return bulk_actions.ask(session, actor, Wish(action, Options(**given), ids))


def read(sessions: sessionmaker[Session], bulk_action_id: int) -> BulkAction:
    """Return a bulk action as it is now."""
    with sessions() as session:
        return session.get_one(BulkAction, bulk_action_id)


def write_items(sessions: sessionmaker[Session], number: int) -> tuple[Actor, list[int]]:
    """Return somebody who may do everything, and the ids of items that they wrote."""
    with sessions.begin() as session:
        actor = make_actor(session)
        return actor, [make_content(session, actor) for _ in range(number)]


def same(actor: Actor) -> Actor:
    """Return an actor as the settings of the tests leave it."""
    return actor


@pytest.mark.long
@pytest.mark.timeout(12 * HANG_SECONDS)
@pytest.mark.parametrize("action", [Action.TAG, Action.PUBLISH])
def test_killed_again_and_again_it_changes_each_item_once(
    settings: Settings, sessions: sessionmaker[Session], action: Action
) -> None:
    actor, ids = write_items(sessions, ITEMS)
    tags = ("killed",) if action is Action.TAG else ()
    bulk_action_id = begin(sessions, actor, action, ids, tags=tags)
    kills, give_up_at = 0, time.monotonic() + 8 * HANG_SECONDS
    process = start_process(settings, "bulk_process")
    while process.poll() is None:
        assert time.monotonic() < give_up_at
        if kills < 3 and read(sessions, bulk_action_id).done > 200 * kills:
            process.kill()
            process.wait()
            kills += 1
            take_back(sessions)
            process = start_process(settings, "bulk_process")
        time.sleep(0.01)
    bulk = read(sessions, bulk_action_id)
    assert (process.returncode, kills) == (0, 3)
    assert (bulk.state, bulk.done, bulk.skipped, bulk.failed) == ("done", ITEMS, 0, 0)
    with sessions() as session:
        changed = select(Content.version, Content.revision, Content.publish_sequence, func.count())
        rows = session.execute(changed.group_by(*changed.selected_columns[:3])).all()
        told = text("SELECT count(*) FROM activity_logs WHERE details ? 'bulk_action_id'")
        assert session.scalar(told) == ITEMS
    expected = (2, 2, 0) if action is Action.TAG else (1, 2, 1)
    assert [tuple(row) for row in rows] == [(*expected, ITEMS)]


def test_two_workers_at_one_bulk_action_change_each_item_once(
    sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_steps, "ITEMS_A_BATCH", 5)
    actor, ids = write_items(sessions, 30)
    bulk_action_id = begin(sessions, actor, Action.TAG, ids, tags=("x",))

    def work(_turn: int) -> str:
        is_last = False
        while not is_last:
            with sessions.begin() as session:
                is_last = bulk_steps.run_batch(session, bulk_action_id, same)
        return "ended"

    assert at_once(work, 3) == ["ended"] * 3
    bulk = read(sessions, bulk_action_id)
    assert (bulk.state, bulk.done, bulk.skipped, bulk.failed) == ("done", 30, 0, 0)
    with sessions() as session:
        assert set(session.scalars(select(Content.version))) == {2}


def test_two_bulk_actions_and_edits_by_hand_at_once_lose_nothing(
    sessions: sessionmaker[Session], worker: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_steps, "ITEMS_A_BATCH", 7)
    actor, ids = write_items(sessions, 40)
    begun = [begin(sessions, actor, Action.TAG, ids, tags=(tag,)) for tag in ("one", "two")]
    with sessions() as session:
        jobs = session.scalars(select(Job.id).where(Job.kind == "bulk_action.run")).all()

    def work(turn: int) -> str:
        if turn < 2:
            run_job(worker, HANDLERS, jobs[turn])
            return "bulk"
        for content_id in reversed(ids):
            with sessions.begin() as session:
                content.edit(session, actor, content_id, None, {"excerpt": "By hand."})
        return "hand"

    assert at_once(work, 3) == ["bulk", "bulk", "hand"]
    # One that has worked for two seconds rests, and goes on.
    give_up_at = time.monotonic() + HANG_SECONDS
    while any(read(sessions, bulk_action_id).state == "running" for bulk_action_id in begun):
        assert time.monotonic() < give_up_at
        run_ready_jobs(worker, kinds=RUN)
    with sessions() as session:
        assert set(session.execute(select(Content.version, Content.excerpt))) == {(4, "By hand.")}
        for content_id in ids:
            assert {tag.slug for tag in item_reads.read_tags(session, content_id)} == {"one", "two"}
        assert set(session.scalars(select(BulkItem.state))) == {"done"}


def test_the_database_says_no_to_one_item_alone(
    sessions: sessionmaker[Session], worker: WorkerContext
) -> None:
    actor, ids = write_items(sessions, 4)
    with sessions.begin() as session:
        session.execute(
            text(
                "ALTER TABLE publications ADD CONSTRAINT not_this_one CHECK"
                f" (content_id <> {ids[1]})"
            )
        )
    bulk_action_id = begin(sessions, actor, Action.PUBLISH, ids)
    run_ready_jobs(worker, kinds=RUN)
    bulk = read(sessions, bulk_action_id)
    assert (bulk.state, bulk.done, bulk.failed) == ("done", 3, 1)
    with sessions() as session:
        failed = session.scalars(select(BulkItem).where(BulkItem.state == "failed")).one()
        assert (failed.content_id, failed.reason) == (ids[1], "conflict")
        assert failed.detail == "Another change got in the way."


def test_what_the_settings_want_of_a_publication_is_wanted_here(
    sessions: sessionmaker[Session], worker: WorkerContext
) -> None:
    strict = worker.settings.model_copy(update={"required_fields": "excerpt"})
    actor, ids = write_items(sessions, 2)
    with sessions.begin() as session:
        content.edit(session, actor, ids[0], None, {"excerpt": "In short."})
    bulk_action_id = begin(sessions, actor, Action.PUBLISH, ids)
    run_ready_jobs(replace(worker, settings=strict), kinds=RUN)
    bulk = read(sessions, bulk_action_id)
    assert (bulk.state, bulk.done, bulk.failed) == ("done", 1, 1)
    with sessions() as session:
        failed = session.scalars(select(BulkItem).where(BulkItem.state == "failed")).one()
        assert (failed.content_id, failed.reason) == (ids[1], "conflict")
        assert "lacks: excerpt" in (failed.detail or "")


@pytest.mark.parametrize(
    ("action", "given", "of_each"),
    [
        (Action.TAG, {"tags": ("x",)}, 28),
        (Action.PUBLISH, {}, 14),
    ],
)
def test_a_batch_sends_few_statements_for_each_item(
    sessions: sessionmaker[Session],
    engine: Engine,
    action: Action,
    given: dict[str, Any],
    of_each: int,
) -> None:
    sent = []
    for number in (10, 20):
        actor, ids = write_items(sessions, number)
        bulk_action_id = begin(sessions, actor, action, ids, **given)
        with noting_statements(engine) as noted, sessions.begin() as session:
            assert bulk_steps.run_batch(session, bulk_action_id, same)
        sent.append(len(noted))
    assert sent[1] - sent[0] <= 10 * of_each, sent
    assert 2 * sent[0] - sent[1] <= 40, sent


@pytest.mark.parametrize(
    "actions",
    [
        (Action.ARCHIVE, Action.UNARCHIVE),
        (Action.TRASH, Action.UNTRASH),
        (Action.PUBLISH, Action.UNPUBLISH),
    ],
)
def test_a_batch_is_moved_by_as_many_statements_however_many_items_it_has(
    sessions: sessionmaker[Session], engine: Engine, actions: tuple[Action, Action]
) -> None:
    sent: dict[Action, set[int]] = {action: set() for action in actions}
    for number in (10, 20):
        actor, ids = write_items(sessions, number)
        for action in actions:
            bulk_action_id = begin(sessions, actor, action, ids)
            with noting_statements(engine) as noted, sessions.begin() as session:
                assert bulk_steps.run_batch(session, bulk_action_id, same)
            assert read(sessions, bulk_action_id).done == number
            sent[action].add(len(noted))
    moved = [sent[action] for action in actions if action is not Action.PUBLISH]
    assert all(len(numbers) == 1 and max(numbers) <= 40 for numbers in moved), sent
