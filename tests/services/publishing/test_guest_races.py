"""A guest's answer beside another, an edit, a revocation and a decision: one after the other."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from tests.at_once import at_once
from tests.factories import make_actor, make_content
from webapp.kit.review_policy import ReviewPolicy
from webapp.kit.roles import RoleName
from webapp.models import ActivityLog, Content, Job, Review, ReviewDecision, ReviewLink
from webapp.services.accounts import standing
from webapp.services.content import content, item_reads
from webapp.services.errors import ServiceError
from webapp.services.publishing import guest_reviews, review_links, reviews
from webapp.services.publishing.review_links import Guest
from webapp.services.publishing.reviews import Decision, Verdict

POLICY = ReviewPolicy()


class Desk:
    """An item in review, with a link out to a guest, for several at once."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self.sessions = sessions
        with sessions.begin() as session:
            self.author = make_actor(session, RoleName.AUTHOR)
            self.editor, self.other = (make_actor(session, RoleName.EDITOR) for _ in range(2))
            self.item = make_content(session, self.author)
            self.review_id = reviews.submit(session, self.author, self.item, None)
            made, token = review_links.make(
                session, self.editor, self.item, self.review_id, Guest("Ada", None, "review"),
                hours=None, most_hours=720,
            )  # fmt: skip
            self.link_id, self.token = made.id, token or ""

    def attempt(self, call: Callable[[Session], Any]) -> str:
        """Do something in a transaction of its own, and say what came of it."""
        try:
            with self.sessions.begin() as session:
                before = call(session)
        except ServiceError as error:
            return type(error).__name__
        return "told" if isinstance(before, guest_reviews.Answered) else "done"

    def answer(self, session: Session, verdict: Verdict = "approve") -> Any:
        return guest_reviews.answer(session, self.token, verdict, "", POLICY)

    def facts(self) -> tuple[str, str | None, int, int]:
        """Return the review's state, the link's answer, and how many decisions and mails of it."""
        with self.sessions() as session:
            link = session.get_one(ReviewLink, self.link_id)
            state = session.scalars(select(Review.state)).one()
            decisions = session.scalar(select(func.count()).select_from(ReviewDecision))
            mails = select(func.count()).select_from(Job).where(Job.kind == "guest_decision.send")
            return state, link.decision, decisions or 0, session.scalar(mails) or 0


@pytest.mark.parametrize("turn", range(3))
def test_of_two_answers_by_one_link_one_counts_and_the_other_is_told(
    sessions: sessionmaker[Session], turn: int
) -> None:
    desk = Desk(sessions)
    said: list[Verdict] = ["approve", "reject", "changes_wanted", "approve"]
    outcomes = at_once(
        lambda number: desk.attempt(
            lambda session: desk.answer(session, said[(number + turn) % 4])
        ),
        4,
    )
    assert outcomes == ["done", "told", "told", "told"]
    state, decision, decisions, mails = desk.facts()
    assert {"approve": "approved", "reject": "rejected"}.get(str(decision), decision) == state
    assert (decisions, mails) == (1, 1)
    with sessions() as session:
        lines = session.scalars(
            select(ActivityLog.actor_id).where(ActivityLog.details.has_key("review_link_id"))
        ).all()
    assert sorted(lines, key=str) == [desk.editor.user_id, None]


@pytest.mark.parametrize("turn", range(4))
def test_an_edit_beside_an_answer_leaves_no_approval_of_the_edit(
    sessions: sessionmaker[Session], turn: int
) -> None:
    desk = Desk(sessions)
    works: list[Callable[[Session], Any]] = [
        lambda session: content.edit(session, desk.author, desk.item, None, {"title": "Edited"}),
        desk.answer,
    ]
    at_once(lambda number: desk.attempt(works[(number + turn) % 2]), 2)
    state, decision, decisions, _ = desk.facts()
    assert (state, decision, decisions) in (("voided", None, 0), ("approved", "approve", 1))
    with sessions() as session:
        assert session.scalars(select(Content.version)).one() == 2
        assert not item_reads.read_state(session, desk.item, 2).is_approved


@pytest.mark.parametrize("turn", range(4))
def test_a_link_that_is_revoked_beside_its_answer_is_one_or_the_other(
    sessions: sessionmaker[Session], turn: int
) -> None:
    desk = Desk(sessions)
    works: list[Callable[[Session], Any]] = [
        lambda session: review_links.revoke(
            session, desk.editor, desk.item, desk.review_id, desk.link_id
        ),
        desk.answer,
    ]
    outcomes = at_once(lambda number: desk.attempt(works[(number + turn) % 2]), 2)
    assert outcomes == ["NotFoundError", "done"]
    with sessions() as session:
        link = session.get_one(ReviewLink, desk.link_id)
        assert (link.revoked_at is None) == (link.decision is not None)
    assert desk.facts()[0] == ("approved" if link.decision else "open")


@pytest.mark.parametrize("turn", range(4))
def test_a_guest_and_an_editor_at_once_decide_a_step_once(
    sessions: sessionmaker[Session], turn: int
) -> None:
    desk = Desk(sessions)
    works: list[Callable[[Session], Any]] = [
        lambda session: reviews.decide(
            session, desk.other, desk.item, desk.review_id, Decision("reject")
        ),
        desk.answer,
    ]
    outcomes = at_once(lambda number: desk.attempt(works[(number + turn) % 2]), 2)
    state, decision, decisions, _ = desk.facts()
    assert state == "rejected"
    # A no after the guest's yes takes it back.
    assert (decisions, decision) in ((1, None), (2, "approve"))
    assert outcomes in (["ConflictError", "done"], ["done", "done"])


@pytest.mark.parametrize("turn", range(2))
def test_freezing_its_maker_beside_an_answer_ends_in_one_order(
    sessions: sessionmaker[Session], turn: int
) -> None:
    desk = Desk(sessions)
    works: list[Callable[[Session], Any]] = [
        lambda session: standing.freeze(session, desk.editor.user_id),
        desk.answer,
    ]
    at_once(lambda number: desk.attempt(works[(number + turn) % 2]), 2)
    with sessions() as session:
        link = session.get_one(ReviewLink, desk.link_id)
        assert link.revoked_at is not None or link.decision is not None
    assert desk.attempt(desk.answer) in {"NotFoundError"}
