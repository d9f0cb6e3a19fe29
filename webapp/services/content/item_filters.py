"""Which items a filter means, for whoever does something to many of them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select

from webapp.kit.lifecycle import Standing
from webapp.models import Content, ContentTag, ImportRecord, Tag
from webapp.services.accounts.actors import Actor
from webapp.services.content.lifecycle import stands_as
from webapp.services.content.visibility import visible_content


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


def fitting(actor: Actor, wanted: ItemFilter) -> Select[Content]:
    """Return the query for the items that fit and that the actor may see."""
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
