"""Promises about the timeline of an item: any number of actions, each possible at its place."""

import re
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from tests.at_once import at_once
from tests.factories import make_actor, make_content
from tests.services.publishing.test_publishing import events, state_of
from tests.services.publishing.test_supersession import make_versions, public_version
from tests.statements import noting_executions
from webapp.kit.clock import utc_now
from webapp.kit.lifecycle import MOST_PLANNED, Standing
from webapp.kit.roles import RoleName
from webapp.models import Content, Release, ReleaseEntry, Schedule
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, versions
from webapp.services.content.lifecycle import standing_of
from webapp.services.errors import ConflictError, ForbiddenError, MoveRefusedError
from webapp.services.publishing import (
    firing,
    handing_over,
    publishing,
    schedule_reads,
    schedules,
    timelines,
)
from webapp.services.publishing.schedules import SchedulePlan

NEVER_MISSED = 10.0**9
HOUR = timedelta(hours=1)
TOMORROW = utc_now() + timedelta(days=1)


def plan(
    session: Session, actor: Actor, content_id: int, *actions: int | str, start: datetime = TOMORROW
) -> list[int]:
    """Plan actions a minute apart, a number to publish that version, and return their ids."""
    made = []
    for minute, action in enumerate(actions):
        is_release = isinstance(action, int)
        what: Any = "publish" if is_release else action
        due_at = start + timedelta(minutes=minute)
        wish = SchedulePlan(what, due_at, int(action) if is_release else None)
        made.append(schedules.create(session, actor, content_id, None, wish))
    return made


def let_the_next_come(session: Session) -> firing.Firing:
    """Hand over what is due and fire it, as dispatcher and worker would."""
    handing_over.hand_over_due(session)
    handed = session.scalars(select(Schedule.id).where(Schedule.state == "handed")).all()
    return firing.fire(session, handed, missed_after_seconds=NEVER_MISSED)


def let_all_be_due(session: Session) -> None:
    """Move all that is planned into the past, in its order."""
    session.execute(update(Schedule).values(due_at=Schedule.due_at - timedelta(days=2)))


def standing(session: Session, content_id: int) -> Standing:
    """Return where an item stands."""
    session.expire_all()
    return standing_of(session.get_one(Content, content_id))


def test_a_timeline_is_carried_out_in_its_order_with_the_return_that_was_planned(
    session: Session,
) -> None:
    actor = make_actor(session)
    content_id = make_versions(session, actor, 3)
    made = plan(session, actor, content_id, 2, 3, 1, "unpublish", "archive")
    let_all_be_due(session)

    shown = []
    for schedule_id in made:
        assert let_the_next_come(session).fired == [schedule_id]
        shown.append(public_version(session, content_id))

    assert shown == [2, 3, 1, None, None]
    assert standing(session, content_id) is Standing.ARCHIVED
    assert [kind for kind, _ in events(session, content_id)] == [
        "content.published", "content.updated", "content.updated"
    ]  # fmt: skip


@pytest.mark.parametrize("by_hand", [2, 3])
def test_a_publication_by_hand_ends_what_it_overtakes_and_no_planned_return(
    session: Session, by_hand: int
) -> None:
    actor = make_actor(session)
    content_id = make_versions(session, actor, 3)
    made = plan(session, actor, content_id, 2, 3, 1)

    publishing.publish(session, actor, content_id, None, number=by_hand)

    ended = made if by_hand == 3 else made[:1]
    states = [state_of(session, schedule_id) for schedule_id in made]
    assert states == ["cancelled" if one in ended else "pending" for one in made]
    let_all_be_due(session)
    for schedule_id in made[len(ended) :]:
        assert let_the_next_come(session).fired == [schedule_id]
    assert public_version(session, content_id) == (3 if by_hand == 3 else 1)


def test_an_older_version_returns_no_more_once_a_hand_has_published_a_newer_one(
    session: Session,
) -> None:
    """A release that knows nothing of this publishes between two firings."""
    actor = make_actor(session)
    content_id = make_versions(session, actor, 3)
    made = plan(session, actor, content_id, 2, 1)
    let_all_be_due(session)
    let_the_next_come(session)
    version = versions.get_version(session, content_id, 3)
    publishing.release(session, [publishing.Release(content_id, version.id)])

    assert let_the_next_come(session).superseded == [made[1]]

    assert public_version(session, content_id) == 3


