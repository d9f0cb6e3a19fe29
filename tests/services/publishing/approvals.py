"""How a test gets an approval of an item's newest version."""

from sqlalchemy.orm import Session

from webapp.services.accounts.actors import Actor
from webapp.services.publishing import reviews
from webapp.services.publishing.reviews import Decision


def submit(session: Session, actor: Actor, content_id: int) -> int:
    """Ask for a review of the newest version, and return its id."""
    return reviews.submit(session, actor, content_id, None)


def approve(session: Session, author: Actor, editor: Actor, content_id: int) -> int:
    """Let the editor approve of what the author submits, and return the review's id."""
    review_id = submit(session, author, content_id)
    reviews.decide(session, editor, content_id, review_id, Decision("approve"))
    return review_id
