"""Promises about what the public reads, and about schedules."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor, make_content
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.models import ActivityLog, Category, Event, Job, Publication, Schedule
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, taxonomy
from webapp.services.errors import ConflictError, ForbiddenError, StaleRevisionError
from webapp.services.operations.outlook import look_in
from webapp.services.publishing import firing, handing_over, publishing, schedules
from webapp.services.publishing.schedules import SchedulePlan

NEVER_MISSED = 10.0**9


def publication(session: Session, content_id: int) -> Publication | None:
    """Return the publication of an item, read afresh."""
    session.expire_all()
    return session.get(Publication, content_id)


def events(session: Session, content_id: int) -> list[tuple[str, int]]:
    """Return the kinds and sequences of an item's events."""
    statement = select(Event.kind, Event.sequence).where(Event.content_id == content_id)
    rows = session.execute(statement.order_by(Event.sequence))
    return [(kind, sequence) for kind, sequence in rows]


def schedule_due(session: Session, actor: Actor, content_id: int, **plan: object) -> int:
    """Schedule an item for a moment ago and hand it over, as a dispatcher would."""
    due_at = utc_now() - timedelta(seconds=5)
    fields: dict[str, object] = {"action": "publish", "due_at": due_at, **plan}
    schedule_id = schedules.create(
        session,
        actor,
        content_id,
        None,
        SchedulePlan(**fields),  # type: ignore[arg-type]
    )
    handing_over.hand_over_due(session)
    return schedule_id


def fire(session: Session, *schedule_ids: int, missed_after: float = NEVER_MISSED) -> firing.Firing:
    """Fire schedules as the publishing worker would."""
    return firing.fire(session, schedule_ids, missed_after_seconds=missed_after)


def state_of(session: Session, schedule_id: int) -> str:
    """Return a schedule's state as the database has it."""
    return session.scalars(select(Schedule.state).where(Schedule.id == schedule_id)).one()


def test_the_public_document_is_whole_and_sanitised(session: Session) -> None:
    actor = make_actor(session)
    body = 'Hello **you** <script>alert(1)</script> <a href="javascript:alert(1)">x</a>'
    content_id = make_content(
        session, actor, title='A "quoted" title', body=body, tags=("Zed", "Alpha")
    )
    moment = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)

    publishing.publish(session, actor, content_id, None, published_at=moment)

    row = publication(session, content_id)
    assert row is not None
    document = row.document
    assert document["title"] == 'A "quoted" title'
    assert document["slug"] == row.slug == "a-quoted-title"
    assert "<strong>you</strong>" in document["html"]
    assert "script" not in document["html"]
    assert [tag["slug"] for tag in document["tags"]] == row.tags == ["alpha", "zed"]
    assert document["published_at"] == "2020-01-02T03:04:05.000000Z"
    assert {**row.summary, "html": document["html"]} == document


def test_a_long_document_is_stored_as_it_is(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor, body="The council of the harbour met. " * 500)
    publishing.publish(session, actor, content_id, None)
    compressed = text(
        "SELECT pg_column_compression(document), pg_column_size(document) > 10000"
        " FROM publications WHERE content_id = :content_id"
    )
    assert session.execute(compressed, {"content_id": content_id}).one() == (None, True)


def test_an_edit_does_not_change_what_is_public_until_it_is_published(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor, title="Before")
    publishing.publish(session, actor, content_id, None)
    first = publication(session, content_id)
    assert first is not None
    first_etag, first_time = first.etag, first.published_at

    content.edit(session, actor, content_id, None, {"title": "After"})
    unchanged = publication(session, content_id)
    assert unchanged is not None
    assert unchanged.document["title"] == "Before"

    publishing.publish(session, actor, content_id, None)
    changed = publication(session, content_id)
    assert changed is not None
    assert changed.document["title"] == "After"
    assert changed.etag != first_etag
    assert changed.published_at == first_time


def test_the_first_publish_is_news_and_the_next_is_an_update(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor)
    publishing.publish(session, actor, content_id, None)
    publishing.publish(session, actor, content_id, None)

    assert events(session, content_id) == [("content.published", 1), ("content.updated", 2)]
    fan_outs = session.scalars(select(Job.payload).where(Job.kind == "event.fan_out")).all()
    assert len(fan_outs) == 2


def test_unpublished_is_gone_from_the_public_at_once(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor)
    publishing.publish(session, actor, content_id, None)
    publishing.unpublish(session, actor, content_id, None)
    assert publication(session, content_id) is None
    with pytest.raises(ConflictError):
        publishing.unpublish(session, actor, content_id, None)


