"""Random timelines against a model: each action ends once, as a rule says, with its own bytes.

Time passes by moving all moments, which is what a step of PostgreSQL's clock is, forward or back.
A short stretch is a day at work, a long one an outage. Two dispatchers hand over at once, and each
job is begun by a worker that dies and then carried out by two at once.
"""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session, sessionmaker

from tests.at_once import at_once
from tests.factories import make_actor, make_content
from tests.services.publishing.timeline_model import (
    MISSED_AFTER,
    IfMissed,
    Kind,
    ModelItem,
    Planned,
)
from webapp.kit.clock import utc_now
from webapp.models import ActivityLog, Content, ContentVersion, Job, Publication, Schedule
from webapp.services.accounts.actors import Actor
from webapp.services.content import content
from webapp.services.errors import ConflictError
from webapp.services.publishing import firing, handing_over, publishing, schedules
from webapp.services.publishing.schedules import SchedulePlan

CASES = 2_000
WORLDS = 8
ITEMS = CASES // WORLDS
AT_ONCE = 50
KINDS: tuple[Kind, ...] = ("publish", "publish", "publish", "unpublish", "archive")
WAYS: tuple[IfMissed, ...] = ("run", "skip")
STRETCHES = (900.0, 1_700.0, 1_700.0, 9_000.0, 40_000.0, -3_600.0)


