"""Moves of many items by a few statements, where nothing stands against any of them.

What is refused, or may be, is left to the change of one item, which says why.
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.models import Content, Schedule
from webapp.models.arrays import is_one_of
from webapp.models.publishing.schedules import IS_OPEN
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, lifecycle
from webapp.services.operations.bulk_changes import Action, move_of, stands_there
from webapp.services.publishing import publishing

_TOGETHER = frozenset(
    {Action.UNPUBLISH, Action.ARCHIVE, Action.UNARCHIVE, Action.TRASH, Action.UNTRASH}
)
_BARRED_BY_SCHEDULES = frozenset({Action.ARCHIVE, Action.TRASH})


def find_ready(
    session: Session, actor: Actor, items: Sequence[Content], action: Action
) -> list[Content]:
    """Return those of some locked items that the actor may move now, together."""
    if action not in _TOGETHER:
        return []
    move = move_of(action)
    ready = [
        item
        for item in items
        if not stands_there(item, action)
        and move in lifecycle.moves_of(actor, item, lifecycle.standing_facts(item))
    ]
    if action not in _BARRED_BY_SCHEDULES:
        return ready
    planned = select(Schedule.content_id).where(
        is_one_of(Schedule.content_id, [item.id for item in ready]),
        IS_OPEN,
    )
    barred = set(session.scalars(planned))
    return [item for item in ready if item.id not in barred]


def move_together(session: Session, actor: Actor, items: Sequence[Content], action: Action) -> None:
    """Move items that are ready. Raises ConflictError and QuotaError."""
    if action is Action.UNPUBLISH:
        publishing.unpublish_all(session, actor, items)
    else:
        content.put_all(session, actor, items, move_of(action))
