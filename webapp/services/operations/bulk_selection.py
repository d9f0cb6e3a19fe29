"""Which items a bulk action is about: chosen once, by one statement, when it is asked for."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Select, func, insert, literal, select
from sqlalchemy.orm import Session

from webapp.kit.lifecycle import Standing
from webapp.models import BulkAction, BulkItem, Content, ContentTag, ImportRecord, Tag
from webapp.models.arrays import IdArray
from webapp.services.accounts.actors import Actor
from webapp.services.content.lifecycle import stands_as
from webapp.services.content.visibility import visible_content
from webapp.services.errors import InvalidInputError

MOST_ITEMS = 100_000
"""How many items one bulk action changes at most."""


@dataclass(frozen=True)
class ItemFilter:
    """Items to which all that is given applies; without a status, what is not put aside.

    `tag` is a slug, `import_collection` the name under which items were imported, and the moments
    are those at which an item was written: from the first on, and before the second.
    """

    status: Standing | None = None
    author_id: int | None = None
    category_id: int | None = None
    tag: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    import_collection: str | None = None


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
    fitting = _fitting(actor, wanted)
    if but_retracted and wanted.status is None:
        is_retracted = Content.retracted_sequence.is_not_distinct_from(Content.publish_sequence)
        fitting = fitting.where(~is_retracted)
    chosen = fitting.with_only_columns(literal(bulk_action_id), Content.id)
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


def _fitting(actor: Actor, wanted: ItemFilter) -> Select[Content]:
    statement = visible_content(actor)
    if wanted.status is None:
        statement = statement.where(Content.status != "trashed")
    else:
        statement = statement.where(stands_as(wanted.status))
    if wanted.author_id is not None:
        statement = statement.where(Content.author_id == wanted.author_id)
    if wanted.category_id is not None:
        statement = statement.where(Content.category_id == wanted.category_id)
    if wanted.tag is not None:
        tagged = select(ContentTag.content_id).join(Tag).where(Tag.slug == wanted.tag)
        statement = statement.where(Content.id.in_(tagged))
    if wanted.import_collection is not None:
        imported = select(ImportRecord.content_id).where(
            ImportRecord.collection == wanted.import_collection
        )
        statement = statement.where(Content.id.in_(imported))
    if wanted.created_from is not None:
        statement = statement.where(Content.created_at >= wanted.created_from)
    if wanted.created_to is not None:
        statement = statement.where(Content.created_at < wanted.created_to)
    return statement
