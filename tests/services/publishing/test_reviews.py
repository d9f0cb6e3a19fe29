"""An approval is of one version; it lets that one go public, and no other."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests.factories import make_actor, make_content
from tests.services.publishing.approvals import approve, submit
from webapp.kit.clock import utc_now
from webapp.kit.lifecycle import Progress
from webapp.kit.permissions import Scope, permissions_of_scopes
from webapp.kit.review_policy import ReviewPolicy, read_steps
from webapp.kit.roles import RoleName
from webapp.models import (
    ActivityLog,
    Content,
    ContentVersion,
    Publication,
    Review,
    ReviewDecision,
    Schedule,
)
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, lifecycle
from webapp.services.content.version_texts import digest_of
from webapp.services.errors import (
    ConflictError,
    ForbiddenError,
    MoveForbiddenError,
    MoveRefusedError,
    NotFoundError,
    StaleRevisionError,
)
from webapp.services.publishing import (
    firing,
    handing_over,
    publishing,
    review_views,
    reviews,
    schedules,
)
from webapp.services.publishing.reviews import Decision
from webapp.services.publishing.schedules import SchedulePlan

YES, NO, CHANGES = Decision("approve"), Decision("reject"), Decision("changes_wanted")
LATER = timedelta(days=30)


def state_of(session: Session, review_id: int) -> str:
    return session.scalars(select(Review.state).where(Review.id == review_id)).one()


def progress(session: Session, actor: Actor, content_id: int) -> Progress:
    item = session.get_one(Content, content_id, populate_existing=True)
    return lifecycle.facts_of(session, actor, item).progress


def public_number(session: Session, content_id: int) -> int | None:
    shown = select(ContentVersion.number).join(
        Publication, Publication.version_id == ContentVersion.id
    )
    return session.scalar(shown.where(Publication.content_id == content_id))


def plan(number: int | None = None, after: timedelta = LATER) -> SchedulePlan:
    return SchedulePlan("publish", utc_now() + after, number)


def test_an_author_publishes_what_was_approved_and_only_that(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    with pytest.raises(MoveForbiddenError, match="no approval"):
        publishing.publish(session, author, item, None)
    approve(session, author, editor, item)
    assert progress(session, author, item) is Progress.APPROVED
    content.edit(session, author, item, None, {"title": "Second"})
    assert progress(session, author, item) is Progress.DRAFT
    for number in (None, 2):
        with pytest.raises(MoveForbiddenError, match="no approval"):
            publishing.publish(session, author, item, None, number=number)
        with pytest.raises(MoveForbiddenError, match="no approval"):
            schedules.create(session, author, item, None, plan(number))
    publishing.publish(session, author, item, None, number=1)
    assert public_number(session, item) == 1


def test_an_approval_lets_nobody_publish_an_item_of_another(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    approve(session, author, editor, item)
    other = make_actor(session, RoleName.AUTHOR)
    with pytest.raises(NotFoundError):
        publishing.publish(session, other, item, None)


def test_each_edit_voids_the_open_review(session: Session, author: Actor, item: int) -> None:
    first = submit(session, author, item)
    assert progress(session, author, item) is Progress.IN_REVIEW
    with pytest.raises(MoveRefusedError, match="in review already"):
        submit(session, author, item)
    content.edit(session, author, item, None, {"title": "Second"})
    assert (state_of(session, first), progress(session, author, item)) == ("voided", "draft")
    second = submit(session, author, item)
    content.restore(session, author, item, None, 1)
    assert state_of(session, second) == "voided"
    told = select(ActivityLog.action).where(ActivityLog.action.like("review.%"))
    assert session.scalars(told.order_by(ActivityLog.id)).all() == [
        "review.submit", "review.void", "review.submit", "review.void",
    ]  # fmt: skip


def test_what_decides_has_seen_the_version_of_the_review(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    review_id = submit(session, author, item)
    digest = session.scalars(select(Review.digest)).one()
    for other in (replace(YES, number=2), replace(YES, digest=bytes(32))):
        with pytest.raises(StaleRevisionError):
            reviews.decide(session, editor, item, review_id, other)
    reviews.decide(session, editor, item, review_id, replace(YES, number=1, digest=digest))
    assert state_of(session, review_id) == "approved"


@pytest.mark.parametrize("needs_one", [True, False])
def test_nobody_approves_their_own_work_unless_they_publish_alone(
    session: Session, author: Actor, editor: Actor, item: int, needs_one: bool
) -> None:
    policy = ReviewPolicy(roles_that_need_one=frozenset({RoleName.EDITOR} if needs_one else ()))
    editor = replace(editor, review_policy=policy)
    content.edit(session, editor, item, None, {"title": "By the editor"})
    review_id = submit(session, author, item)
    if not needs_one:
        reviews.decide(session, editor, item, review_id, YES)
        return
    with pytest.raises(ForbiddenError, match="saved or submitted"):
        reviews.decide(session, editor, item, review_id, YES)
    with pytest.raises(MoveForbiddenError, match="no approval"):
        publishing.publish(session, editor, item, None)
    # Whoever submitted it does not approve it either, whoever has saved it.
    content.edit(session, author, item, None, {"title": "By the author"})
    asked = submit(session, editor, item)
    with pytest.raises(ForbiddenError, match="saved or submitted"):
        reviews.decide(session, editor, item, asked, YES)
    reviews.decide(session, make_actor(session, RoleName.EDITOR), item, asked, YES)
    publishing.publish(session, editor, item, None)
    assert public_number(session, item) == 3


def test_an_author_approves_nothing(session: Session, author: Actor, item: int) -> None:
    review_id = submit(session, author, item)
    for decision in (YES, NO, CHANGES):
        with pytest.raises(ForbiddenError):
            reviews.decide(session, author, item, review_id, decision)


def test_a_key_submits_and_never_decides(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    def by_key(actor: Actor, *scopes: Scope) -> Actor:
        allowed = permissions_of_scopes(scopes)
        return replace(actor, api_key_id=1, key_permissions=allowed)

    machine = by_key(author, Scope.PROPOSE)
    review_id = submit(session, machine, item)
    with pytest.raises(ForbiddenError):
        reviews.decide(session, by_key(editor, *Scope), item, review_id, YES)
    reviews.decide(session, editor, item, review_id, YES)
    tries: list[Callable[[], Any]] = [
        lambda: publishing.publish(session, machine, item, None),
        lambda: publishing.publish(session, machine, item, None, notify=False),
        lambda: schedules.create(session, machine, item, None, plan()),
        lambda: reviews.withdraw(session, machine, item, review_id, None),
        lambda: publishing.publish(session, by_key(author, Scope.PUBLISH), item, None),
    ]
    for attempt in tries:
        with pytest.raises(ForbiddenError):
            attempt()
    publishing.publish(session, by_key(author, Scope.PUBLISH, Scope.SEND), item, None)
    assert public_number(session, item) == 1


def test_steps_come_in_their_order_and_from_different_people(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    policy = ReviewPolicy(read_steps("copy:editor > legal:manager"))
    review_id = submit(session, replace(author, review_policy=policy), item)
    manager, boss = (make_actor(session, RoleName.MANAGER) for _ in range(2))
    with pytest.raises(ConflictError, match="copy now"):
        reviews.decide(session, manager, item, review_id, replace(YES, step="legal"))
    reviews.decide(session, editor, item, review_id, YES)
    assert progress(session, author, item) is Progress.IN_REVIEW
    with pytest.raises(ForbiddenError, match="have decided"):
        reviews.decide(session, editor, item, review_id, YES)
    with pytest.raises(ForbiddenError, match="higher role"):
        reviews.decide(session, make_actor(session, RoleName.EDITOR), item, review_id, YES)
    with pytest.raises(MoveForbiddenError, match="no approval"):
        publishing.publish(session, author, item, None)
    reviews.decide(session, boss, item, review_id, YES)
    steps = session.execute(select(ReviewDecision.step, ReviewDecision.decided_by_id)).all()
    assert set(steps) == {("copy", editor.user_id), ("legal", boss.user_id)}
    assert state_of(session, review_id) == "approved"


def test_steps_without_an_order_come_as_they_come(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    policy = ReviewPolicy(read_steps("copy:editor, legal:manager"))
    review_id = submit(session, replace(author, review_policy=policy), item)
    manager = make_actor(session, RoleName.MANAGER)
    reviews.decide(session, manager, item, review_id, replace(YES, step="legal"))
    reviews.decide(session, editor, item, review_id, YES)
    assert state_of(session, review_id) == "approved"


@pytest.mark.parametrize(
    ("decision", "state", "shown"),
    [(CHANGES, "changes_wanted", Progress.CHANGES_WANTED), (NO, "rejected", Progress.DRAFT)],
)
def test_a_no_ends_the_review_and_shows(
    session: Session, author: Actor, editor: Actor, item: int,
    decision: Decision, state: str, shown: Progress,
) -> None:  # fmt: skip
    review_id = submit(session, author, item)
    reviews.decide(session, editor, item, review_id, replace(decision, comment="Sources?"))
    assert (state_of(session, review_id), progress(session, author, item)) == (state, shown)
    with pytest.raises(MoveRefusedError, match="has ended"):
        reviews.decide(session, editor, item, review_id, YES)
    # What is wanted is shown through the edits, until somebody asks again.
    content.edit(session, author, item, None, {"title": "Better"})
    assert progress(session, author, item) is shown
    assert state_of(session, submit(session, author, item)) == "open"


@pytest.mark.parametrize("way", ["reject", "withdraw"])
def test_an_approval_that_is_taken_back_ends_what_rests_upon_it(
    session: Session, author: Actor, editor: Actor, item: int, way: str
) -> None:
    review_id = approve(session, author, editor, item)
    schedule_id = schedules.create(session, author, item, None, plan())
    content.edit(session, author, item, None, {"title": "Second"})
    assert session.get_one(Schedule, schedule_id).state == "pending"
    if way == "reject":
        reviews.decide(session, editor, item, review_id, NO)
    else:
        reviews.withdraw(session, author, item, review_id, None)
    ended = session.get_one(Schedule, schedule_id, populate_existing=True)
    assert (ended.state, ended.failure) == (
        "cancelled", "The approval that it rests upon was taken back before its moment.",
    )  # fmt: skip
    with pytest.raises(MoveForbiddenError, match="no approval"):
        publishing.publish(session, author, item, None, number=1)


def test_a_schedule_of_somebody_who_needs_no_approval_stays(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    review_id = approve(session, author, editor, item)
    schedule_id = schedules.create(session, editor, item, None, plan())
    reviews.decide(session, editor, item, review_id, NO)
    assert session.get_one(Schedule, schedule_id, populate_existing=True).state == "pending"


def test_an_approved_schedule_fires(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    approve(session, author, editor, item)
    schedules.create(session, author, item, None, plan(after=timedelta(0)))
    assert progress(session, author, item) is Progress.SCHEDULED
    content.edit(session, author, item, None, {"title": "Not approved"})
    handing_over.hand_over_due(session)
    ids = session.scalars(select(Schedule.id)).all()
    assert firing.fire(session, ids, missed_after_seconds=1e9).fired == ids
    assert public_number(session, item) == 1


def test_an_approved_version_gets_no_other_name(
    session: Session, author: Actor, editor: Actor
) -> None:
    """A numbered slug would make another version, which nobody has approved."""
    first, second = (make_content(session, author, title="One name") for _ in range(2))
    approve(session, author, editor, second)
    publishing.publish(session, editor, first, None)
    with pytest.raises(ConflictError, match="has the slug"):
        publishing.publish(session, author, second, None)


def test_what_the_release_before_left_open_counts_for_nothing(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    """It edits without knowing of reviews."""
    review_id = submit(session, author, item)
    row = session.get_one(Content, item, populate_existing=True)
    row.version = 2
    session.add(
        ContentVersion(
            content_id=item, number=2, author_id=author.user_id, title=row.title, slug=row.slug,
            body=row.body, digest=digest_of(row, []),
        )
    )  # fmt: skip
    session.flush()
    assert progress(session, author, item) is Progress.DRAFT
    (view,) = review_views.list_for_content(session, author, item, below=None, limit=10)
    assert view.state == "voided"
    for state, number in (("open", 0), ("voided", 1)):
        found = review_views.list_reviews(
            session, editor, state=state, is_mine=False, below=None, limit=10
        )
        assert len(found) == number
    with pytest.raises(MoveRefusedError, match="has ended"):
        reviews.decide(session, editor, item, review_id, YES)
    assert state_of(session, submit(session, author, item)) == "open"
    assert state_of(session, review_id) == "voided"


def test_what_is_put_aside_waits_for_nobody(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    review_id = submit(session, author, item)
    content.trash(session, author, item, None)
    ask: dict[str, Any] = {"state": "open", "is_mine": False, "below": None, "limit": 10}
    assert review_views.list_reviews(session, editor, **ask) == []
    with pytest.raises(MoveRefusedError, match="in the trash"):
        reviews.decide(session, editor, item, review_id, YES)
    content.untrash(session, author, item, None)
    assert [view.review.id for view in review_views.list_reviews(session, editor, **ask)] == [
        review_id
    ]


def test_a_version_that_was_tampered_with_is_approved_no_more(
    session: Session, author: Actor, editor: Actor, item: int
) -> None:
    approve(session, author, editor, item)
    session.execute(update(ContentVersion).values(digest=bytes(32)))
    with pytest.raises(MoveForbiddenError, match="no approval"):
        publishing.publish(session, author, item, None)
