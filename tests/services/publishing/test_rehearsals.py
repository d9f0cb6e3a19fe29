"""Promises of rehearsals: what would go wrong is found before its moment, and nothing changes."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from tests.at_once import at_once
from tests.factories import make_actor, make_content, run_ready_jobs
from tests.services.content.statements import statements_of
from webapp.kit.clock import utc_now
from webapp.kit.requirements import Requirement
from webapp.kit.review_policy import ReviewPolicy
from webapp.kit.roles import RoleName
from webapp.kit.timelines import ActionKind
from webapp.models import (
    Content,
    Job,
    Notice,
    Release,
    ReleaseEntry,
    Role,
    Schedule,
    Slug,
    User,
)
from webapp.services.accounts.actors import Actor
from webapp.services.content import content
from webapp.services.publishing import (
    planned_actions,
    publishing,
    rehearsal_slots,
    rehearsals,
    schedules,
)
from webapp.services.publishing.rehearsals import Rehearsed, Stage, rehearse
from webapp.services.publishing.schedules import SchedulePlan
from workers.context import WorkerContext

STAGE = Stage(frozenset(), ReviewPolicy(), "https://site.example/read/{slug}")
HOUR = timedelta(hours=1)


def plan(
    session: Session,
    actor: Actor,
    content_id: int,
    *,
    action: ActionKind = "publish",
    after: timedelta = HOUR,
    is_judged: bool = True,
) -> int:
    """Plan something for an item and return the schedule's id."""
    made = SchedulePlan(action, utc_now() + after)
    return schedules.create(session, actor, content_id, None, made, is_judged=is_judged)


def rules_of(session: Session, schedule_id: int, stage: Stage = STAGE) -> list[tuple[str, str]]:
    """Rehearse a schedule and return the levels and names of what was found."""
    (done,) = rehearse(session, stage, [schedule_id])
    return [(finding.level.value, finding.rule) for finding in done.findings]


def test_a_good_plan_has_nothing_to_be_told_of_and_says_when_it_was_rehearsed(
    session: Session, editor: Actor
) -> None:
    schedule_id = plan(session, editor, make_content(session, editor))
    assert rules_of(session, schedule_id) == []
    schedule = session.get_one(Schedule, schedule_id)
    assert (schedule.rehearsal, schedule.state, schedule.revision) == ([], "pending", 1)
    assert schedule.rehearsed_at is not None


def test_what_a_pinned_version_lacks_by_now_is_an_error(session: Session, editor: Actor) -> None:
    schedule_id = plan(session, editor, make_content(session, editor))
    stage = Stage(frozenset({Requirement.EXCERPT, Requirement.TAGS}), STAGE.review_policy, "{slug}")
    assert rules_of(session, schedule_id, stage) == [("error", "field.missing")] * 2


@pytest.mark.parametrize(
    ("linked", "found"),
    [
        ("draft", True),
        ("public", False),
        ("public before it", False),
        ("public after it", True),
        ("withdrawn before it", True),
        ("withdrawn after it", False),
    ],
)
def test_links_are_judged_by_what_is_public_at_the_moment(
    session: Session, editor: Actor, linked: str, found: bool
) -> None:
    target = make_content(session, editor, title="Target", slug="target")
    if linked in ("public", "withdrawn before it", "withdrawn after it"):
        publishing.publish(session, editor, target, None)
    after = HOUR / 2 if linked.endswith("before it") else HOUR * 2
    if linked.startswith("withdrawn"):
        plan(session, editor, target, action="unpublish", after=after)
    elif linked.startswith("public "):
        plan(session, editor, target, after=after)
    body = (
        "See [our other story](https://site.example/read/target)"
        " and [the story itself](https://site.example/read/item)."
    )
    item = make_content(session, editor, title="Item", slug="item", body=body)
    schedule_id = plan(session, editor, item)
    assert rules_of(session, schedule_id) == [("warning", "link.broken")] * found


def test_an_item_that_was_put_aside_is_an_error(session: Session, editor: Actor) -> None:
    item = make_content(session, editor)
    schedule_id = plan(session, editor, item)
    # A release before schedules barred the trash could do this.
    session.execute(update(Content).values(status="trashed").where(Content.id == item))
    assert rules_of(session, schedule_id) == [("error", "item.put_aside")]


def test_a_name_that_another_item_has_by_now_is_an_error(session: Session, editor: Actor) -> None:
    item = make_content(session, editor, title="Item", slug="item")
    schedule_id, other = plan(session, editor, item), make_content(session, editor)
    session.execute(update(Slug).values(content_id=other, was_public=True))
    assert rules_of(session, schedule_id) == [("error", "slug.taken")]


def test_withdrawing_what_will_not_be_public_is_a_warning(session: Session, editor: Actor) -> None:
    item = make_content(session, editor)
    # As what was skipped before it leaves it.
    after = HOUR * 2
    withdrawal = plan(session, editor, item, action="unpublish", after=after, is_judged=False)
    assert rules_of(session, withdrawal) == [("warning", "item.not_public")]
    plan(session, editor, item)
    assert rules_of(session, withdrawal) == []
    # It was planned before a publication by hand, say.
    item = make_content(session, editor)
    plan(session, editor, item)
    putting_away = plan(session, editor, item, action="archive", after=HOUR * 2, is_judged=False)
    assert rules_of(session, putting_away) == [("error", "item.still_public")]


