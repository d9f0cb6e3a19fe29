"""Promises about recurrences: each moment is planned once, or it is said why not."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session, sessionmaker

from tests.at_once import at_once
from tests.factories import make_actor, make_content
from webapp.kit.roles import RoleName
from webapp.models import Content, ContentVersion, Occurrence, Recurrence, Schedule, User
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, renderings
from webapp.services.errors import UnavailableError
from webapp.services.publishing import publishing, recurrence_planning, recurrences
from webapp.services.publishing.recurrences import RecurrencePlan
from webapp.settings import Settings


def in_minutes(session: Session, minutes: float) -> datetime:
    """Return a wall time of UTC so many minutes from now by the database's clock."""
    now: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    return (now.astimezone(UTC) + timedelta(minutes=minutes)).replace(microsecond=0, tzinfo=None)


def recur(session: Session, actor: Actor, content_id: int, start: datetime, **more: Any) -> int:
    """Let an item be published each day at the time of `start`."""
    fields: dict[str, Any] = {
        "action": "publish", "which": "newest", "rule": "FREQ=DAILY", "zone": "UTC",
        "start": start, "in_gap": "after", "in_fold": "earlier", "if_missed": "run",
        "until": None, "count": None, **more,
    }  # fmt: skip
    made, _ = recurrences.create(session, actor, content_id, None, RecurrencePlan(**fields))
    assert made is not None
    return made


def came(session: Session, recurrence_id: int) -> list[tuple[int | None, str | None]]:
    """Return what came of the moments of a recurrence, in their order."""
    rows = session.execute(
        select(Occurrence.schedule_id, Occurrence.skipped)
        .where(Occurrence.recurrence_id == recurrence_id)
        .order_by(Occurrence.due_at)
    )
    return [(row.schedule_id, row.skipped) for row in rows]


def pinned(session: Session, schedule: Schedule) -> int:
    """Return the number of the version that a schedule pins."""
    return session.get_one(ContentVersion, schedule.version_id).number


def pass_by(session: Session, recurrence_id: int, hours: float) -> None:
    """Let so many hours go by for a recurrence, by moving all of it into the past."""
    gone = {"gone": timedelta(hours=hours), "id": recurrence_id}
    for statement in (
        "UPDATE occurrences SET due_at = due_at - :gone, local_time = local_time - :gone"
        " WHERE recurrence_id = :id",
        "UPDATE recurrences SET start = start - :gone, planned_until = planned_until - :gone"
        " WHERE id = :id",
        "UPDATE schedules SET due_at = due_at - :gone WHERE id IN"
        " (SELECT schedule_id FROM occurrences WHERE recurrence_id = :id)",
    ):
        session.execute(text(statement), gone)
    session.expire_all()


@pytest.fixture
def editor(session: Session) -> Actor:
    """An editor."""
    return make_actor(session, RoleName.EDITOR)


def test_each_moment_is_planned_once_an_hour_before_with_the_newest_version(
    session: Session, editor: Actor, settings: Settings
) -> None:
    item = make_content(session, editor)
    made = recur(session, editor, item, in_minutes(session, 90))

    seconds = recurrence_planning.plan(session, made, settings)

    assert came(session, made) == [(None, None)] * 5
    assert seconds is not None
    assert 25 * 60 < seconds <= 30 * 60
    content.edit(session, editor, item, None, {"body": "Newer words."})
    pass_by(session, made, 0.75)
    for _ in range(3):
        recurrence_planning.plan(session, made, settings)
    (schedule_id, _), *coming = came(session, made)
    assert [one for one, _ in coming] == [None] * len(coming)
    planned = session.get_one(Schedule, schedule_id)
    assert (pinned(session, planned), planned.action, planned.state) == (2, "publish", "pending")
    assert planned.due_at - timedelta(hours=1) < datetime.now(UTC)


