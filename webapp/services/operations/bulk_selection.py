"""Which items a bulk action is about: chosen once, by one statement, when it is asked for."""

from collections.abc import Collection
from typing import Any, cast

from sqlalchemy import CursorResult, Select, func, insert, literal, select
from sqlalchemy.orm import Session

from webapp.models import BulkAction, BulkItem, Content
from webapp.models.arrays import IdArray
from webapp.services.accounts.actors import Actor
from webapp.services.content.item_filters import ItemFilter, fitting
from webapp.services.errors import InvalidInputError

MOST_ITEMS = 100_000
"""How many items one bulk action changes at most."""


def choose_by_ids(session: Session, bulk_action_id: int, content_ids: Collection[int]) -> int:
    """Choose what a list names, be it there or not, and return how much that is."""
    named = select(func.unnest(literal(content_ids, IdArray())).label("id")).subquery()
    return _choose(session, select(literal(bulk_action_id), named.c.id).distinct())


def choose_by_filter(
    session: Session,
    actor: Actor,
    bulk_action_id: int,
    wanted: ItemFilter,
    *,
    but_retracted: bool = False,
) -> int:
    """Choose the items that fit and that the actor may see; returns how many they are.

    With `but_retracted` those that are retracted are left out, unless the status names them. Raises
    InvalidInputError where they are more than `MOST_ITEMS`.
    """
    found = fitting(actor, wanted)
    if but_retracted and wanted.status is None:
        is_retracted = Content.retracted_sequence.is_not_distinct_from(Content.publish_sequence)
        found = found.where(~is_retracted)
    chosen = found.with_only_columns(literal(bulk_action_id), Content.id)
    number = _choose(session, chosen.limit(MOST_ITEMS + 1))
    if number > MOST_ITEMS:
        raise InvalidInputError(
            "filter", f"fits more than {MOST_ITEMS:,} items; choose fewer, such as a year of them"
        )
    return number


def choose_to_undo(session: Session, bulk_action_id: int, undone_id: int) -> int:
    """Choose what another action has changed and no undo has put back; returns how much that is."""
    put_back = (
        select(BulkItem.content_id)
        .join(BulkAction, BulkAction.id == BulkItem.bulk_action_id)
        .where(BulkAction.undoes_id == undone_id, BulkItem.state == "done")
    )
    chosen = select(literal(bulk_action_id), BulkItem.content_id).where(
        BulkItem.bulk_action_id == undone_id,
        BulkItem.state == "done",
        BulkItem.content_id.not_in(put_back),
    )
    return _choose(session, chosen)


def _choose(session: Session, chosen: Select[int, int]) -> int:
    statement = insert(BulkItem).from_select(["bulk_action_id", "content_id"], chosen)
    # What is inserted from a query is counted for those alone who ask for it.
    counted = statement.execution_options(preserve_rowcount=True)
    return cast(CursorResult[Any], session.execute(counted)).rowcount