def test_what_a_release_does_before_it_is_counted_on(session: Session, editor: Actor) -> None:
    target = make_content(session, editor, title="Target", slug="target")
    publishing.publish(session, editor, target, None)
    release = Release(name="Launch", state="scheduled", due_at=utc_now() + HOUR)
    session.add(release)
    session.flush()
    session.add(
        ReleaseEntry(
            release_id=release.id,
            content_id=target,
            action="unpublish",
            position=1,
            seen_public=True,
            seen_sequence=1,
        )
    )
    session.flush()
    after = HOUR * 2
    putting_away = plan(session, editor, target, action="archive", after=after, is_judged=False)
    assert rules_of(session, putting_away) == []
    body = "See [our other story](https://site.example/read/target)."
    item = make_content(session, editor, title="Item", slug="item", body=body)
    before = plan(session, editor, item, after=HOUR / 2)
    assert rules_of(session, before) == []
    behind = plan(session, editor, item, after=HOUR * 3, is_judged=False)
    assert rules_of(session, behind) == [("warning", "link.broken")]


def test_a_return_behind_a_planned_version_is_not_overtaken_by_hand(
    session: Session, editor: Actor
) -> None:
    item = make_content(session, editor)
    publishing.publish(session, editor, item, None)
    for words in ("Second.", "Third.", "Fourth."):
        content.edit(session, editor, item, None, {"body": words})
    newest = plan(session, editor, item)
    back = schedules.create(
        session, editor, item, None, SchedulePlan("publish", utc_now() + HOUR * 2, 2)
    )
    publishing.publish(session, editor, item, None, number=3)
    assert rules_of(session, back) == []
    schedules.cancel(session, editor, newest, None)
    assert rules_of(session, back) == [("error", "schedule.superseded")]


@pytest.mark.parametrize("change", ["switched off", "demoted", "bound to approvals"])
def test_who_planned_it_and_may_no_more_is_a_warning(
    session: Session, editor: Actor, change: str
) -> None:
    schedule_id = plan(session, editor, make_content(session, editor))
    stage = STAGE
    account = update(User).where(User.id == editor.user_id)
    if change == "switched off":
        session.execute(account.values(disabled_at=utc_now()))
    elif change == "demoted":
        reader = select(Role.id).where(Role.name == RoleName.READER).scalar_subquery()
        session.execute(account.values(role_id=reader))
    else:
        policy = ReviewPolicy(roles_that_need_one=frozenset({RoleName.EDITOR}))
        stage = Stage(frozenset(), policy, STAGE.content_url)
    rule = {
        "switched off": "planner.gone",
        "demoted": "planner.may_not",
        "bound to approvals": "version.not_approved",
    }[change]
    assert rules_of(session, schedule_id, stage) == [("warning", rule)]


def test_only_what_is_new_is_told_again(session: Session, editor: Actor) -> None:
    schedule_id = plan(session, editor, make_content(session, editor))
    strict = Stage(frozenset({Requirement.TAGS}), STAGE.review_policy, STAGE.content_url)

    def new(stage: Stage) -> list[str]:
        (done,) = rehearse(session, stage, [schedule_id])
        return [finding.rule for finding in done.new]

    assert [new(STAGE), new(strict), new(strict)] == [[], ["field.missing"], []]


def test_what_has_ended_is_not_rehearsed(session: Session, editor: Actor) -> None:
    schedule_id = plan(session, editor, make_content(session, editor))
    schedules.cancel(session, editor, schedule_id, None)
    assert rehearse(session, STAGE, [schedule_id]) == []
    assert session.get_one(Schedule, schedule_id).rehearsed_at is None


def test_many_are_rehearsed_by_as_many_statements_as_two(session: Session, editor: Actor) -> None:
    body = "See [that](https://site.example/read/nothing)."
    items = [make_content(session, editor, title=f"Item {n}", body=body) for n in range(20)]
    ids = [plan(session, editor, item) for item in items]
    of_two = statements_of(session, lambda: rehearse(session, STAGE, ids[:2]))
    done: list[Rehearsed] = []
    of_all = statements_of(session, lambda: done.extend(rehearse(session, STAGE, ids)))
    assert len(of_all) == len(of_two) <= 5
    assert [finding.rule for each in done for finding in each.findings] == ["link.broken"] * 20


