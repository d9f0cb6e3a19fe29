"""What of an item is public just now, as a line of the activity log keeps it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.models import Content, ContentVersion, Publication
from webapp.models.arrays import is_one_of


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


def shown_versions(session: Session, items: Sequence[Content]) -> dict[int, dict[str, Any]]:
    """Return the same of many locked items that are public, by their ids."""
    moments = {item.id: item.published_at for item in items}
    rows = session.execute(
        select(Publication.content_id, ContentVersion.number)
        .join(ContentVersion, Publication.version_id == ContentVersion.id)
        .where(is_one_of(Publication.content_id, list(moments)))
    )
    return {
        content_id: {"version": number, "published_at": moment.isoformat()}
        for content_id, number in rows
        if (moment := moments[content_id]) is not None
    }
