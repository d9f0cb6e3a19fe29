"""Links by which a guest, who has no account, answers a review: made, listed, mailed, revoked."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.orm import Session

from webapp.jobs.leases import seconds_from_now
from webapp.jobs.outbox import enqueue
from webapp.jobs.review_messages import SendReviewLink
from webapp.kit.lifecycle import Move
from webapp.kit.permissions import Permission
from webapp.kit.review_policy import read_steps
from webapp.kit.tokens import hash_token, new_token
from webapp.models import Content, Review, ReviewLink
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, lifecycle, review_states
from webapp.services.content.item_reads import read_state
from webapp.services.content.renderings import ensure_renderings
from webapp.services.errors import (
    ConflictError,
    DailyQuotaError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    QuotaError,
)
from webapp.services.publishing import reviews

SECONDS_AN_HOUR, SECONDS_A_DAY = 3_600, 86_400
DEFAULT_HOURS = 168
MOST_OF_ONE_REVIEW = 50
MOST_MAILS_A_DAY = 50
UNPROVEN = "Confirm your address first: what is mailed to guests names who asks them."


@dataclass(frozen=True)
class Guest:
    """Who is asked, and what about: with a step, to decide it; without one, for an opinion.

    With an address the link is mailed there; without one, whoever asks hands it over.
    """

    name: str
    address: str | None = None
    step: str | None = None


def make(
    session: Session,
    actor: Actor,
    content_id: int,
    review_id: int,
    guest: Guest,
    *,
    hours: int | None,
    most_hours: int,
) -> tuple[ReviewLink, str | None]:
    """Make a link to an open review, and return it with the only copy of its token.

    There is no token where it is mailed: the worker makes it. Who names a step has to be somebody
    who may decide it now. Raises NotFoundError, ForbiddenError, ConflictError, InvalidInputError
    for hours beyond the most, QuotaError and DailyQuotaError.
    """
    actor.require(Permission.REVIEW_INVITE)
    hours = min(DEFAULT_HOURS, most_hours) if hours is None else hours
    if hours > most_hours:
        raise InvalidInputError("hours", f"must be {most_hours} at most")
    item, review = reviews.lock(session, actor, content_id, review_id)
    lifecycle.require_right(actor, item, Move.SUBMIT)
    _require_step(session, actor, item, review, guest.step)
    ensure_renderings(session, [review.version_id])
    _require_room(session, actor, review_id, is_mailed=guest.address is not None)
    token = None if guest.address else new_token()
    link = _keep(session, actor, review_id, guest, hours, token)
    activity.record(
        session, actor.user_id, "review.invite", "content", content_id,
        review_id=review_id, version=review.number, review_link_id=link.id, step=guest.step,
        hours=hours,
    )  # fmt: skip
    return link, token


def list_links(
    session: Session,
    actor: Actor,
    content_id: int,
    review_id: int,
    *,
    below: int | None,
    limit: int,
) -> list[ReviewLink]:
    """Return the links of a review, newest first, from below an id. Raises NotFoundError."""
    content.get(session, actor, content_id)
    statement = (
        select(ReviewLink)
        .join(Review, Review.id == ReviewLink.review_id)
        .where(Review.content_id == content_id, Review.id == review_id)
    )
    if below is not None:
        statement = statement.where(ReviewLink.id < below)
    return list(session.scalars(statement.order_by(ReviewLink.id.desc()).limit(limit)))


def revoke(session: Session, actor: Actor, content_id: int, review_id: int, link_id: int) -> None:
    """End a link at once, and forget the address that it went to.

    Raises NotFoundError where the review has no such link that opens it, and ForbiddenError.
    """
    actor.require(Permission.REVIEW_INVITE)
    item, _ = reviews.lock(session, actor, content_id, review_id)
    lifecycle.require_right(actor, item, Move.SUBMIT)
    revoked = session.scalar(
        update(ReviewLink)
        .where(ReviewLink.id == link_id, ReviewLink.review_id == review_id, is_open())
        .values(
            revoked_at=func.clock_timestamp(),
            # The guest's name goes a day after the end, and this is the end.
            expires_at=func.clock_timestamp(),
            guest_address=None,
        )
        .returning(ReviewLink.id)
        .execution_options(synchronize_session=False)
    )
    if revoked is None:
        raise NotFoundError("There is no such link that is open.")
    activity.record(
        session, actor.user_id, "review.uninvite", "content", content_id,
        review_id=review_id, review_link_id=link_id,
    )  # fmt: skip


def forget_guest(session: Session, link_id: int) -> bool:
    """Erase a guest's name and address from a link, and end it; what they said stays.

    Returns False where there is no such link, or the name is gone already.
    """
    forgotten = session.execute(
        update(ReviewLink)
        .where(ReviewLink.id == link_id, ReviewLink.guest_name != "")
        .values(
            guest_name="",
            guest_address=None,
            revoked_at=func.coalesce(ReviewLink.revoked_at, func.clock_timestamp()),
        )
        .returning(ReviewLink.review_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if forgotten is None:
        return False
    content_id = session.scalar(select(Review.content_id).where(Review.id == forgotten.review_id))
    activity.record(
        session, None, "review.forget_guest", "content", content_id, review_link_id=link_id
    )
    return True


def may_be_handed_out(actor: Actor, item: Content, review: Review, step: str | None) -> bool:
    """Say whether somebody may still have such a link out, by the rights that they have now."""
    try:
        actor.require(Permission.REVIEW_INVITE)
        lifecycle.require_right(actor, item, Move.SUBMIT)
        if step is not None:
            lifecycle.require_right(actor, item, Move.APPROVE)
    except ForbiddenError:
        return False
    roles = {one.name: one.role for one in read_steps(review.steps).steps}
    return step is None or (step in roles and actor.role.includes(roles[step]))


def require_open(item: Content, review: Review) -> None:
    """Raise ConflictError where a review has ended, or is of a version that is not the newest."""
    is_left = review.state == "open" and review.number != item.version
    state = "voided" if is_left else review.state
    if state == "voided":
        published = "has gone out without the review."
        gone_by = "is not the newest any more."
        what = published if review.number == item.version else gone_by
        raise ConflictError(f"Version {review.number} {what}")
    if state != "open":
        raise ConflictError(f"The review has ended: {state.replace('_', ' ')}.")
    if item.status == "trashed":
        raise ConflictError("The item is put aside; take it back first.")


def is_open() -> ColumnElement[bool]:
    """Return the condition that a link waits for its answer."""
    return and_(
        ReviewLink.decided_at.is_(None),
        ReviewLink.revoked_at.is_(None),
        ReviewLink.expires_at > func.clock_timestamp(),
    )


def _require_step(
    session: Session, actor: Actor, item: Content, review: Review, step: str | None
) -> None:
    """Refuse a step that the actor could not decide in person now: nobody grants more.

    Without a step it is enough that the review is open.
    """
    if step is None:
        require_open(item, review)
        return
    lifecycle.require_right(actor, item, Move.APPROVE)
    require_open(item, review)
    known = read_state(session, item.id, review_id=review.id).review
    assert known is not None  # noqa: S101 - the caller has locked it
    bar = review_states.approval_bar(actor, known)
    if bar is not None:
        raise ForbiddenError(bar)
    names = [one.name for one in read_steps(review.steps).open_to(actor.role, known.decided)]
    if step not in names:
        raise ConflictError(f"You may decide {', '.join(names)} now, and not {step!r}.")


def _keep(
    session: Session, actor: Actor, review_id: int, guest: Guest, hours: int, token: str | None
) -> ReviewLink:
    """Write a link, with the duty to mail it where it has no token yet."""
    link = ReviewLink(
        review_id=review_id,
        step=guest.step,
        token_hash=None if token is None else hash_token(token),
        guest_name=guest.name,
        guest_address=guest.address,
        created_by_id=actor.user_id,
        expires_at=seconds_from_now(hours * SECONDS_AN_HOUR),
    )
    session.add(link)
    session.flush()
    session.refresh(link)
    if token is None:
        enqueue(session, SendReviewLink(link_id=link.id))
    return link


def _require_room(session: Session, actor: Actor, review_id: int, *, is_mailed: bool) -> None:
    if is_mailed and not actor.is_verified:
        raise ForbiddenError(UNPROVEN)
    used = select(ReviewLink.id).where(
        ReviewLink.review_id == review_id, ReviewLink.revoked_at.is_(None)
    )
    if len(session.scalars(used.limit(MOST_OF_ONE_REVIEW)).all()) == MOST_OF_ONE_REVIEW:
        raise QuotaError(
            f"The review has {MOST_OF_ONE_REVIEW} links; revoke some that nobody needs."
        )
    mailed = select(_age_of_link()).where(
        ReviewLink.created_by_id == actor.user_id,
        ReviewLink.created_at > seconds_from_now(-SECONDS_A_DAY),
    )
    ages = session.scalars(
        mailed.order_by(ReviewLink.created_at.desc()).limit(MOST_MAILS_A_DAY)
    ).all()
    if is_mailed and len(ages) == MOST_MAILS_A_DAY:
        raise DailyQuotaError(
            f"You have made {MOST_MAILS_A_DAY} links in a day; hand others over yourself.",
            max(1, int(SECONDS_A_DAY - ages[-1])),
        )


def _age_of_link() -> ColumnElement[Any]:
    return func.extract("epoch", func.clock_timestamp() - ReviewLink.created_at)