def test_each_minute_is_rehearsed_once_before_it_and_again_for_what_is_put_into_it(
    sessions: sessionmaker[Session], worker: WorkerContext
) -> None:
    with sessions.begin() as session:
        editor = make_actor(session, RoleName.EDITOR)
        later = plan(session, editor, make_content(session, editor), after=timedelta(hours=3))
        soon = [
            plan(session, editor, make_content(session, editor), after=timedelta(minutes=10))
            for _ in range(3)
        ]

    def write(_: int) -> str:
        with sessions.begin() as session:
            return str(rehearsal_slots.write_due(session, 15))

    def rehearsed() -> set[int]:
        run_ready_jobs(worker, kinds={"schedules.rehearse"})
        with sessions() as session:
            done = select(Schedule.id).where(Schedule.rehearsed_at.is_not(None))
            return set(session.scalars(done))

    # Three schedules of one minute, or of two where it turns just now, and two dispatchers.
    assert sum(map(int, at_once(write, 2))) in (1, 2)
    assert rehearsed() == set(soon)
    assert write(0) == "0"
    with sessions.begin() as session:
        session.execute(
            update(Schedule)
            .values(due_at=select(Schedule.due_at).where(Schedule.id == soon[0]).scalar_subquery())
            .where(Schedule.id == later)
        )
    assert write(0) == "1"
    assert rehearsed() == {*soon, later}
    with sessions() as session:
        assert set(session.scalars(select(Job.state))) >= {"done"}


def test_rehearsals_can_be_switched_off(session: Session, editor: Actor) -> None:
    plan(session, editor, make_content(session, editor), after=timedelta(minutes=10))
    assert rehearsal_slots.write_due(session, 0) == 0
    assert rehearsal_slots.write_due(session, 15) == 1


def test_who_planned_and_who_wrote_are_told_once_of_an_error_and_not_of_a_warning(
    sessions: sessionmaker[Session], worker: WorkerContext
) -> None:
    with sessions.begin() as session:
        editor, author = make_actor(session, RoleName.EDITOR), make_actor(session, RoleName.AUTHOR)
        item, fine = make_content(session, author), make_content(session, author)
        ids = [plan(session, editor, each, after=timedelta(minutes=10)) for each in (item, fine)]
        session.execute(update(Content).values(status="trashed").where(Content.id == item))
        session.execute(update(User).values(disabled_at=utc_now()).where(User.id == author.user_id))

    def rehearse_again() -> list[tuple[int, str, int]]:
        with sessions.begin() as session:
            session.execute(update(Schedule).values(rehearsed_at=None))
            session.execute(delete(Job).where(Job.kind == "schedules.rehearse"))
            rehearsal_slots.write_due(session, 15)
        run_ready_jobs(worker, kinds={"schedules.rehearse"})
        with sessions() as session:
            told = select(Notice.user_id, Notice.kind, Notice.subject_id).order_by(Notice.id)
            return [(row.user_id, row.kind, row.subject_id) for row in session.execute(told)]

    # The author works no more, so only who planned it hears of it.
    expected = [(editor.user_id, "schedule.endangered", ids[0])]
    assert rehearse_again() == expected
    assert rehearse_again() == expected


def test_what_was_found_of_a_plan_that_was_changed_meanwhile_is_not_kept(
    sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    with sessions.begin() as session:
        editor = make_actor(session, RoleName.EDITOR)
        schedule_id = plan(session, editor, make_content(session, editor))
    found = planned_actions.find_public_by

    def change_meanwhile(*arguments: Any) -> Any:
        with sessions.begin() as other:
            schedules.change(other, editor, schedule_id, None, {"due_at": utc_now() + 2 * HOUR})
        return found(*arguments)

    monkeypatch.setattr(rehearsals, "find_public_by", change_meanwhile)
    with sessions.begin() as session:
        assert rehearse(session, STAGE, [schedule_id]) == []
    with sessions() as session:
        assert session.get_one(Schedule, schedule_id).rehearsed_at is None


def test_a_rehearsal_waits_for_nobody_who_decides(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        editor = make_actor(session, RoleName.EDITOR)
        ids = [plan(session, editor, make_content(session, editor)) for _ in range(2)]
    with sessions.begin() as session, sessions.begin() as other:
        other.execute(text("SET LOCAL lock_timeout = '1ms'"))
        schedules.cancel(session, editor, ids[0], None)
        assert [done.action.id for done in rehearse(other, STAGE, ids)] == ids[1:]


def test_what_is_near_is_found_by_the_index_of_moments(session: Session, editor: Actor) -> None:
    plan(session, editor, make_content(session, editor))
    session.execute(
        text(
            "INSERT INTO schedules (content_id, version_id, action, due_at)"
            " SELECT content_id, version_id, action, due_at + make_interval(days => day)"
            " FROM schedules, generate_series(1, 5000) AS day"
        )
    )
    session.execute(text("ANALYZE schedules"))
    plans: list[str] = []

    def explain(*arguments: Any) -> None:
        connection, asked, parameters = arguments[0], arguments[2], arguments[3]
        if asked.startswith("SELECT date_trunc"):
            plans.extend(connection.exec_driver_sql(f"EXPLAIN {asked}", parameters).scalars())

    event.listen(session.connection(), "before_cursor_execute", explain)
    rehearsal_slots.write_due(session, 15)
    assert "Index Cond: ((due_at > " in "\n".join(plans)