def test_a_schedule_publishes_the_version_that_it_pinned(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor, title="Pinned", slug="pinned")
    schedule_id = schedule_due(session, actor, content_id)
    content.edit(session, actor, content_id, None, {"title": "Later", "slug": "later"})

    result = fire(session, schedule_id)

    assert result.fired == [schedule_id]
    row = publication(session, content_id)
    assert row is not None
    assert (row.document["title"], row.slug) == ("Pinned", "pinned")
    assert content.get(session, actor, content_id).content.title == "Later"


def test_a_schedule_fires_once_however_often_it_is_run(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor)
    schedule_id = schedule_due(session, actor, content_id)

    assert [fire(session, schedule_id).fired for _ in range(3)] == [[schedule_id], [], []]

    assert events(session, content_id) == [("content.published", 1)]
    assert handing_over.hand_over_due(session) == 0
    lines = select(ActivityLog).where(ActivityLog.action == "content.publish")
    (line,) = session.scalars(lines)
    told = (line.actor_id, line.subject_id, line.details["schedule_id"])
    assert told == (None, content_id, schedule_id)


def test_what_a_reader_sees_as_its_time_is_the_scheduled_moment(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor)
    due_at = utc_now() - timedelta(seconds=90)
    schedule_id = schedule_due(session, actor, content_id, due_at=due_at)
    fire(session, schedule_id)
    row = publication(session, content_id)
    assert row is not None
    assert row.published_at == due_at


@pytest.mark.parametrize(("if_missed", "state"), [("run", "fired"), ("skip", "missed")])
def test_a_moment_missed_by_an_outage_follows_the_stated_rule(
    session: Session, if_missed: str, state: str
) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor)
    schedule_id = schedule_due(session, actor, content_id, if_missed=if_missed)

    fire(session, schedule_id, missed_after=1.0)

    assert state_of(session, schedule_id) == state
    assert (publication(session, content_id) is not None) == (state == "fired")


def test_one_bad_row_does_not_hold_up_the_batch(session: Session) -> None:
    actor = make_actor(session)
    good = [make_content(session, actor) for _ in range(3)]
    bad = make_content(session, actor, title="Bad")
    ids = [schedule_due(session, actor, content_id) for content_id in [*good, bad]]
    session.execute(text("ALTER TABLE publications ADD CHECK (summary ->> 'title' <> 'Bad')"))

    result = fire(session, *ids)

    assert sorted(result.fired) == ids[:3]
    assert list(result.failed) == [ids[3]]
    assert all(publication(session, content_id) is not None for content_id in good)
    failed = session.get_one(Schedule, ids[3])
    assert failed.state == "failed"
    assert failed.failure == firing.FAILURE
    assert "violates check constraint" in result.failed[ids[3]]


