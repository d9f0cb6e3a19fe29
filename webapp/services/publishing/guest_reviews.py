"""What a guest of a review sees by their link, and the one answer that the link takes."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from webapp.kit.quotas import NO_QUOTAS
from webapp.kit.review_policy import ReviewPolicy
from webapp.kit.tokens import hash_token, new_token
from webapp.models import Content, ContentVersion, Publication, Rendering, Review, ReviewLink, User
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.accounts.holders import account_actor
from webapp.services.content import comparisons, content
from webapp.services.content.renderings import ensure_renderings
from webapp.services.content.version_texts import SavedVersion, read_versions
from webapp.services.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    UnrenderableError,
)
from webapp.services.publishing import review_links, review_notices, reviews
from webapp.services.publishing.reviews import Decision, Verdict

WRONG_LINK = "This link opens nothing any more. Ask whoever sent it for another."
NOT_THEIRS = "It is not for this link to decide any more; tell whoever sent it what you think."


@dataclass(frozen=True)
class GuestReview:
    """A version as it would be read, for the guest who is asked about it.

    `live` is the number of the version that is public, where there is another one; `html` has the
    changes since that marked, unless the pages are too long for that. With a `step` the answer
    decides that step.
    """

    guest_name: str
    asked_by: str
    step: str | None
    version: SavedVersion
    html: str
    live: int | None
    is_marked: bool
    expires_at: datetime


@dataclass(frozen=True)
class Answered:
    """What a guest has said by a link that takes nothing more."""

    decision: str
    decided_at: datetime


@dataclass(frozen=True)
class Invitation:
    """What a guest is mailed; the token is never written anywhere else."""

    address: str
    guest_name: str
    asked_by: str
    title: str
    decides: bool
    token: str
    expires_at: datetime


@dataclass(frozen=True)
class _Found:
    link: ReviewLink
    review: Review
    item: Content
    maker: Actor
    maker_name: str


def look(session: Session, token: str, policy: ReviewPolicy) -> GuestReview | Answered:
    """Return what a link shows, or what was said by it. It changes nothing.

    Raises NotFoundError for one that never was, has expired or was revoked, whose item is put aside
    or whose maker has no more right to it; ConflictError where the review has ended, and what
    rendering raises.
    """
    found = _find(session, hash_token(token), policy)
    link, review = found.link, found.review
    if link.decision is not None and link.decided_at is not None:
        return Answered(link.decision, link.decided_at)
    review_links.require_open(found.item, review)
    (version,) = read_versions(session, ContentVersion.id == review.version_id)
    live = _live_version(session, review)
    html, is_marked = _page(session, version, live)
    return GuestReview(
        guest_name=link.guest_name,
        asked_by=found.maker_name,
        step=link.step,
        version=version,
        html=html,
        live=None if live is None else live.number,
        is_marked=is_marked,
        expires_at=link.expires_at,
    )


def answer(
    session: Session, token: str, verdict: Verdict, comment: str, policy: ReviewPolicy
) -> Answered | None:
    """Take what a guest says, once; returns what was said before where the link is used up.

    An answer to a step is a decision in the place of who made the link, and by their right at this
    moment; any other is an opinion, which decides nothing. Under the item's lock, like an edit, a
    decision and the revoking of the link. Raises NotFoundError and ConflictError.
    """
    token_hash = hash_token(token)
    seen = _find(session, token_hash, policy)
    content.lock_for_change(session, seen.maker, seen.item.id, None)
    found = _find(session, token_hash, policy, is_locked=True)
    link, review = found.link, found.review
    if link.decision is not None and link.decided_at is not None:
        return Answered(link.decision, link.decided_at)
    review_links.require_open(found.item, review)
    decision_id = None
    if link.step is not None:
        decision_id = _decide(session, found, link.step, verdict, comment)
    else:
        activity.record(
            session, None, "review.opinion", "content", found.item.id,
            review_id=review.id, version=review.number, review_link_id=link.id, decision=verdict,
        )  # fmt: skip
    session.execute(
        update(ReviewLink)
        .where(ReviewLink.id == link.id)
        .values(
            decision=verdict,
            comment=comment,
            decided_at=func.clock_timestamp(),
            decision_id=decision_id,
            guest_address=None,
        )
        .execution_options(synchronize_session=False)
    )
    review_notices.tell_of_answer(session, found.item, review, link, verdict)
    return None


def mint(session: Session, link_id: int, policy: ReviewPolicy) -> Invitation | None:
    """Make a token for a link that is to be mailed, which ends the one of an earlier start.

    Returns None where the link has ended, or its review has.
    """
    link = session.scalar(select(ReviewLink).where(ReviewLink.id == link_id).with_for_update())
    if link is None or link.guest_address is None:
        return None
    token = new_token()
    link.token_hash = hash_token(token)
    session.flush()
    try:
        found = _find(session, link.token_hash, policy)
        review_links.require_open(found.item, found.review)
    except (NotFoundError, ConflictError):
        return None
    title = session.scalars(
        select(ContentVersion.title).where(ContentVersion.id == found.review.version_id)
    ).one()
    return Invitation(
        address=link.guest_address,
        guest_name=link.guest_name,
        asked_by=found.maker_name,
        title=title,
        decides=link.step is not None,
        token=token,
        expires_at=link.expires_at,
    )


def _find(
    session: Session, token_hash: bytes, policy: ReviewPolicy, *, is_locked: bool = False
) -> _Found:
    statement = (
        select(ReviewLink, Review, Content, User.display_name)
        .join(Review, Review.id == ReviewLink.review_id)
        .join(Content, Content.id == Review.content_id)
        .join(User, User.id == ReviewLink.created_by_id)
        .where(
            ReviewLink.token_hash == token_hash,
            ReviewLink.revoked_at.is_(None),
            ReviewLink.expires_at > func.clock_timestamp(),
            Content.status != "trashed",
        )
        .execution_options(populate_existing=True)
    )
    if is_locked:
        statement = statement.with_for_update(of=ReviewLink)
    row = session.execute(statement).one_or_none()
    maker = None if row is None else _maker(session, row[0].created_by_id, policy)
    if row is None or maker is None:
        raise NotFoundError(WRONG_LINK)
    link, review, item, maker_name = row
    if not review_links.may_be_handed_out(maker, item, review, link.step):
        raise NotFoundError(WRONG_LINK)
    return _Found(link, review, item, maker, maker_name)


def _maker(session: Session, user_id: int | None, policy: ReviewPolicy) -> Actor | None:
    actor = account_actor(session, user_id or 0, lambda _role: NO_QUOTAS)
    return None if actor is None else replace(actor, review_policy=policy)


def _decide(session: Session, found: _Found, step: str, verdict: Verdict, comment: str) -> int:
    review = found.review
    decision = Decision(verdict, comment, step, review.number, review.digest)
    try:
        return reviews.decide(
            session, found.maker, found.item.id, review.id, decision, found.link.id
        )
    except (ForbiddenError, ConflictError) as error:
        raise ConflictError(NOT_THEIRS) from error


def _live_version(session: Session, review: Review) -> SavedVersion | None:
    """Return the version that is public, where it is another than the one in review."""
    shown = select(Publication.version_id).where(
        Publication.content_id == review.content_id,
        Publication.version_id != review.version_id,
    )
    found = read_versions(session, ContentVersion.id == shown.scalar_subquery())
    return found[0] if found else None


def _page(session: Session, version: SavedVersion, live: SavedVersion | None) -> tuple[str, bool]:
    """Return the page to read, and whether it has the changes marked."""
    if live is not None:
        try:
            return comparisons.marked_page(session, live, version), True
        except UnrenderableError:
            pass
    ensure_renderings(session, [version.id])
    return session.get_one(Rendering, version.id).html, False
