"""Who is reviewing something: one person at a time says so, for a day at most."""

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp.jobs.leases import seconds_from_now
from webapp.kit.lifecycle import Move
from webapp.models import ReviewClaim, User
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content import lifecycle
from webapp.services.errors import ConflictError, NotFoundError
from webapp.services.publishing import review_links, reviews

CLAIM_SECONDS = 86_400


def claim(session: Session, actor: Actor, content_id: int, review_id: int) -> None:
    """Say that the actor is reviewing this; said again, it holds for another day.

    It keeps nobody from deciding. Raises NotFoundError, ForbiddenError, and ConflictError, naming
    who, where somebody else is at it, or where the review has ended.
    """
    item, review = reviews.lock(session, actor, content_id, review_id)
    lifecycle.require_right(actor, item, Move.APPROVE)
    review_links.require_open(item, review)
    former = session.scalar(
        select(ReviewClaim.claimed_by_id).where(ReviewClaim.review_id == review_id)
    )
    wanted = insert(ReviewClaim).values(
        review_id=review_id,
        claimed_by_id=actor.user_id,
        expires_at=seconds_from_now(CLAIM_SECONDS),
    )
    is_free = or_(
        ReviewClaim.claimed_by_id == actor.user_id,
        ReviewClaim.expires_at <= func.clock_timestamp(),
    )
    claimed = session.scalar(
        wanted.on_conflict_do_update(
            index_elements=["review_id"],
            set_={
                "claimed_by_id": actor.user_id,
                "claimed_at": func.clock_timestamp(),
                "expires_at": wanted.excluded.expires_at,
            },
            where=is_free,
        ).returning(ReviewClaim.review_id)
    )
    if claimed is None:
        raise ConflictError(_taken(session, review_id))
    activity.record(
        session, actor.user_id, "review.claim", "content", content_id,
        changes={"claimed_by_id": {"old": former, "new": actor.user_id}}, review_id=review_id,
    )  # fmt: skip


def release(session: Session, actor: Actor, content_id: int, review_id: int) -> None:
    """Say that the actor is reviewing this no more. Raises NotFoundError where they are not."""
    reviews.lock(session, actor, content_id, review_id)
    released = session.scalar(
        delete(ReviewClaim)
        .where(ReviewClaim.review_id == review_id, ReviewClaim.claimed_by_id == actor.user_id)
        .returning(ReviewClaim.review_id)
        .execution_options(synchronize_session=False)
    )
    if released is None:
        raise NotFoundError("You are not reviewing this.")
    activity.record(
        session, actor.user_id, "review.release", "content", content_id, review_id=review_id
    )


def _taken(session: Session, review_id: int) -> str:
    row = session.execute(
        select(User.display_name, ReviewClaim.claimed_at)
        .join(User, User.id == ReviewClaim.claimed_by_id)
        .where(ReviewClaim.review_id == review_id)
    ).one()
    since = f"{row.claimed_at:%d %B %Y, %H:%M} UTC"
    return f"{row.display_name} is reviewing this since {since}; it ends after a day at most."