def test_a_passing_lock_postpones_a_schedule_and_kills_none(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        category_id = taxonomy.ensure_category(session, "Held")
        held = schedule_due(session, actor, make_content(session, actor, category_id=category_id))
        free = schedule_due(session, actor, make_content(session, actor))
    with sessions() as holder, sessions() as session:
        holder.execute(select(Category).where(Category.id == category_id).with_for_update())
        session.execute(text("SET lock_timeout = '200ms'"))
        result = fire(session, held, free)
        assert (result.fired, result.postponed, result.failed) == ([free], [held], {})
        assert (state_of(session, held), state_of(session, free)) == ("pending", "fired")
        session.rollback()
        session.execute(text("SET lock_timeout = '200ms'"))
        with pytest.raises(OperationalError):
            fire(session, held)
    with sessions.begin() as session:
        assert fire(session, held, free).fired == [held, free]


def test_a_schedule_whose_job_was_discarded_is_handed_over_again(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor)
    due_at = utc_now() - timedelta(minutes=5)
    schedule_id = schedule_due(session, actor, content_id, due_at=due_at)
    assert handing_over.take_back_forgotten(session) == 0
    session.execute(update(Job).where(Job.kind == "schedules.fire").values(state="discarded"))
    assert handing_over.take_back_forgotten(session) == 1
    assert handing_over.hand_over_due(session) == 1
    assert fire(session, schedule_id).fired == [schedule_id]


def test_a_schedule_that_is_handed_over_can_still_be_cancelled(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor)
    schedule_id = schedule_due(session, actor, content_id)
    schedules.cancel(session, actor, schedule_id, None)
    assert fire(session, schedule_id).fired == []
    assert publication(session, content_id) is None


def test_who_may_cancel_no_schedule_is_told_so_whatever_became_of_it(session: Session) -> None:
    editor, author = make_actor(session), make_actor(session, RoleName.AUTHOR)
    item = make_content(session, author)
    plan = SchedulePlan("publish", utc_now() + timedelta(days=1))
    schedule_id = schedules.create(session, editor, item, None, plan)

    for _ in range(2):
        with pytest.raises(ForbiddenError):
            schedules.cancel(session, author, schedule_id, None)
        with pytest.raises(ForbiddenError):
            schedules.change(session, author, schedule_id, None, {"if_missed": "skip"})
        with suppress(ConflictError):
            schedules.cancel(session, editor, schedule_id, None)


def test_a_scheduled_correction_keeps_the_date_of_the_article(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor)
    moment = datetime(2015, 1, 1, tzinfo=UTC)
    publishing.publish(session, actor, content_id, None, published_at=moment)
    content.edit(session, actor, content_id, None, {"title": "Corrected"})
    fire(session, schedule_due(session, actor, content_id))
    row = publication(session, content_id)
    assert row is not None
    assert (row.document["title"], row.published_at) == ("Corrected", moment)


def test_a_schedule_can_take_an_item_back(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor)
    publishing.publish(session, actor, content_id, None)
    schedule_id = schedule_due(session, actor, content_id, action="unpublish")

    fire(session, schedule_id)

    assert publication(session, content_id) is None
    assert state_of(session, schedule_id) == "fired"


@pytest.mark.parametrize("first", ["publish", "unpublish"])
def test_two_moments_missed_together_end_as_the_later_one_says(
    session: Session, first: str
) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor)
    if first == "unpublish":
        publishing.publish(session, actor, content_id, None)
    second = "unpublish" if first == "publish" else "publish"
    for action, seconds in ((first, 20), (second, 10)):
        due_at = utc_now() - timedelta(seconds=seconds)
        plan = SchedulePlan(action, due_at)  # type: ignore[arg-type]
        schedules.create(session, actor, content_id, None, plan)

    for _ in range(2):
        assert handing_over.hand_over_due(session) == 1
        assert handing_over.hand_over_due(session) == 0
        handed = session.scalars(select(Schedule.id).where(Schedule.state == "handed")).all()
        fire(session, *handed)

    assert (publication(session, content_id) is None) == (second == "unpublish")


def test_a_cancelled_schedule_never_fires(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor)
    later = utc_now() + timedelta(hours=1)
    schedule_id = schedules.create(session, actor, content_id, None, SchedulePlan("publish", later))
    schedules.cancel(session, actor, schedule_id, {1})
    session.execute(update(Schedule).values(due_at=utc_now() - timedelta(seconds=1)))

    assert handing_over.hand_over_due(session) == 0
    assert fire(session, schedule_id).fired == []
    with pytest.raises(ConflictError):
        schedules.cancel(session, actor, schedule_id, None)


def test_a_schedule_that_is_moved_is_due_at_its_new_moment_only(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor)
    soon, later = utc_now() - timedelta(seconds=1), utc_now() + timedelta(hours=1)
    schedule_id = schedules.create(session, actor, content_id, None, SchedulePlan("publish", soon))
    schedules.change(session, actor, schedule_id, {1}, {"due_at": later})

    assert handing_over.hand_over_due(session) == 0
    waiting = look_in(session, 5).seconds_to_next
    assert waiting is not None
    assert 3500 < waiting < 3700
    with pytest.raises(StaleRevisionError):
        schedules.change(session, actor, schedule_id, {1}, {"due_at": soon})


def test_due_schedules_are_handed_over_in_batches_that_one_job_can_carry(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handing_over, "FIRED_IN_ONE_JOB", 20)
    actor = make_actor(session)
    count = handing_over.FIRED_IN_ONE_JOB + 5
    for _ in range(count):
        content_id = make_content(session, actor)
        due_at = utc_now() - timedelta(seconds=1)
        schedules.create(session, actor, content_id, None, SchedulePlan("publish", due_at))

    assert handing_over.hand_over_due(session) == count

    batches = session.scalars(select(Job.payload).where(Job.kind == "schedules.fire")).all()
    assert sorted(len(batch["schedule_ids"]) for batch in batches) == [
        5, handing_over.FIRED_IN_ONE_JOB
    ]  # fmt: skip
