"""Reviews as they are read: by those who decide, by the author, and for the mail to the author."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from webapp.models import (
    Content,
    ContentVersion,
    Publication,
    Review,
    ReviewClaim,
    ReviewDecision,
    ReviewLink,
    User,
)
from webapp.models.arrays import is_one_of
from webapp.services.accounts.actors import Actor
from webapp.services.content import item_reads
from webapp.services.content.visibility import visible_content
from webapp.services.errors import NotFoundError

Rows = Select[Review, str, int, int | None, int | None]


@dataclass(frozen=True)
class ReviewView:
    """A review, with what whoever decides wants to compare its version with.

    `answers` are the links by which guests have answered, `claim` is who is reviewing it now.
    """

    review: Review
    state: str
    title: str
    live_version: int | None
    approved_version: int | None
    decisions: list[ReviewDecision] = field(default_factory=list)
    answers: list[ReviewLink] = field(default_factory=list)
    claim: ReviewClaim | None = None


@dataclass(frozen=True)
class DecisionNotice:
    """What the author of an item is told of a decision, and where."""

    user_id: int
    address: str
    name: str
    is_proven: bool
    decision: str
    number: int
    title: str
    comment: str


@dataclass(frozen=True)
class GuestNotice(DecisionNotice):
    """What the author of an item is told of the answer of a guest, and where."""

    guest_name: str
    step: str | None


def get(session: Session, actor: Actor, content_id: int, review_id: int) -> ReviewView:
    """Return one review of an item that the actor may see. Raises NotFoundError."""
    found = _views(
        session, _seen(actor).where(Review.id == review_id, Review.content_id == content_id)
    )
    if not found:
        raise NotFoundError("There is no such review.")
    return found[0]


def list_for_content(
    session: Session, actor: Actor, content_id: int, *, below: int | None, limit: int
) -> list[ReviewView]:
    """Return the reviews of an item, newest first, from below an id. Raises NotFoundError."""
    item_reads.require_item(session, actor, content_id)
    return _page(session, _seen(actor).where(Review.content_id == content_id), below, limit)


def list_reviews(
    session: Session,
    actor: Actor,
    *,
    state: str | None,
    is_mine: bool,
    due_before: datetime | None = None,
    claimed_by: int | None = None,
    below: int | None,
    limit: int,
) -> list[ReviewView]:
    """Return the reviews of items that the actor may see, newest first, from below an id.

    `is_mine` leaves those that the actor has asked for, `due_before` those that are wanted before a
    moment, and `claimed_by` those that somebody is reviewing now.
    """
    statement = _seen(actor)
    is_newest = Review.number == Content.version
    if state == "open":
        # Nobody decides on what is put aside.
        is_at_work = Content.status != "trashed"
        statement = statement.where(Review.state == "open", is_newest, is_at_work)
    elif state == "voided":
        left_open = and_(Review.state == "open", ~is_newest)
        statement = statement.where(or_(Review.state == "voided", left_open))
    elif state is not None:
        statement = statement.where(Review.state == state)
    if is_mine:
        statement = statement.where(Review.submitted_by_id == actor.user_id)
    if due_before is not None:
        statement = statement.where(Review.due_at < due_before)
    if claimed_by is not None:
        theirs = select(ReviewClaim.review_id).where(
            ReviewClaim.claimed_by_id == claimed_by, _is_claimed()
        )
        statement = statement.where(Review.id.in_(theirs), Review.state == "open")
    return _page(session, statement, below, limit)


def find_notice(session: Session, decision_id: int) -> DecisionNotice | None:
    """Return what an author is told of a decision; None where nobody is there to be told."""
    row = session.execute(
        select(
            User.id, User.email, User.display_name,
            User.email_proven_at.is_not(None), ReviewDecision.decision, Review.number,
            ContentVersion.title, ReviewDecision.comment,
        )
        .select_from(ReviewDecision)
        .join(Review, Review.id == ReviewDecision.review_id)
        .join(ContentVersion, ContentVersion.id == Review.version_id)
        .join(Content, Content.id == Review.content_id)
        .join(User, User.id == Content.author_id)
        .where(ReviewDecision.id == decision_id, User.disabled_at.is_(None))
    ).one_or_none()  # fmt: skip
    return None if row is None else DecisionNotice(*row)


def find_guest_notice(session: Session, link_id: int) -> GuestNotice | None:
    """Return what an author is told of a guest's answer; None where nobody is there to be told."""
    row = session.execute(
        select(
            User.id, User.email, User.display_name,
            User.email_proven_at.is_not(None), ReviewLink.decision, Review.number,
            ContentVersion.title, ReviewLink.comment, ReviewLink.guest_name, ReviewLink.step,
        )
        .select_from(ReviewLink)
        .join(Review, Review.id == ReviewLink.review_id)
        .join(ContentVersion, ContentVersion.id == Review.version_id)
        .join(Content, Content.id == Review.content_id)
        .join(User, User.id == Content.author_id)
        .where(
            ReviewLink.id == link_id,
            ReviewLink.decision.is_not(None),
            User.disabled_at.is_(None),
        )
    ).one_or_none()  # fmt: skip
    return None if row is None else GuestNotice(*tuple(row))