@pytest.mark.parametrize("is_by_release", [True, False])
def test_a_return_that_was_planned_upon_a_release_comes(
    session: Session, is_by_release: bool
) -> None:
    actor = make_actor(session)
    content_id = make_versions(session, actor, 3)
    (back,) = plan(session, actor, content_id, 1)
    version_id = versions.get_version(session, content_id, 3).id
    publishing.release(session, [publishing.Release(content_id, version_id)])
    if is_by_release:
        release = Release(name="Launch", state="live", went_live_at=func.clock_timestamp())
        session.add(release)
        session.flush()
        entry = ReleaseEntry(
            release_id=release.id, content_id=content_id, action="publish", version_id=version_id,
            position=1, seen_public=False, seen_sequence=0,
        )  # fmt: skip
        session.add(entry)
        session.flush()
    let_all_be_due(session)

    result = let_the_next_come(session)

    assert (result.fired, result.superseded) == (([back], []) if is_by_release else ([], [back]))


def test_a_batch_costs_as_many_statements_however_many_are_in_it(session: Session) -> None:
    actor = make_actor(session)
    costs = []
    for number in (2, 40):
        items = [make_content(session, actor) for _ in range(number)]
        made = [plan(session, actor, item, 1, start=utc_now() - HOUR)[0] for item in items]
        handing_over.hand_over_due(session)
        with noting_executions() as noted:
            firing.fire(session, made, missed_after_seconds=NEVER_MISSED)
        costs.append(len(noted))
    assert costs[0] == costs[1] <= 20


@pytest.mark.parametrize(
    ("first", "refused", "named"),
    [
        ([], "unpublish", "the item is not public then."),
        ([2], 2, "schedule {0} to publish version 2 at"),
        (["archive"], 2, "schedule {0} to archive at"),
        ([2], "archive", "schedule {0} to publish version 2 at"),
        ([2, "unpublish"], "unpublish", "schedule {1} to unpublish at"),
    ],
)
def test_what_cannot_happen_at_its_place_is_refused_with_the_name_of_the_other(
    session: Session, first: list[int | str], refused: int | str, named: str
) -> None:
    actor = make_actor(session)
    content_id = make_versions(session, actor, 3)
    made = plan(session, actor, content_id, *first)
    with pytest.raises(ConflictError, match=re.escape(named.format(*made))):
        plan(session, actor, content_id, refused, start=TOMORROW + timedelta(hours=1))