class World:
    """Some items in a database, and the same in the model."""

    def __init__(self, sessions: sessionmaker[Session], chance: random.Random) -> None:
        """Make the items, each with texts that name it; text 1 is that of version 2."""
        self.sessions, self.chance = sessions, chance
        self.now, self.tick, self.refused = 0.0, 0, 0
        with sessions.begin() as session:
            self.actor: Actor = make_actor(session)
            self.items = [ModelItem(self._make(session)) for _ in range(ITEMS)]

    def _make(self, session: Session) -> int:
        content_id = make_content(session, self.actor)
        content.edit(session, self.actor, content_id, None, {"body": _text(content_id, 1)})
        return content_id

    def decide(self, items: Sequence[ModelItem]) -> None:
        """Let the editor do something to each of some items, where it is possible."""
        steps = (self._plan, self._plan, self._plan, self._change, self._cancel, self._edit,
                 self._publish, self._unpublish)  # fmt: skip
        for start in range(0, len(items), AT_ONCE):
            with self.sessions.begin() as session:
                for item in items[start : start + AT_ONCE]:
                    self.tick += 1
                    self.chance.choice(steps)(session, item)

    def _moment(self) -> tuple[float, timedelta]:
        after = timedelta(
            seconds=self.chance.randrange(60, 30_000), microseconds=self.chance.randrange(10**6)
        )
        return self.now + after.total_seconds(), after

    def _plan(self, session: Session, item: ModelItem) -> None:
        kind = self.chance.choice(KINDS)
        number = self.chance.randint(1, item.versions) if kind == "publish" else None
        (due, after), if_missed = self._moment(), self.chance.choice(WAYS)
        new = Planned(0, kind, due, self.tick, number, if_missed)
        new.id = 10**9  # Behind those of its moment, as the one made last.
        is_allowed = not item.is_archived and item.allows(
            item.open_actions(), [*item.open_actions(), new]
        )
        pinned = None if number is None else number + 1
        plan = SchedulePlan(kind, utc_now() + after, pinned, if_missed)
        try:
            with session.begin_nested():
                new.id = schedules.create(session, self.actor, item.id, None, plan)
        except ConflictError:
            assert not is_allowed
            self.refused += 1
            return
        assert is_allowed
        item.actions.append(new)

    def _change(self, session: Session, item: ModelItem) -> None:
        pending = [one for one in item.open_actions() if one.state == "pending"]
        if not pending:
            return
        chosen = self.chance.choice(pending)
        (due, after), number = self._moment(), self.chance.randint(1, item.versions)
        is_repinned = chosen.kind == "publish" and self.chance.random() < 0.5
        changed = Planned(
            chosen.id, chosen.kind, chosen.due if is_repinned else due, self.tick,
            number if is_repinned else chosen.number,
        )  # fmt: skip
        others = [one for one in item.open_actions() if one is not chosen]
        known = item.problems(item.open_actions())
        # A change that changes nothing of what was amiss before is no new fault.
        is_allowed = all(
            one in known and one is not changed for one in item.problems([*others, changed])
        )
        changes = {"version_number": number + 1} if is_repinned else {"due_at": utc_now() + after}
        if is_repinned and number == chosen.number:
            return
        try:
            with session.begin_nested():
                schedules.change(session, self.actor, chosen.id, None, changes)
        except ConflictError:
            assert not is_allowed
            self.refused += 1
            return
        assert is_allowed
        chosen.due, chosen.number = changed.due, changed.number
        if is_repinned:
            chosen.chosen = self.tick

    def _cancel(self, session: Session, item: ModelItem) -> None:
        if not item.open_actions():
            return
        gone, and_following = self.chance.choice(item.open_actions()), self.chance.random() < 0.5
        fallen = item.resting_upon(gone)
        try:
            with session.begin_nested():
                schedules.cancel(session, self.actor, gone.id, None, and_following=and_following)
        except ConflictError:
            assert fallen
            assert not and_following
            self.refused += 1
            return
        assert and_following or not fallen
        for one in (gone, *fallen):
            one.state = "cancelled"

    def _edit(self, session: Session, item: ModelItem) -> None:
        if not item.is_archived:
            item.versions += 1
            body = _text(item.id, item.versions)
            content.edit(session, self.actor, item.id, None, {"body": body})

    def _publish(self, session: Session, item: ModelItem) -> None:
        if not item.is_archived:
            publishing.publish(session, self.actor, item.id, None)
            item.publish_by_hand(item.versions, self.tick)

    def _unpublish(self, session: Session, item: ModelItem) -> None:
        if item.public is not None:
            publishing.unpublish(session, self.actor, item.id, None)
            item.unpublish_by_hand()

    def pass_time(self, seconds: float) -> None:
        """Let the clock go on, or step back, with nobody at work."""
        self.now += seconds
        with self.sessions.begin() as session:
            session.execute(
                text("UPDATE schedules SET due_at = due_at - make_interval(secs => :seconds)"),
                {"seconds": seconds},
            )

    def work(self, *, people: bool = True) -> None:
        """Hand over and carry out until nothing is due, with people deciding in between."""
        while True:
            handed = at_once(self._hand_over, 2)
            expected = sum([item.hand_over(self.now) for item in self.items])
            assert sum(map(int, handed)) == expected
            if not expected:
                return
            self.decide(self.chance.sample(self.items, people * len(self.items) // 20))
            self.tick += 1
            self._fire()
            for item in self.items:
                item.fire(self.now, self.tick)

    def _hand_over(self, _: int) -> str:
        with self.sessions.begin() as session:
            return str(handing_over.hand_over_due(session, at_most=1_000))

    def _fire(self) -> None:
        with self.sessions.begin() as session:
            jobs = delete(Job).where(Job.kind == "schedules.fire").returning(Job.payload)
            batches = [payload["schedule_ids"] for payload in session.scalars(jobs)]

        def work(turn: int) -> str:
            for ids in batches:
                with self.sessions() as session:
                    firing.fire(session, ids, missed_after_seconds=MISSED_AFTER)
                    if turn:  # The other one dies here.
                        session.commit()
            return ""

        at_once(work, 3)

    def check(self) -> None:
        """Compare the database with the model."""
        with self.sessions() as session:
            rows = session.execute(select(Schedule.id, Schedule.state))
            assert {row.id: row.state for row in rows} == {
                one.id: one.state for item in self.items for one in item.actions
            }
            public = select(
                Publication.content_id, Publication.document["html"].astext.label("html")
            )
            shown = {row.content_id: row.html for row in session.execute(public)}
            archived = select(Content.id).where(Content.archived_at.is_not(None))
            assert set(session.scalars(archived)) == {
                item.id for item in self.items if item.is_archived
            }
        assert shown.keys() == {item.id for item in self.items if item.public is not None}
        for item in self.items:
            if item.public is not None:
                assert f"<p>{_text(item.id, item.public)}</p>" in shown[item.id]

    def check_ends(self) -> None:
        """Hold that each action ended, and each that was carried out has one line that says so."""
        states = Counter(one.state for item in self.items for one in item.actions)
        assert states.keys() <= {"fired", "missed", "failed", "cancelled"}
        assert states["fired"] > 0 < states["cancelled"]
        assert states["missed"] > 0 < self.refused
        place = func.cast(ActivityLog.details["schedule_id"].astext, Schedule.id.type)
        carried = ["content.publish", "content.unpublish", "content.archive"]
        with self.sessions() as session:
            lines = session.scalars(
                select(place).where(
                    ActivityLog.action.in_(carried), ActivityLog.details.has_key("schedule_id")
                )
            ).all()
            assert session.scalar(select(func.count()).select_from(ContentVersion)) == sum(
                item.versions + 1 for item in self.items
            )
        fired = [one.id for item in self.items for one in item.actions if one.state == "fired"]
        assert sorted(lines) == sorted(fired)


def _text(content_id: int, number: int) -> str:
    return f"Item {content_id} as it is in text {number}."


@pytest.mark.long
@pytest.mark.parametrize("seed", range(WORLDS))
def test_each_action_of_a_random_timeline_ends_once_as_a_rule_says(
    sessions: sessionmaker[Session], seed: int
) -> None:
    chance = random.Random(seed)
    world = World(sessions, chance)
    for _ in range(4):
        world.decide(chance.choices(world.items, k=len(world.items)))
        world.pass_time(chance.choice(STRETCHES))
        world.work()
        world.check()
    while any(item.open_actions() for item in world.items):
        world.pass_time(max(STRETCHES))
        world.work(people=False)
    world.check()
    world.check_ends()
