"""A guest decides what who sent the link could decide themselves at that moment, and no more."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests.factories import make_actor, make_content
from webapp.kit.clock import utc_now
from webapp.kit.review_policy import ReviewPolicy, read_steps
from webapp.kit.roles import RoleName
from webapp.models import Review, ReviewDecision, ReviewLink, Role, User
from webapp.services.accounts import standing
from webapp.services.accounts.actors import Actor
from webapp.services.content import content
from webapp.services.errors import (
    ConflictError,
    DailyQuotaError,
    ForbiddenError,
    MoveForbiddenError,
    NotFoundError,
    QuotaError,
)
from webapp.services.operations import housekeeping
from webapp.services.publishing import guest_reviews, publishing, review_links, reviews
from webapp.services.publishing.guest_reviews import Answered
from webapp.services.publishing.review_links import Guest
from webapp.services.publishing.reviews import Decision
from webapp.settings import Settings

POLICY = ReviewPolicy()
TWO_STEPS = ReviewPolicy(read_steps("copy:editor > legal:editor"))
YES = Decision("approve")


def submit(session: Session, author: Actor, item: int, policy: ReviewPolicy = POLICY) -> int:
    return reviews.submit(session, replace(author, review_policy=policy), item, None)


def link(
    session: Session, maker: Actor, item: int, review_id: int, step: str | None = "review",
    address: str | None = None,
) -> str:  # fmt: skip
    guest = Guest("Ada", address, step)
    _, token = review_links.make(session, maker, item, review_id, guest, hours=None, most_hours=720)
    return token or ""


def answer(session: Session, token: str, policy: ReviewPolicy = POLICY) -> Answered | None:
    return guest_reviews.answer(session, token, "approve", "", policy)


def state_of(session: Session, review_id: int) -> str:
    return session.scalars(select(Review.state).where(Review.id == review_id)).one()


def set_role(session: Session, actor: Actor, role: RoleName) -> None:
    role_id = select(Role.id).where(Role.name == role.value).scalar_subquery()
    session.execute(update(User).where(User.id == actor.user_id).values(role_id=role_id))


@pytest.mark.parametrize("loss", ["role", "disabled", "frozen"])
def test_a_link_is_dead_once_its_maker_has_lost_the_right(
    session: Session, author: Actor, editor: Actor, item: int, loss: str
) -> None:
    review_id = submit(session, author, item)
    token = link(session, editor, item, review_id)
    link(session, editor, item, review_id, address="ada@example.org")
    guest_reviews.look(session, token, POLICY)
    if loss == "role":
        set_role(session, editor, RoleName.AUTHOR)
    elif loss == "disabled":
        standing.disable(session, None, editor.user_id, "left")
    else:
        standing.freeze(session, editor.user_id)
        standing.thaw(session, editor.user_id)
        session.expire_all()
        assert session.scalars(select(ReviewLink.guest_address)).all() == [None, None]
        assert (
            session.scalars(select(ReviewLink).where(ReviewLink.expires_at > utc_now())).all() == []
        )
    with pytest.raises(NotFoundError):
        guest_reviews.look(session, token, POLICY)
    with pytest.raises(NotFoundError):
        answer(session, token)
    assert state_of(session, review_id) == "open"


def test_who_could_not_decide_a_step_hands_out_no_link_to_it(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    policy = ReviewPolicy(read_steps("copy:editor > legal:manager"))
    review_id = submit(session, author, item, policy)
    with pytest.raises(ForbiddenError):
        link(session, author, item, review_id, "copy")
    with pytest.raises(ConflictError):
        link(session, editor, item, review_id, "legal")
    with pytest.raises(ConflictError):
        link(session, editor, item, review_id, "unknown")
    bound = ReviewPolicy(policy.steps, frozenset({RoleName.EDITOR}))
    own = make_content(session, editor)
    own_review = reviews.submit(session, replace(editor, review_policy=bound), own, None)
    with pytest.raises(ForbiddenError, match="yourself"):
        link(session, replace(editor, review_policy=bound), own, own_review, "copy")


def test_one_person_with_guests_decides_one_step(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    review_id = submit(session, author, item, TWO_STEPS)
    assert answer(session, link(session, editor, item, review_id, "copy"), TWO_STEPS) is None
    with pytest.raises(ForbiddenError, match="have decided a step"):
        link(session, editor, item, review_id, "legal")
    with pytest.raises(MoveForbiddenError, match="have decided a step"):
        reviews.decide(session, editor, item, review_id, YES)
    other = make_actor(session, RoleName.EDITOR)
    token = link(session, other, item, review_id, "legal")
    assert answer(session, token, TWO_STEPS) is None
    assert state_of(session, review_id) == "approved"
    publishing.publish(session, author, item, None)


def test_a_guest_of_somebody_who_has_decided_since_decides_nothing(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    policy = ReviewPolicy(read_steps("copy:editor, legal:editor"))
    review_id = submit(session, author, item, policy)
    token = link(session, editor, item, review_id, "legal")
    reviews.decide(session, editor, item, review_id, replace(YES, step="copy"))
    with pytest.raises(ConflictError, match="not for this link"):
        answer(session, token, policy)
    session.rollback()


def test_a_role_that_needs_an_approval_since_lets_no_guest_approve_its_own(
    session: Session, editor: Actor
) -> None:
    item = make_content(session, editor)
    review_id = submit(session, editor, item)
    token = link(session, editor, item, review_id)
    bound = ReviewPolicy(roles_that_need_one=frozenset({RoleName.EDITOR}))
    with pytest.raises(ConflictError, match="not for this link"):
        answer(session, token, bound)


def test_an_approval_is_taken_back_by_no_guest(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    review_id = submit(session, author, item)
    tokens = [link(session, editor, item, review_id, step) for step in ("review", None)]
    reviews.decide(session, make_actor(session, RoleName.EDITOR), item, review_id, YES)
    for token in tokens:
        with pytest.raises(ConflictError, match="has ended: approved"):
            guest_reviews.answer(session, token, "reject", "", POLICY)
    assert state_of(session, review_id) == "approved"


def test_a_link_ends_with_its_time_and_while_the_item_is_put_aside(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    review_id = submit(session, author, item)
    token = link(session, editor, item, review_id)
    content.trash(session, author, item, None)
    with pytest.raises(NotFoundError):
        guest_reviews.look(session, token, POLICY)
    content.untrash(session, author, item, None)
    guest_reviews.look(session, token, POLICY)
    session.execute(update(ReviewLink).values(expires_at=utc_now() - timedelta(seconds=1)))
    for call in (guest_reviews.look, answer):
        with pytest.raises(NotFoundError):
            call(session, token, POLICY)


def test_links_are_bounded(
    session: Session, author: Actor, editor: Actor, item: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_links, "MOST_OF_ONE_REVIEW", 3)
    monkeypatch.setattr(review_links, "MOST_MAILS_A_DAY", 2)
    review_id = submit(session, author, item)
    for _ in range(2):
        link(session, editor, item, review_id, address="ada@example.org")
    with pytest.raises(DailyQuotaError):
        link(session, editor, item, review_id, address="ada@example.org")
    link(session, editor, item, review_id)
    with pytest.raises(QuotaError):
        link(session, editor, item, review_id)


def test_the_name_of_a_guest_whose_link_was_revoked_goes_a_day_after_that(
    session: Session, settings: Settings, author: Actor, editor: Actor, item: int
) -> None:
    review_id = submit(session, author, item)
    for _ in range(2):
        link(session, editor, item, review_id)
    kept, revoked = session.scalars(select(ReviewLink.id).order_by(ReviewLink.id))
    review_links.revoke(session, editor, item, review_id, revoked)
    for days, left in ((0.9, [kept, revoked]), (0.2, [kept])):
        session.execute(
            update(ReviewLink).values(expires_at=ReviewLink.expires_at - timedelta(days=days))
        )
        housekeeping.prune(session, "review_links", settings)
        assert session.scalars(select(ReviewLink.id).order_by(ReviewLink.id)).all() == left


def test_a_guest_is_forgotten_and_what_they_said_stays(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    review_id = submit(session, author, item)
    token = link(session, editor, item, review_id)
    answer(session, token)
    made = session.scalars(select(ReviewLink)).one()
    assert review_links.forget_guest(session, made.id) is True
    assert review_links.forget_guest(session, made.id) is False
    session.expire_all()
    row: Any = session.scalars(select(ReviewLink)).one()
    assert (row.guest_name, row.guest_address, row.decision) == ("", None, "approve")
    assert session.scalars(select(ReviewDecision)).one().decision == "approve"


def test_each_start_of_the_mail_makes_a_token_that_ends_the_one_before(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    review_id = submit(session, author, item)
    link(session, editor, item, review_id, address="ada@example.org")
    (made,) = session.scalars(select(ReviewLink.id))
    first, second = (guest_reviews.mint(session, made, POLICY) for _ in range(2))
    assert first is not None
    assert second is not None
    with pytest.raises(NotFoundError):
        guest_reviews.look(session, first.token, POLICY)
    guest_reviews.look(session, second.token, POLICY)