def test_a_moment_waits_for_the_renderer_and_is_planned_once_there_is_one(
    session: Session, editor: Actor, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = recur(session, editor, make_content(session, editor), in_minutes(session, 30))

    def be_busy(*_args: object) -> None:
        raise UnavailableError("The renderer is busy.")

    with monkeypatch.context() as patch:
        patch.setattr(renderings, "render_version", be_busy)
        assert recurrence_planning.plan(session, made, settings) == 60
    assert came(session, made)[0] == (None, None)
    recurrence_planning.plan(session, made, settings)
    assert came(session, made)[0][0] is not None


def test_nothing_is_published_again_and_what_was_taken_back_stays_away(
    session: Session, editor: Actor, settings: Settings
) -> None:
    item = make_content(session, editor)
    publishing.publish(session, editor, item, None)
    made = recur(session, editor, item, in_minutes(session, 30))
    recurrence_planning.plan(session, made, settings)
    publishing.unpublish(session, editor, item, None)
    pass_by(session, made, 23.75)
    recurrence_planning.plan(session, made, settings)

    reasons = [reason for _, reason in came(session, made)[:2]]

    assert all(
        reason and reason.startswith("There is nothing new: version 1") for reason in reasons
    )
    assert session.scalars(select(Schedule.id)).all() == []


def test_only_an_approved_version_is_taken_where_that_was_said(
    session: Session, editor: Actor, settings: Settings
) -> None:
    item = make_content(session, editor)
    made = recur(session, editor, item, in_minutes(session, 30), which="newest_approved")

    recurrence_planning.plan(session, made, settings)

    assert came(session, made)[0] == (None, "No version of the item has an approval.")


def test_an_approved_version_is_taken_though_there_is_a_newer_one(
    session: Session, editor: Actor, settings: Settings
) -> None:
    item = make_content(session, editor)
    session.execute(
        text(
            "INSERT INTO reviews (content_id, version_id, number, digest, state, steps)"
            " SELECT content_id, id, number, digest, 'approved', '' FROM content_versions"
            " WHERE content_id = :id"
        ),
        {"id": item},
    )
    content.edit(session, editor, item, None, {"body": "Newer words."})
    made = recur(session, editor, item, in_minutes(session, 30), which="newest_approved")

    recurrence_planning.plan(session, made, settings)

    schedule_id, _ = came(session, made)[0]
    assert pinned(session, session.get_one(Schedule, schedule_id)) == 1


def test_after_an_outage_one_late_moment_is_made_up_for_or_skipped_as_was_said(
    session: Session, editor: Actor, settings: Settings
) -> None:
    items = [make_content(session, editor) for _ in range(2)]
    run, skip = (
        recur(session, editor, item, in_minutes(session, 120), if_missed=said)
        for item, said in zip(items, ("run", "skip"), strict=True)
    )
    for made in (run, skip):
        recurrence_planning.plan(session, made, settings)
        pass_by(session, made, 24 * 9 + 4)
        recurrence_planning.plan(session, made, settings)

    late = came(session, run)
    scheduled = [schedule_id for schedule_id, _ in late if schedule_id is not None]
    assert len(scheduled) == 1
    assert recurrence_planning.MISSED in {reason for _, reason in late}
    due_at = session.get_one(Schedule, scheduled[0]).due_at
    assert datetime.now(UTC) - due_at < timedelta(days=1)
    assert {reason for _, reason in came(session, skip)} == {recurrence_planning.IT_IS_LATE, None}


def test_it_goes_on_by_the_rights_of_whoever_answers_for_it(
    session: Session, editor: Actor, settings: Settings
) -> None:
    item = make_content(session, editor)
    made = recur(session, editor, item, in_minutes(session, 30))
    session.execute(
        update(User).where(User.id == editor.user_id).values(disabled_at=datetime.now(UTC))
    )

    recurrence_planning.plan(session, made, settings)

    assert came(session, made)[0] == (None, recurrence_planning.NO_MAKER)
    other = make_actor(session, RoleName.EDITOR)
    recurrences.change(session, other, item, made, None, {"start": in_minutes(session, 40)})
    recurrence_planning.plan(session, made, settings)
    assert came(session, made)[0][0] is not None
    assert session.get_one(Recurrence, made).made_by_id == other.user_id


def test_what_is_put_aside_is_skipped_with_the_reason(
    session: Session, editor: Actor, settings: Settings
) -> None:
    item = make_content(session, editor)
    made = recur(session, editor, item, in_minutes(session, 30))
    session.execute(
        update(Content).where(Content.id == item).values(status="trashed", trashed_at=text("now()"))
    )

    recurrence_planning.plan(session, made, settings)

    schedule_id, reason = came(session, made)[0]
    assert schedule_id is None
    assert reason


def test_a_pause_and_an_end_cancel_what_was_planned_and_plan_no_more(
    session: Session, editor: Actor, settings: Settings
) -> None:
    item = make_content(session, editor)
    made = recur(session, editor, item, in_minutes(session, 30))
    recurrence_planning.plan(session, made, settings)
    first, _ = came(session, made)[0]

    recurrences.change(session, editor, item, made, None, {"state": "paused"})
    assert recurrence_planning.plan(session, made, settings) is None
    assert came(session, made) == []
    assert session.get_one(Schedule, first).state == "cancelled"
    recurrences.change(session, editor, item, made, None, {"state": "active"})
    recurrence_planning.plan(session, made, settings)
    second, _ = came(session, made)[0]
    assert second not in {None, first}
    recurrences.end(session, editor, item, made, None)
    assert recurrence_planning.plan(session, made, settings) is None
    assert session.get_one(Schedule, second).state == "cancelled"
    assert came(session, made) == []


def test_a_rule_that_is_over_ends_the_recurrence(
    session: Session, editor: Actor, settings: Settings
) -> None:
    item = make_content(session, editor)
    made = recur(session, editor, item, in_minutes(session, 30), count=1)

    seconds = recurrence_planning.plan(session, made, settings)
    assert seconds is not None
    assert seconds <= 30 * 60
    pass_by(session, made, 0.6)
    assert recurrence_planning.plan(session, made, settings) is None

    assert came(session, made)[0][0] is not None
    ended = session.get_one(Recurrence, made)
    assert (ended.state, ended.ended_because) == ("ended", recurrence_planning.OVER)


def test_the_wall_time_stays_where_the_rules_of_the_zone_have_changed(
    session: Session, editor: Actor, settings: Settings
) -> None:
    item = make_content(session, editor)
    made = recur(session, editor, item, in_minutes(session, 600))
    recurrence_planning.plan(session, made, settings)
    meant = session.scalars(select(Occurrence.due_at).order_by(Occurrence.due_at)).all()
    session.execute(text("UPDATE occurrences SET due_at = due_at + interval '1 hour'"))

    recurrence_planning.plan(session, made, settings)

    session.expire_all()
    found = session.scalars(select(Occurrence.due_at).order_by(Occurrence.due_at)).all()
    assert found == meant


def test_no_more_than_thirty_days_are_written_down(
    session: Session, editor: Actor, settings: Settings
) -> None:
    item = make_content(session, editor)
    start = in_minutes(session, 60 * 24 * 29)
    made = recur(session, editor, item, start, rule="FREQ=WEEKLY", until=date(2090, 1, 1))

    seconds = recurrence_planning.plan(session, made, settings)

    assert len(came(session, made)) == 1
    assert seconds == timedelta(days=1).total_seconds()


def test_of_many_planners_at_once_one_schedule_comes(
    sessions: sessionmaker[Session], settings: Settings
) -> None:
    with sessions.begin() as session:
        editor = make_actor(session, RoleName.EDITOR)
        item = make_content(session, editor)
        made = recur(session, editor, item, in_minutes(session, 30))

    def plan(_turn: int) -> str:
        with sessions.begin() as own:
            return str(recurrence_planning.plan(own, made, settings) is not None)

    assert at_once(plan, 6) == ["True"] * 6
    with sessions() as session:
        assert len(session.scalars(select(Schedule.id)).all()) == 1
        planned = [schedule_id is not None for schedule_id, _ in came(session, made)]
        assert planned == [True, False, False, False, False]
