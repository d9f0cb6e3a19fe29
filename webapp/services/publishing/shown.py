"""What of an item is public just now, as a line of the activity log keeps it."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.models import Content, ContentVersion, Publication


def shown_version(session: Session, item: Content) -> dict[str, Any] | None:
    """Return the number of the version that a locked item shows, and the public time of the item.

    None for an item that is not public.
    """
    if item.status != "published":
        return None
    number = session.scalar(
        select(ContentVersion.number)
        .join(Publication, Publication.version_id == ContentVersion.id)
        .where(Publication.content_id == item.id)
    )
    if number is None or item.published_at is None:
        return None
    return {"version": number, "published_at": item.published_at.isoformat()}
