"""What reviews say of an item and its versions, and how an edit ends one."""

from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from webapp.kit.lifecycle import Progress
from webapp.kit.permissions import PERMISSIONS_OF_ROLE, Permission
from webapp.kit.review_policy import read_steps
from webapp.models import Review, ReviewDecision, ReviewLink
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content.item_reads import KnownReview, Standable

OWN_WORK = "You have saved or submitted this version yourself; somebody else has to approve it."
DECIDED_ALREADY = "You have decided a step of this review; the next is for somebody else."
NO_APPROVAL = "The version has no approval that counts; submit it for review first."
NO_KEY = "An approval is given up by a person, not by an API key."
NO_STEP = "The steps that are left to decide need a higher role."


@dataclass(frozen=True)
class ReviewFacts:
    """The state of a review, as it counts for its item, and how far that makes the newest version.

    Without a review both are None.
    """

    state: str | None = None
    progress: Progress | None = None


def facts_of(item: Standable, review: KnownReview | None) -> ReviewFacts:
    """Return what a review says of its item now.

    One that is open while there is a newer version was left by a release that knows no reviews.
    """
    if review is None:
        return ReviewFacts()
    is_newest = review.number == item.version
    state = "voided" if review.state == "open" and not is_newest else review.state
    if state == "changes_wanted":
        return ReviewFacts(state, Progress.CHANGES_WANTED)
    progress = {"open": Progress.IN_REVIEW, "approved": Progress.APPROVED}.get(state)
    return ReviewFacts(state, progress if is_newest else None)


def needs_approval(actor: Actor) -> bool:
    """Say whether the actor may publish nothing but what somebody has approved."""
    may_alone = Permission.CONTENT_PUBLISH in PERMISSIONS_OF_ROLE[actor.role]
    return not may_alone or actor.role in actor.review_policy.roles_that_need_one


def approval_bar(actor: Actor, review: KnownReview) -> str | None:
    """Return why the actor may not say yes to the next step of an open review; None if they may.

    Nobody approves what they have saved or submitted, unless they might publish it alone.
    """
    if needs_approval(actor) and actor.user_id in (review.submitted_by_id, review.saved_by_id):
        return OWN_WORK
    if actor.user_id in review.decided.values():
        return DECIDED_ALREADY
    return None if read_steps(review.steps).open_to(actor.role, review.decided) else NO_STEP


def decided(session: Session, review_id: int) -> dict[str, int | None]:
    """Return who has decided the steps of a review; what a guest decided, who let them."""
    decided_by = func.coalesce(ReviewDecision.decided_by_id, ReviewLink.created_by_id)
    rows = (
        select(ReviewDecision.step, decided_by.label("decided_by_id"))
        .outerjoin(ReviewLink, ReviewLink.decision_id == ReviewDecision.id)
        .where(ReviewDecision.review_id == review_id)
    )
    return {row.step: row.decided_by_id for row in session.execute(rows)}


def void(session: Session, actor: Actor, content_id: int) -> None:
    """End the open review of an item that the caller has locked.

    An approval of an earlier version is left as it is; it is of that version alone.
    """
    review_id = session.scalar(
        update(Review)
        .where(Review.content_id == content_id, Review.state == "open")
        .values(state="voided", ended_at=func.clock_timestamp())
        .returning(Review.id)
        .execution_options(synchronize_session=False)
    )
    if review_id is not None:
        activity.record(
            session, actor.user_id, "review.void", "content", content_id, review_id=review_id
        )


def rest_upon_approval(session: Session, content_id: int, number: int, schedule_id: int) -> None:
    """Note that a schedule was made by virtue of the approval of a version, and ends with it."""
    session.execute(
        update(Review)
        .where(Review.content_id == content_id, Review.number == number, Review.state == "approved")
        .values(schedule_id=schedule_id)
        .execution_options(synchronize_session=False)
    )
