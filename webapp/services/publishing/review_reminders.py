"""Reminders of reviews that somebody wants to have by a moment: a day before it, and at it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.jobs.outbox import enqueue
from webapp.jobs.review_messages import RemindOfReview
from webapp.kit.quotas import NO_QUOTAS
from webapp.models import Content, ContentVersion, Review, ReviewClaim, User
from webapp.services.accounts.holders import account_actor
from webapp.services.content import item_reads
from webapp.services.errors import NotFoundError

AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Reminder:
    """Who is reminded of what: who is reviewing, or where nobody is, who has asked for it."""

    user_id: int
    address: str
    name: str
    is_proven: bool
    is_reviewing: bool
    number: int
    title: str
    due_at: datetime


def plan(session: Session, review_id: int, due_at: datetime | None) -> None:
    """Write the duties to remind of a review that are still to come."""
    if due_at is None:
        return
    now = session.scalars(select(func.clock_timestamp())).one()
    for is_due, moment in ((False, due_at - AHEAD), (True, due_at)):
        if moment > now:
            enqueue(session, RemindOfReview(review_id=review_id, is_due=is_due), run_at=moment)


def find(session: Session, review_id: int) -> Reminder | None:
    """Return whom to remind now; None where it is decided, or nobody is there who may hear of it.

    A version that is not the newest any more, or whose item is put aside, is not waited for.
    """
    row = session.execute(
        select(Review, ContentVersion.title, ReviewClaim.claimed_by_id)
        .join(Content, Content.id == Review.content_id)
        .join(ContentVersion, ContentVersion.id == Review.version_id)
        .outerjoin(
            ReviewClaim,
            (ReviewClaim.review_id == Review.id)
            & (ReviewClaim.expires_at > func.clock_timestamp()),
        )
        .where(
            Review.id == review_id,
            Review.state == "open",
            Review.number == Content.version,
            Content.status != "trashed",
        )
    ).one_or_none()
    if row is None:
        return None
    review, title, claimed_by_id = row
    user_id = claimed_by_id or review.submitted_by_id
    if (
        review.due_at is None
        or user_id is None
        or not _may_hear(session, user_id, review.content_id)
    ):
        return None
    user = session.get_one(User, user_id)
    return Reminder(
        user_id=user.id,
        address=user.email,
        name=user.display_name,
        is_proven=user.email_proven_at is not None,
        is_reviewing=claimed_by_id is not None,
        number=review.number,
        title=title,
        due_at=review.due_at,
    )


def _may_hear(session: Session, user_id: int, content_id: int) -> bool:
    """Say whether an account works, and may still see the item."""
    actor = account_actor(session, user_id, lambda _role: NO_QUOTAS)
    if actor is None:
        return False
    try:
        item_reads.require_item(session, actor, content_id)
    except NotFoundError:
        return False
    return True