def test_a_change_that_leaves_a_later_action_without_its_sense_is_refused(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_versions(session, actor, 3)
    shown, swapped, ended = plan(session, actor, content_id, 2, 3, "unpublish")
    with pytest.raises(ConflictError, match=rf"Schedule {shown} .* since schedule {swapped} "):
        schedules.change(session, actor, shown, None, {"version_number": 3, "due_at": TOMORROW
                         + timedelta(minutes=1, seconds=1)})  # fmt: skip
    early = {"due_at": TOMORROW - timedelta(minutes=1)}
    with pytest.raises(ConflictError, match=f"Schedule {ended} .* not public then"):
        schedules.change(session, actor, ended, None, early)
    with pytest.raises(ConflictError, match=f"then comes schedule {shown} "):
        schedules.change(session, actor, swapped, None, {"due_at": TOMORROW})
    schedules.change(session, actor, ended, None, {"due_at": TOMORROW + timedelta(days=9)})


def test_what_rests_upon_an_action_is_cancelled_with_it_or_keeps_it(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_versions(session, actor, 3)
    shown, ended, again, last = plan(session, actor, content_id, 2, "unpublish", 2, "unpublish")
    with pytest.raises(ConflictError, match=f"Without it schedule {ended} to unpublish at"):
        schedules.cancel(session, actor, shown, None)
    schedules.cancel(session, actor, shown, None, and_following=True)
    states = [state_of(session, one) for one in (shown, ended, again, last)]
    assert states == ["cancelled", "cancelled", "pending", "pending"]
    schedules.cancel(session, actor, last, None)
    schedules.cancel(session, actor, again, None)
    assert timelines.open_actions(session, content_id) == []


def test_an_author_cancels_no_action_of_somebody_else_along_with_their_own(
    session: Session,
) -> None:
    author, editor = make_actor(session, RoleName.AUTHOR), make_actor(session)
    content_id = make_versions(session, author, 2)
    shown, ended = plan(session, editor, content_id, 2, "unpublish")
    session.execute(
        update(Schedule).where(Schedule.id == shown).values(created_by_id=author.user_id)
    )
    with pytest.raises(ForbiddenError):
        schedules.cancel(session, author, shown, None, and_following=True)
    assert state_of(session, ended) == "pending"


def test_an_item_has_a_hundred_open_schedules_at_most(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_versions(session, actor, 3)
    plan(session, actor, content_id, *[2 + turn % 2 for turn in range(MOST_PLANNED)])
    with pytest.raises(MoveRefusedError, match="100 open schedules"):
        plan(session, actor, content_id, 1, start=TOMORROW + timedelta(days=9))
    page = schedule_reads.list_open(session, actor, content_id, after=None, limit=60)
    last = page[-1].schedule
    rest = schedule_reads.list_open(
        session, actor, content_id, after=(last.due_at, last.id), limit=60
    )
    moments = [view.schedule.due_at for view in [*page, *rest]]
    assert len(moments) == MOST_PLANNED
    assert moments == sorted(moments)


@pytest.mark.parametrize("place", [content.archive, content.trash, publishing.publish])
def test_an_action_to_archive_does_what_the_table_of_moves_allows_at_its_moment(
    session: Session, place: Any
) -> None:
    actor = make_actor(session)
    content_id = make_versions(session, actor, 2)
    (schedule_id,) = plan(session, actor, content_id, "archive")
    if place is publishing.publish:
        place(session, actor, content_id, None)
    else:
        # Nobody can by hand, as long as it is planned.
        moment = {"archived_at" if place is content.archive else "trashed_at": utc_now()}
        session.execute(update(Content).values(status="trashed", **moment))
    let_all_be_due(session)

    result = let_the_next_come(session)

    if place is content.archive:
        assert result.fired == [schedule_id]
    else:
        why = "in the trash" if place is content.trash else "is public"
        assert why in (session.get_one(Schedule, schedule_id).failure or "")
        assert list(result.failed) == [schedule_id]
        assert standing(session, content_id) is not Standing.ARCHIVED


def test_who_may_not_archive_plans_no_archiving(session: Session) -> None:
    author = make_actor(session, RoleName.AUTHOR)
    content_id = make_versions(session, author, 2)
    with pytest.raises(ForbiddenError):
        plan(session, author, content_id, "archive")


def test_of_two_who_plan_for_one_moment_one_is_told_of_the_other(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        content_id = make_versions(session, actor, 5)

    def create(turn: int) -> str:
        try:
            with sessions.begin() as session:
                plan(session, actor, content_id, turn + 1)
        except ConflictError as error:
            return str(error)
        return "made"

    outcomes = at_once(create, 5)

    with sessions() as session:
        (only,) = timelines.open_actions(session, content_id)
    assert outcomes.count("made") == 1
    assert sum(f"then comes {only}" in outcome for outcome in outcomes) == 4


def test_the_database_lets_no_two_happen_at_one_moment(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_versions(session, actor, 3)
    _, other = plan(session, actor, content_id, 2, 3)
    with pytest.raises(IntegrityError, match="due_at_open"):
        session.execute(update(Schedule).where(Schedule.id == other).values(due_at=TOMORROW))


def test_a_cancelling_beside_a_firing_and_two_dispatchers_carries_out_each_once_or_never(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        items = [make_content(session, actor) for _ in range(6)]
        for item, text_of in product(items, ("Second", "Third")):
            content.edit(session, actor, item, None, {"body": text_of})
        start = utc_now() - timedelta(hours=1)
        made = [plan(session, actor, item, 2, 3, 1, start=start) for item in items]

    def work(turn: int) -> str:
        for schedule_ids in made if turn == 0 else ():
            try:
                with sessions.begin() as session:
                    schedules.cancel(session, actor, schedule_ids[1], None)
            except ConflictError:
                continue
        for _ in range(3 if turn else 0):
            with sessions.begin() as session:
                handing_over.hand_over_due(session)
            with sessions.begin() as session:
                handed = session.scalars(select(Schedule.id).where(Schedule.state == "handed"))
                firing.fire(session, handed.all(), missed_after_seconds=NEVER_MISSED)
        return "done"

    at_once(work, 3)
    with sessions.begin() as session:
        while let_the_next_come(session).fired:
            pass

    with sessions() as session:
        for item, (first, second, third) in zip(items, made, strict=True):
            assert (state_of(session, first), state_of(session, third)) == ("fired", "fired")
            fired = 3 if state_of(session, second) == "fired" else 2
            assert len(events(session, item)) == fired
            assert public_version(session, item) == 1


def test_what_has_ended_is_listed_page_by_page_and_what_is_open_is_not(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_versions(session, actor, 3)
    made = plan(session, actor, content_id, 2, 3, 1, "unpublish")
    for schedule_id in reversed(made[1:]):
        schedules.cancel(session, actor, schedule_id, None)
    first = schedule_reads.list_ended(session, actor, content_id, before=None, limit=2)
    rest = schedule_reads.list_ended(
        session, actor, content_id, before=first[-1].schedule.id, limit=2
    )
    assert [view.schedule.id for view in [*first, *rest]] == made[:0:-1]


def test_the_timeline_of_an_item_is_read_by_its_index(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor)
    session.execute(text("SET LOCAL enable_seqscan = off"))
    session.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
    asked = text(
        "EXPLAIN SELECT id FROM schedules WHERE content_id = :content_id"
        " AND state IN ('pending', 'handed', 'waiting') ORDER BY due_at"
    )
    found = "\n".join(session.scalars(asked, {"content_id": content_id}))
    assert "uq_schedules_content_id_due_at_open" in found
    assert "Sort" not in found