def _is_claimed() -> ColumnElement[bool]:
    return ReviewClaim.expires_at > func.clock_timestamp()


def _seen(actor: Actor) -> Rows:
    """Return the SELECT of reviews that an actor may see, with what goes with them."""
    shown, approved = aliased(ContentVersion), aliased(Review)
    live = (
        select(shown.number)
        .join(Publication, Publication.version_id == shown.id)
        .where(Publication.content_id == Review.content_id)
        .correlate(Review)
        .scalar_subquery()
    )
    last_approved = (
        select(approved.number)
        .where(approved.content_id == Review.content_id, approved.state == "approved")
        .order_by(approved.id.desc())
        .limit(1)
        .correlate(Review)
        .scalar_subquery()
    )
    return (
        select(Review, ContentVersion.title, Content.version, live, last_approved)
        .join(ContentVersion, ContentVersion.id == Review.version_id)
        .join(Content, Content.id == Review.content_id)
        .where(Review.content_id.in_(visible_content(actor).with_only_columns(Content.id)))
        .execution_options(populate_existing=True)
    )


def _page(
    session: Session,
    statement: Rows,
    below: int | None,
    limit: int,
) -> list[ReviewView]:
    if below is not None:
        statement = statement.where(Review.id < below)
    return _views(session, statement.order_by(Review.id.desc()).limit(limit))


def _views(session: Session, statement: Rows) -> list[ReviewView]:
    rows = session.execute(statement).all()
    decisions: dict[int, list[ReviewDecision]] = {}
    of_these = is_one_of(ReviewDecision.review_id, [row[0].id for row in rows])
    for decision in session.scalars(
        select(ReviewDecision).where(of_these).order_by(ReviewDecision.id)
    ):
        decisions.setdefault(decision.review_id, []).append(decision)
    answers: dict[int, list[ReviewLink]] = {}
    answered = is_one_of(ReviewLink.review_id, [row[0].id for row in rows])
    for link in session.scalars(
        select(ReviewLink).where(answered, ReviewLink.decision.is_not(None)).order_by(ReviewLink.id)
    ):
        answers.setdefault(link.review_id, []).append(link)
    claimed = is_one_of(ReviewClaim.review_id, [row[0].id for row in rows])
    claims = {
        claim.review_id: claim
        for claim in session.scalars(select(ReviewClaim).where(claimed, _is_claimed()))
    }
    return [
        ReviewView(
            review=review,
            state="voided" if review.state == "open" and review.number != newest else review.state,
            title=title,
            live_version=live,
            approved_version=approved,
            decisions=decisions.get(review.id, []),
            answers=answers.get(review.id, []),
            claim=claims.get(review.id) if review.state == "open" else None,
        )
        for review, title, newest, live, approved in rows
    ]
