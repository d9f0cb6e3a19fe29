"""Messages about reviews: who is asked, reminded and told of a decision."""

from typing import ClassVar

from webapp.jobs.message import AccountMail


class SendReviewDecision(AccountMail):
    """Tell the author of an item what became of the review of a version of it."""

    kind: ClassVar[str] = "review_decision.send"

    decision_id: int

    def dedupe_key(self) -> str:
        """One mail for each decision."""
        return str(self.decision_id)


class SendReviewLink(AccountMail):
    """Mail a guest the link by which they may say what they think of a version."""

    kind: ClassVar[str] = "review_link.send"

    link_id: int

    def dedupe_key(self) -> str:
        """One mail for each link."""
        return str(self.link_id)


class SendGuestDecision(AccountMail):
    """Tell the author of an item what a guest said of a version of it."""

    kind: ClassVar[str] = "guest_decision.send"

    link_id: int

    def dedupe_key(self) -> str:
        """One mail for each answer, of which a link takes one."""
        return str(self.link_id)


class RemindOfReview(AccountMail):
    """Remind who is reviewing, or has asked for it, of a review that is wanted by a moment."""

    kind: ClassVar[str] = "review.remind"

    review_id: int
    is_due: bool

    def dedupe_key(self) -> str:
        """One a day before the moment, and one at it."""
        return f"{self.review_id}:{'due' if self.is_due else 'ahead'}"
