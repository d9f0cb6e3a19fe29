"""The open actions of an item as its rows have them, and what a change of them would lead to."""

from collections.abc import Collection

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from webapp.kit.timelines import Action, Place, first_objection, in_order
from webapp.models import Content, ContentVersion, Release, ReleaseEntry, Schedule
from webapp.models.publishing.schedules import IS_OPEN
from webapp.services.content.lifecycle import standing_facts
from webapp.services.errors import ConflictError
from webapp.services.publishing.shown import shown_version


def open_actions(session: Session, content_id: int) -> list[Action]:
    """Return all that shall still happen to an item, in its order.

    What other tables plan for an item belongs here as well, with `of` saying what kind of row it
    is: whoever judges a timeline asks here and nowhere else.
    """
    rows = session.execute(
        select(Schedule.id, Schedule.action, Schedule.due_at, Schedule.state, ContentVersion.number)
        .outerjoin(ContentVersion, ContentVersion.id == Schedule.version_id)
        .where(Schedule.content_id == content_id, IS_OPEN)
    )
    actions = [
        Action(
            kind=row.action,
            due_at=row.due_at,
            number=row.number if row.action == "publish" else None,
            id=row.id,
            is_waiting=row.state == "waiting",
        )
        for row in rows
    ]
    return in_order([*actions, *_of_releases(session, content_id)])


def _of_releases(session: Session, content_id: int) -> list[Action]:
    """Return what releases that have their moment will do to an item."""
    rows = session.execute(
        select(Release.id, ReleaseEntry.action, Release.due_at, ContentVersion.number)
        .join(ReleaseEntry, ReleaseEntry.release_id == Release.id)
        .outerjoin(ContentVersion, ContentVersion.id == ReleaseEntry.version_id)
        .where(ReleaseEntry.content_id == content_id, text("releases.state = 'scheduled'"))
    )
    return [
        Action(row.action, row.due_at, row.number, row.id, of="release")
        for row in rows
        if row.due_at is not None
    ]


def place_of(session: Session, item: Content) -> Place:
    """Return where a locked item stands now, as the beginning of its timeline."""
    shown = shown_version(session, item)
    return Place(standing_facts(item), None if shown is None else shown["version"])


def require_possible(
    session: Session, item: Content, before: Collection[Action], after: Collection[Action]
) -> None:
    """Raise ConflictError where a change of a locked item's timeline leaves something in it that
    could not happen at its place, or would change nothing."""
    objection = first_objection(place_of(session, item), before, after)
    if objection is not None:
        raise ConflictError(objection)
