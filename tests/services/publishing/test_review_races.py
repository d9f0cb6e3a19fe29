"""Reviews, edits and publications at once: whatever comes first, no other bytes go public."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from tests.at_once import at_once
from tests.factories import make_actor, make_content
from webapp.kit.clock import utc_now
from webapp.kit.lifecycle import Progress
from webapp.kit.roles import RoleName
from webapp.models import Content, ContentVersion, Publication, Review, ReviewDecision, Schedule
from webapp.services.content import content, lifecycle
from webapp.services.errors import MoveForbiddenError, ServiceError
from webapp.services.publishing import publishing, reviews, schedules
from webapp.services.publishing.reviews import Decision
from webapp.services.publishing.schedules import SchedulePlan

YES, NO, CHANGES = Decision("approve"), Decision("reject"), Decision("changes_wanted")


def state_of(session: Session, review_id: int) -> str:
    return session.scalars(select(Review.state).where(Review.id == review_id)).one()


def public_number(session: Session, content_id: int) -> int | None:
    shown = select(ContentVersion.number).join(
        Publication, Publication.version_id == ContentVersion.id
    )
    return session.scalar(shown.where(Publication.content_id == content_id))


class Desk:
    """An item of an author in review, in a database of its own, for several at once."""

    def __init__(self, sessions: sessionmaker[Session], is_approved: bool = False) -> None:
        self.sessions = sessions
        with sessions.begin() as session:
            self.author = make_actor(session, RoleName.AUTHOR)
            self.editors = [make_actor(session, RoleName.EDITOR) for _ in range(6)]
            self.item = make_content(session, self.author)
            self.review_id = reviews.submit(session, self.author, self.item, None)
            if is_approved:
                reviews.decide(session, self.editors[0], self.item, self.review_id, YES)

    def attempt(self, call: Callable[[Session], Any]) -> str:
        """Do something in a transaction of its own, and say what came of it."""
        try:
            with self.sessions.begin() as session:
                call(session)
        except ServiceError as error:
            return type(error).__name__
        return "done"


def test_of_decisions_of_one_step_at_once_one_counts(sessions: sessionmaker[Session]) -> None:
    desk = Desk(sessions)

    def decide(turn: int) -> str:
        said = [YES, NO, CHANGES][turn % 3]
        return desk.attempt(
            lambda session: reviews.decide(
                session, desk.editors[turn], desk.item, desk.review_id, said
            )
        )

    outcomes = at_once(decide, 6)
    with sessions() as session:
        counted = session.scalars(select(ReviewDecision).order_by(ReviewDecision.id)).all()
        state = state_of(session, desk.review_id)
    # A no may follow a yes, and takes it back; nothing follows a no.
    assert [d.decision for d in counted][:-1] in ([], ["approve"])
    assert outcomes.count("done") == len(counted) in (1, 2)
    last = counted[-1].decision
    assert state == {"approve": "approved", "reject": "rejected"}.get(last, last)


@pytest.mark.parametrize("turns", range(4))
def test_an_edit_and_an_approval_at_once_leave_no_approval_of_the_edit(
    sessions: sessionmaker[Session], turns: int
) -> None:
    desk = Desk(sessions)
    works: list[Callable[[Session], Any]] = [
        lambda session: content.edit(session, desk.author, desk.item, None, {"title": "Edited"}),
        lambda session: reviews.decide(
            session, desk.editors[0], desk.item, desk.review_id, replace(YES, number=1)
        ),
    ]
    at_once(lambda turn: desk.attempt(works[(turn + turns) % 2]), 2)
    with sessions.begin() as session:
        assert state_of(session, desk.review_id) in {"voided", "approved"}
        item = session.get_one(Content, desk.item)
        facts = lifecycle.facts_of(session, desk.author, item)
        assert facts.progress is Progress.DRAFT
        with pytest.raises(MoveForbiddenError, match="no approval"):
            publishing.publish(session, desk.author, desk.item, None)


@pytest.mark.parametrize("turns", range(4))
def test_an_edit_or_a_rejection_beside_a_publish_never_makes_other_bytes_public(
    sessions: sessionmaker[Session], turns: int
) -> None:
    desk = Desk(sessions, is_approved=True)
    later = SchedulePlan("publish", utc_now() + timedelta(days=30))
    works: list[Callable[[Session], Any]] = [
        lambda session: content.edit(session, desk.author, desk.item, None, {"title": "Edited"}),
        lambda session: publishing.publish(session, desk.author, desk.item, None),
        lambda session: schedules.create(session, desk.author, desk.item, None, later),
        lambda session: reviews.decide(session, desk.editors[1], desk.item, desk.review_id, NO),
    ]
    outcomes = at_once(lambda turn: desk.attempt(works[(turn + turns) % 4]), 4)
    assert set(outcomes) <= {
        "done", "MoveRefusedError", "MoveForbiddenError",
        "ConflictError",  # What is public already is not planned again.
    }  # fmt: skip
    with sessions() as session:
        assert public_number(session, desk.item) in (None, 1)
        pinned = (
            select(func.count())
            .select_from(Schedule)
            .where(Schedule.state.in_(["pending", "handed"]))
        )
        assert (session.scalar(pinned), state_of(session, desk.review_id)) == (0, "rejected")
