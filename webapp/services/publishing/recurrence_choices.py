"""Which version an occurrence of a recurrence publishes, and when there is nothing to publish."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.models import Content, ContentVersion, Event, Publication, Recurrence, Review


class NothingToPublishError(Exception):
    """An occurrence has nothing to publish; the message says why."""


def choose_version(session: Session, recurrence: Recurrence) -> int:
    """Return the number of the version that an occurrence publishes, as things stand now.

    It is newer than every version that was ever public: what somebody took back does not return by
    a rule, and nothing is published again. Raises NothingToPublishError.
    """
    content_id = recurrence.content_id
    number = (
        _newest(session, content_id)
        if recurrence.which == "newest"
        else _newest_approved(session, content_id)
    )
    if number is None:
        raise NothingToPublishError("No version of the item has an approval.")
    shown = _newest_shown(session, content_id)
    if number <= shown:
        kind = "approved version" if recurrence.which == "newest_approved" else "version"
        raise NothingToPublishError(
            f"There is nothing new: version {number} is the newest {kind}, and version {shown} has"
            " been public."
        )
    return number


def _newest(session: Session, content_id: int) -> int | None:
    return session.scalar(select(Content.version).where(Content.id == content_id))


def _newest_approved(session: Session, content_id: int) -> int | None:
    """Return the number of the newest version that an approval of that very text is of."""
    return session.scalar(
        select(func.max(Review.number))
        .join(ContentVersion, ContentVersion.id == Review.version_id)
        .where(
            Review.content_id == content_id,
            Review.state == "approved",
            Review.digest == ContentVersion.digest,
        )
    )


def _newest_shown(session: Session, content_id: int) -> int:
    """Return the highest number that was ever public, as far as it is known; 0 for none."""
    told = select(func.max(Event.version)).where(Event.content_id == content_id).scalar_subquery()
    public = (
        select(ContentVersion.number)
        .join(Publication, Publication.version_id == ContentVersion.id)
        .where(Publication.content_id == content_id)
        .scalar_subquery()
    )
    return session.scalar(select(func.greatest(told, public, 0))) or 0
