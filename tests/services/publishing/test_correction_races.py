"""Corrections, retractions and what comes beside them at once: one after the other, and whole."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from tests.at_once import at_once
from tests.factories import make_actor, make_content
from webapp.kit.clock import utc_now
from webapp.kit.lifecycle import Standing
from webapp.kit.roles import RoleName
from webapp.models import Content, Correction, Event, Publication, Retraction, Schedule
from webapp.services.content import content
from webapp.services.content.lifecycle import standing_of
from webapp.services.errors import ServiceError
from webapp.services.publishing import (
    corrections,
    firing,
    publishing,
    retractions,
    schedules,
)
from webapp.services.publishing.schedules import SchedulePlan

Work = Callable[[Session], Any]


class Desk:
    """A public item of two versions, in a database of its own, for several at once."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self.sessions = sessions
        with sessions.begin() as session:
            self.editor = make_actor(session, RoleName.EDITOR)
            self.item = make_content(session, self.editor)
            publishing.publish(session, self.editor, self.item, None)
            content.edit(session, self.editor, self.item, None, {"title": "Second"})
            self.revision = session.get_one(Content, self.item).revision

    def attempt(self, work: Work) -> str:
        """Do something in a transaction of its own, and say what came of it."""
        try:
            with self.sessions.begin() as session:
                work(session)
        except ServiceError as error:
            return type(error).__name__
        return "done"

    def both(self, first: Work, second: Work, turns: int) -> list[str]:
        """Do two things at once."""
        works = [first, second]
        return at_once(lambda turn: self.attempt(works[(turn + turns) % 2]), 2)

    def correct(self, session: Session, revisions: set[int] | None = None) -> None:
        """Correct the item."""
        corrections.correct(session, self.editor, self.item, revisions, "It was another.")

    def retract(self, session: Session, revisions: set[int] | None = None) -> None:
        """Retract the item."""
        retractions.retract(session, self.editor, self.item, revisions, "It was wrong.")

    def look(self) -> tuple[Standing, bool, int, int]:
        """Return where it stands, whether it is public, and how many notes and stubs it has."""
        with self.sessions() as session:
            is_public = session.get(Publication, self.item) is not None
            notes = session.scalar(select(func.count()).select_from(Correction))
            item = session.get_one(Content, self.item)
            stubs = session.scalar(
                select(func.count())
                .select_from(Retraction)
                .where(Retraction.sequence == item.publish_sequence)
            )
            return standing_of(item), is_public, notes or 0, stubs or 0


@pytest.mark.parametrize("turns", range(4))
def test_of_two_corrections_of_one_revision_at_once_one_is_made(
    sessions: sessionmaker[Session], turns: int
) -> None:
    desk = Desk(sessions)
    seen = {desk.revision}
    work: Work = lambda session: desk.correct(session, seen)  # noqa: E731
    assert desk.both(work, work, turns) == ["StaleItemError", "done"]
    assert desk.look() == (Standing.PUBLISHED, True, 1, 0)
    # Whoever says that they take whatever there is comes after the other.
    assert desk.both(desk.correct, desk.correct, turns) == ["done", "done"]
    assert desk.look() == (Standing.PUBLISHED, True, 3, 0)
    with sessions() as session:
        kinds = session.scalars(select(Event.kind).order_by(Event.sequence)).all()
    assert kinds == ["content.published", *["content.corrected"] * 3]


@pytest.mark.parametrize("turns", range(4))
def test_a_correction_and_an_unpublication_at_once_leave_nothing_public(
    sessions: sessionmaker[Session], turns: int
) -> None:
    desk = Desk(sessions)
    take_back: Work = lambda session: publishing.unpublish(  # noqa: E731
        session, desk.editor, desk.item, None
    )
    outcomes = desk.both(desk.correct, take_back, turns)
    assert outcomes in (["done", "done"], ["MoveRefusedError", "done"])
    assert desk.look() == (Standing.UNPUBLISHED, False, outcomes.count("done") - 1, 0)


@pytest.mark.parametrize("turns", range(4))
def test_of_two_retractions_at_once_one_is_made(
    sessions: sessionmaker[Session], turns: int
) -> None:
    desk = Desk(sessions)
    assert desk.both(desk.retract, desk.retract, turns) == ["MoveRefusedError", "done"]
    assert desk.look() == (Standing.RETRACTED, False, 0, 1)


@pytest.mark.parametrize("turns", range(4))
def test_a_retraction_while_a_schedule_fires_is_the_last_word(
    sessions: sessionmaker[Session], turns: int
) -> None:
    desk = Desk(sessions)
    with sessions.begin() as session:
        plan = SchedulePlan("publish", utc_now())
        schedule_id = schedules.create(session, desk.editor, desk.item, None, plan)
        session.execute(update(Schedule).values(state="handed"))
    fire: Work = lambda session: firing.fire(  # noqa: E731
        session, [schedule_id], missed_after_seconds=1e9
    )
    assert desk.both(desk.retract, fire, turns) == ["done", "done"]
    assert desk.look() == (Standing.RETRACTED, False, 0, 1)
    with sessions() as session:
        assert session.get_one(Schedule, schedule_id).state in {"fired", "cancelled"}


def test_what_the_release_before_publishes_takes_the_retraction_away(
    sessions: sessionmaker[Session],
) -> None:
    desk = Desk(sessions)
    desk.attempt(desk.correct)
    desk.attempt(desk.retract)
    with sessions.begin() as session:
        item = session.get_one(Content, desk.item)
        # It reads a draft that was public, and counts the publication as any other.
        assert (item.status, item.publish_sequence) == ("draft", 2)
        session.execute(
            text("UPDATE content SET status = 'published', publish_sequence = publish_sequence + 1")
        )
        session.execute(text("UPDATE content SET status = 'draft'"))
    assert desk.look() == (Standing.UNPUBLISHED, False, 1, 0)
