"""Promise: where a zone gets other rules, nothing that was planned by its clocks moves silently."""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from typing import Literal

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests.chaos.real_worker import running_dispatcher, wait_until
from tests.factories import make_actor, make_content
from tests.services.publishing.test_waiting_schedules import told
from webapp.kit import zones
from webapp.kit.wall_times import WallTime, reckon
from webapp.models import Schedule
from webapp.services.accounts.actors import Actor
from webapp.services.publishing import schedules, zone_changes
from webapp.services.publishing.schedules import SchedulePlan
from webapp.services.publishing.waiting_schedules import Decision, decide
from workers.context import WorkerContext

VIENNA = "Europe/Vienna"


def forget_rules() -> None:
    """Forget what this process knows of zones."""
    zones.zone_named.cache_clear()
    zones.rules_of.cache_clear()


def rules_become(monkeypatch: pytest.MonkeyPatch, other: str, release: str = "2099.01") -> None:
    """Give Vienna the rules of another zone, as a later release of the package would."""
    foreign = files("tzdata.zoneinfo").joinpath(*other.split("/")).read_bytes()
    monkeypatch.setattr(zones, "read_rules", lambda name: foreign)
    monkeypatch.setattr(zones, "_release", lambda: release)
    forget_rules()


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Know the true zones before and after."""
    forget_rules()
    yield
    forget_rules()


def planned(session: Session, actor: Actor, time: str, fold: str | None = None) -> int:
    """Plan a publication by Vienna's clocks."""
    due_at, wall = reckon(WallTime(datetime.fromisoformat(time), VIENNA, fold))  # type: ignore[arg-type]
    wish = SchedulePlan("publish", due_at, wall=wall)
    return schedules.create(session, actor, make_content(session, actor), None, wish)


def row(session: Session, schedule_id: int) -> Schedule:
    """Return a schedule as it is now."""
    session.expire_all()
    return session.get_one(Schedule, schedule_id)


def test_a_time_that_is_another_instant_by_now_waits_and_its_maker_is_asked(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = make_actor(session)
    summer, winter = (planned(session, actor, f"2090-0{month}-15T09:00") for month in (7, 1))
    before = row(session, summer).due_at
    assert zone_changes.reckon_anew(session) == (0, 0)

    # Clocks stay at winter time all the year.
    rules_become(monkeypatch, "Africa/Lagos")
    assert zone_changes.reckon_anew(session) == (2, 1)

    asked = row(session, summer)
    assert (asked.state, asked.due_at) == ("waiting", before)
    assert asked.failure is not None
    assert "then 2090-07-15T07:00:00Z" in asked.failure
    assert "that is 2090-07-15T08:00:00Z" in asked.failure
    assert row(session, winter).state == "pending"
    assert told(session, "schedule.waiting") == {actor.user_id}
    assert zone_changes.reckon_anew(session) == (0, 0)

    decide(session, actor, summer, None, Decision("run"))
    decided = row(session, summer)
    assert (decided.state, decided.due_at) == ("pending", before)
    assert decided.local_time == datetime(2090, 7, 15, 8)


@pytest.mark.parametrize(
    ("other", "time", "words"),
    [
        # Moscow, Cairo and London change their clocks at other times, or never.
        ("Europe/London", "2090-03-26T01:30", "is left out"),
        ("Europe/London", "2090-10-29T01:30", "comes twice"),
    ],
)
def test_a_time_that_is_left_out_or_comes_twice_by_now_waits(
    session: Session, monkeypatch: pytest.MonkeyPatch, other: str, time: str, words: str
) -> None:
    actor = make_actor(session)
    schedule_id = planned(session, actor, time)
    rules_become(monkeypatch, other)
    assert zone_changes.reckon_anew(session) == (1, 1)
    asked = row(session, schedule_id)
    assert asked.state == "waiting"
    assert words in (asked.failure or "")


def test_an_older_release_leaves_alone_what_a_newer_one_has_reckoned(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = make_actor(session)
    schedule_id = planned(session, actor, "2090-07-15T09:00")
    rules_become(monkeypatch, "Africa/Lagos", "2000.01")
    assert zone_changes.reckon_anew(session) == (0, 0)
    assert row(session, schedule_id).state == "pending"


def test_what_is_being_carried_out_and_what_has_ended_is_left_alone(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = make_actor(session)
    made = [planned(session, actor, "2090-07-15T09:00") for _ in range(2)]
    for schedule_id, state in zip(made, ("handed", "fired"), strict=True):
        mine = Schedule.id == schedule_id
        session.execute(update(Schedule).where(mine).values(state=state))
    rules_become(monkeypatch, "Africa/Lagos")
    assert zone_changes.reckon_anew(session) == (0, 0)
    assert set(session.scalars(select(Schedule.state))) == {"handed", "fired"}


def test_many_are_reckoned_batch_by_batch(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = make_actor(session)
    for _ in range(5):
        planned(session, actor, "2090-07-15T09:00")
    monkeypatch.setattr(zone_changes, "AT_ONCE", 3)
    rules_become(monkeypatch, "Africa/Lagos")
    assert [zone_changes.reckon_anew(session) for _ in range(3)] == [(3, 3), (2, 2), (0, 0)]
    assert reckon(WallTime(datetime(2090, 7, 15, 9), VIENNA))[0] == datetime(
        2090, 7, 15, 8, tzinfo=UTC
    )


def test_a_dispatcher_finds_what_is_another_instant_by_now(
    worker: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with worker.transaction() as session:
        schedule_id = planned(session, make_actor(session), "2090-07-15T09:00")
    rules_become(monkeypatch, "Africa/Lagos")

    def is_asked() -> bool:
        with worker.transaction() as session:
            return row(session, schedule_id).state == "waiting"

    with running_dispatcher(worker):
        wait_until(is_asked)


def zone_is_gone(monkeypatch: pytest.MonkeyPatch, release: str) -> None:
    """Know no zone of that name, as another release of the package would."""
    monkeypatch.setattr(zones, "zone_names", lambda: frozenset({"UTC"}))
    monkeypatch.setattr(zones, "_release", lambda: release)
    forget_rules()


@pytest.mark.parametrize("what", ["run", "skip"])
def test_what_was_planned_in_a_zone_that_is_gone_can_be_decided(
    session: Session, monkeypatch: pytest.MonkeyPatch, what: Literal["run", "skip"]
) -> None:
    actor = make_actor(session)
    schedule_id = planned(session, actor, "2090-07-15T09:00")
    zone_is_gone(monkeypatch, "2099.01")
    assert zone_changes.reckon_anew(session) == (1, 1)
    decide(session, actor, schedule_id, None, Decision(what))
    decided = row(session, schedule_id)
    assert decided.state == ("pending" if what == "run" else "missed")
    assert decided.zone == (None if what == "run" else VIENNA)
    assert zone_changes.reckon_anew(session) == (0, 0)


def test_a_process_that_is_older_than_a_zone_asks_nothing(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule_id = planned(session, make_actor(session), "2090-07-15T09:00")
    zone_is_gone(monkeypatch, "2000.01")
    assert zone_changes.reckon_anew(session) == (0, 0)
    assert row(session, schedule_id).state == "pending"
