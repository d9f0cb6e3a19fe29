"""Who is told what became of a review: in the inbox, and by mail.

The mail to the author is one of its own, so their notices are not mailed once more.
"""

from sqlalchemy.orm import Session

from webapp.jobs.outbox import enqueue
from webapp.jobs.review_messages import SendGuestDecision, SendReviewDecision
from webapp.models import Content, Review, ReviewLink
from webapp.services.notices import Cause, tell_all

_KIND_OF = {
    "approve": "review.approved",
    "changes_wanted": "review.changes_wanted",
    "reject": "review.rejected",
}
_SPOKEN = {"approve": "go", "changes_wanted": "it wants changes", "reject": "no"}


def tell_of_decision(
    session: Session,
    item: Content,
    review: Review,
    decision_id: int,
    decision: str,
    by_id: int,
) -> None:
    """Tell the author, and who asked for the review, how somebody else has ended it."""
    if item.author_id != by_id:
        enqueue(session, SendReviewDecision(decision_id=decision_id))
    causes = [
        Cause(
            user_ids, _KIND_OF[decision], "review_decision", decision_id,
            content_id=item.id, by_id=by_id, by_mail=by_mail,
            details={"version": review.number, "review_id": review.id},
        )
        for user_ids, by_mail in _told(item, review.submitted_by_id)
    ]  # fmt: skip
    tell_all(session, causes)


def tell_of_answer(
    session: Session, item: Content, review: Review, link: ReviewLink, decision: str
) -> None:
    """Tell the author, and who asked the guest, what the guest said."""
    enqueue(session, SendGuestDecision(link_id=link.id))
    details = {"version": review.number, "review_id": review.id, "decision": _SPOKEN[decision]}
    causes = [
        Cause(
            user_ids, "review.answered", "review_link", link.id,
            content_id=item.id, by_mail=by_mail, details=details,
        )
        for user_ids, by_mail in _told(item, link.created_by_id)
    ]  # fmt: skip
    tell_all(session, causes)


def _told(item: Content, asker_id: int | None) -> list[tuple[list[int], bool]]:
    """Return who is told, with whether the notice is mailed."""
    others = [] if asker_id in {None, item.author_id} else [asker_id]
    return [([item.author_id], False), ([one for one in others if one is not None], True)]
