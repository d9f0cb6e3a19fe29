"""The open actions of an item as its rows have them, and what a change of them would lead to."""

from collections.abc import Collection

from sqlalchemy import BigInteger, bindparam, text
from sqlalchemy.orm import Session

from webapp.kit.timelines import Action, Place, first_objection, in_order
from webapp.models import Content
from webapp.services.content.lifecycle import standing_facts
from webapp.services.errors import ConflictError
from webapp.services.publishing.shown import shown_version

# One statement, because whoever publishes asks it.
_OPEN = text(
    """
    SELECT schedules.action AS kind, schedules.due_at, schedules.id, 'schedule' AS of,
        CASE WHEN schedules.action = 'publish' THEN version.number END AS number,
        schedules.state = 'waiting' AS is_waiting
    FROM schedules LEFT JOIN content_versions AS version ON version.id = schedules.version_id
    WHERE schedules.content_id = :content_id
        AND schedules.state IN ('pending', 'handed', 'waiting')
    UNION ALL
    SELECT entry.action, releases.due_at, releases.id, 'release', version.number, false
    FROM release_entries AS entry JOIN releases ON releases.id = entry.release_id
    LEFT JOIN content_versions AS version ON version.id = entry.version_id
    WHERE entry.content_id = :content_id AND releases.state = 'scheduled'
        AND releases.due_at IS NOT NULL
    """
).bindparams(bindparam("content_id", type_=BigInteger()))


def open_actions(session: Session, content_id: int) -> list[Action]:
    """Return all that shall still happen to an item, in its order.

    What other tables plan for an item belongs here as well, with `of` saying what kind of row it
    is: whoever judges a timeline asks here and nowhere else.
    """
    rows = session.execute(_OPEN, {"content_id": content_id})
    return in_order([Action(**row._mapping) for row in rows])


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
