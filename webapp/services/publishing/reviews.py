"""Reviews: a version is submitted, and what editors say of it is kept with its digest."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import delete, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp.kit.lifecycle import Move
from webapp.kit.review_policy import TAKEN_BACK, read_steps
from webapp.models import Content, ContentVersion, Review, ReviewClaim, ReviewDecision
from webapp.models.arrays import is_one_of
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, lifecycle, review_states, versions
from webapp.services.content.completeness import require_ready
from webapp.services.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    StaleRevisionError,
)
from webapp.services.publishing import refresh, review_notices, review_reminders, supersession

Verdict = Literal["approve", "changes_wanted", "reject"]
MOVE_OF = {
    "approve": Move.APPROVE,
    "changes_wanted": Move.REQUEST_CHANGES,
    "reject": Move.REJECT,
}
STATE_OF = {"approve": "approved", "changes_wanted": "changes_wanted", "reject": "rejected"}


@dataclass(frozen=True)
class Decision:
    """What somebody says of the version that they have seen, by its number, its digest or both.

    Without a step it is the first that is open to them.
    """

    decision: Verdict
    comment: str = ""
    step: str | None = None
    number: int | None = None
    digest: bytes | None = None


def submit(
    session: Session,
    actor: Actor,
    content_id: int,
    revisions: Collection[int] | None,
    due_at: datetime | None = None,
) -> int:
    """Ask for a review of the newest version, and return its id.

    Raises NotFoundError, StaleRevisionError, ConflictError where it has been asked for already, and
    IncompleteError.
    """
    item = content.lock_for_change(session, actor, content_id, revisions)
    lifecycle.require_move(session, actor, item, Move.SUBMIT)
    require_ready(session, actor, versions.get_version(session, content_id, item.version))
    review_states.void(session, actor, content_id)
    version = session.execute(
        select(ContentVersion.id, ContentVersion.number, ContentVersion.digest).where(
            ContentVersion.content_id == content_id, ContentVersion.number == item.version
        )
    ).one()
    review_id: int | None = session.scalar(
        insert(Review)
        .values(
            content_id=content_id,
            version_id=version.id,
            number=version.number,
            digest=version.digest,
            steps=actor.review_policy.steps.text,
            submitted_by_id=actor.user_id,
            due_at=due_at,
        )
        .on_conflict_do_nothing(
            index_elements=["content_id"], index_where=literal_column("state = 'open'")
        )
        .returning(Review.id)
    )
    if review_id is None:
        raise ConflictError("The newest version is in review already.")
    review_reminders.plan(session, review_id, due_at)
    activity.record(
        session, actor.user_id, "review.submit", "content", content_id,
        review_id=review_id, version=version.number,
    )  # fmt: skip
    return review_id


def decide(
    session: Session,
    actor: Actor,
    content_id: int,
    review_id: int,
    decision: Decision,
    link_id: int | None = None,
) -> int:
    """Say yes or no to the version of a review, in one of its steps; returns the decision's id.

    The last yes that is needed makes it an approval; a no ends it at once. A no after that takes
    the approval back, and ends an open schedule that rests upon it. With the id of a link it is
    said by the guest whom the actor gave it to. Raises NotFoundError, ForbiddenError,
    StaleRevisionError where another version was seen than the review's, and ConflictError.
    """
    item, review = lock(session, actor, content_id, review_id)
    move = MOVE_OF[decision.decision]
    lifecycle.require_right(actor, item, move)
    seen = (decision.number or review.number, decision.digest or review.digest)
    if seen != (review.number, review.digest):
        raise StaleRevisionError(f"The review is of version {review.number}; read that one.")
    facts = lifecycle.require_move(session, actor, item, move, review=review)
    is_taken_back = facts.review == "approved"
    done = review_states.decided(session, review_id)
    step = TAKEN_BACK if is_taken_back else _step(actor, review, done, decision.step)
    teller_id = actor.user_id if link_id is None else None
    decision_id = _keep(session, teller_id, review_id, step, decision)
    is_end = decision.decision != "approve" or read_steps(review.steps).are_done({*done, step})
    activity.record(
        session, teller_id, f"review.{move}", "content", content_id,
        review_id=review_id, version=review.number, step=step, **_by(link_id),
    )  # fmt: skip
    if is_end:
        _end(session, actor, review, STATE_OF[decision.decision])
        if link_id is None:
            review_notices.tell_of_decision(
                session, item, review, decision_id, decision.decision, actor.user_id
            )
    return decision_id


def _by(link_id: int | None) -> dict[str, Any]:
    return {} if link_id is None else {"review_link_id": link_id}


def withdraw(
    session: Session,
    actor: Actor,
    content_id: int,
    review_id: int,
    revisions: Collection[int] | None,
) -> None:
    """Take a version back from its review, or give its approval up, with what rests upon it.

    Raises NotFoundError, StaleRevisionError, ForbiddenError, and ConflictError where the review has
    ended.
    """
    item, review = lock(session, actor, content_id, review_id, revisions)
    lifecycle.require_move(session, actor, item, Move.WITHDRAW, review=review)
    activity.record(
        session, actor.user_id, "review.withdraw", "content", content_id,
        review_id=review_id, version=review.number,
    )  # fmt: skip
    _end(session, actor, review, "withdrawn")


def withdraw_open(
    session: Session, actor: Actor, content_id: int, review_ids: Collection[int]
) -> None:
    """Take an item back from those of some reviews that nobody has decided yet."""
    still_open = select(Review.id).where(is_one_of(Review.id, review_ids), Review.state == "open")
    for review_id in session.scalars(still_open).all():
        withdraw(session, actor, content_id, review_id, None)


def lock(
    session: Session,
    actor: Actor,
    content_id: int,
    review_id: int,
    revisions: Collection[int] | None = None,
) -> tuple[Content, Review]:
    """Lock an item that has a review, and return both: whoever has the item has its reviews."""
    item = content.lock_for_change(session, actor, content_id, revisions)
    review = session.scalar(
        select(Review)
        .where(Review.id == review_id, Review.content_id == content_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if review is None:
        raise NotFoundError("There is no such review.")
    return item, review


def _step(actor: Actor, review: Review, done: Collection[str], wanted: str | None) -> str:
    """Return the step that is decided. Raises ForbiddenError and ConflictError."""
    names = [step.name for step in read_steps(review.steps).open_to(actor.role, done)]
    if not names:
        raise ForbiddenError(review_states.NO_STEP)
    if wanted is not None and wanted not in names:
        raise ConflictError(f"You may decide {', '.join(names)} now, and not {wanted!r}.")
    return wanted or names[0]


def _keep(
    session: Session, teller_id: int | None, review_id: int, step: str, decision: Decision
) -> int:
    decision_id: int | None = session.scalar(
        insert(ReviewDecision)
        .values(
            review_id=review_id,
            step=step,
            decision=decision.decision,
            comment=decision.comment,
            decided_by_id=teller_id,
        )
        .on_conflict_do_nothing(index_elements=["review_id", "step"])
        .returning(ReviewDecision.id)
    )
    if decision_id is None:
        raise ConflictError(f"The step {step} has been decided.")
    # Whoever was at it is done, or has been overtaken.
    session.execute(delete(ReviewClaim).where(ReviewClaim.review_id == review_id))
    return decision_id


def _end(session: Session, actor: Actor, review: Review, state: str) -> None:
    schedule_id = session.scalar(
        update(Review)
        .where(Review.id == review.id, Review.state == review.state)
        .values(state=state, ended_at=func.clock_timestamp())
        .returning(Review.schedule_id)
        .execution_options(synchronize_session=False)
    )
    if review.state == "approved":
        supersession.end_with_approval(
            session, actor, review.content_id, review.version_id, schedule_id
        )
    if "approved" in {review.state, state}:
        # What is public says whether somebody has reviewed it.
        refresh.refresh_items(session, [review.content_id])
    session.expire(review)
