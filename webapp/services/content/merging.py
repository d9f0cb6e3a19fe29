"""What one person changed put together with what the item has become meanwhile."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from webapp.kit.comparison.merging import merge_texts
from webapp.kit.json_values import is_same_json
from webapp.services.content import tagging, versions
from webapp.services.content.item_reads import Standable
from webapp.services.errors import StaleRevisionError


@dataclass(frozen=True)
class FieldConflict:
    """A field, or a stretch of the body, that both have changed in different ways."""

    field: str
    base: Any
    mine: Any
    theirs: Any


@dataclass(frozen=True)
class MergedChanges:
    """What to change in the item as it is for it to hold both; nothing of it is applied.

    A field in which the two conflict is in `changes` only where it is the body, and there each
    place of conflict has the item's own words.
    """

    changes: dict[str, Any]
    conflicts: tuple[FieldConflict, ...]


LARGEST_MERGE = 1_000_000
"""Bodies of so many characters, of three together, are put together word by word: in a second."""


class StaleItemError(StaleRevisionError):
    """An item has changed since the caller read it: what is its newest version and its ETag now.

    `merge` offers what both have changed, where the caller says which version it began from.
    """

    def __init__(self, item: Standable) -> None:
        """Name what there is now."""
        super().__init__("The item has changed since you read it; read it again.")
        self.version = item.version
        self.etag = f'"{item.revision}"'
        self.merge: MergedChanges | None = None


def merge_changes(
    session: Session, item: Standable, base_version: int, mine: dict[str, Any]
) -> MergedChanges:
    """Put together changes begun from a version and the item as it is now.

    Raises NotFoundError where there is no such version any more.
    """
    base = fields_of(session, item, base_version)
    theirs = fields_of(session, item, item.version)
    changes: dict[str, Any] = {}
    conflicts: list[FieldConflict] = []
    for name in (name for name in base if name in mine):
        value = mine[name]
        if name == "tags":
            value = _merge_tags(base[name], value, theirs[name])
        if is_same_json(value, base[name]) or is_same_json(value, theirs[name]):
            continue
        if name == "tags" or is_same_json(theirs[name], base[name]):
            changes[name] = value
        elif name == "body" and _can_be_merged(base, mine, theirs):
            merged = merge_texts(base[name], value, theirs[name])
            if merged.text != theirs[name]:
                changes[name] = merged.text
            conflicts += [
                FieldConflict("body", place.base, place.mine, place.theirs)
                for place in merged.conflicts
            ]
        else:
            conflicts.append(FieldConflict(name, base[name], value, theirs[name]))
    return MergedChanges(changes, tuple(conflicts))


def holds_already(session: Session, item: Standable, mine: dict[str, Any]) -> bool:
    """Say whether an item holds all that somebody changed, whoever saved it."""
    theirs = fields_of(session, item, item.version)
    return all(
        {tag.casefold() for tag in value} == {tag.casefold() for tag in theirs[name]}
        if name == "tags"
        else is_same_json(value, theirs[name])
        for name, value in mine.items()
    )


def _can_be_merged(base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]) -> bool:
    # Words of Markdown among those of HTML would be read as something else.
    formats = {base["body_format"], theirs["body_format"], mine.get("body_format")} - {None}
    length = sum(len(fields["body"]) for fields in (base, mine, theirs))
    return len(formats) == 1 and length <= LARGEST_MERGE


def _merge_tags(base: list[str], mine: list[str], theirs: list[str]) -> list[str]:
    """Take from theirs the tags that mine has removed, and add those that it has added.

    Where neither does, theirs come as they are; tags are the same in any case.
    """
    had = {tag.casefold() for tag in base}
    has = {tag.casefold() for tag in mine}
    others = {tag.casefold() for tag in theirs}
    kept = [tag for tag in theirs if tag.casefold() not in had - has]
    return kept + [tag for tag in mine if tag.casefold() not in had | others]


def fields_of(session: Session, item: Standable, number: int) -> dict[str, Any]:
    """Return a version as changes that make an item say the same."""
    text = versions.get_version(session, item.id, number)
    return {
        "title": text.title,
        "slug": text.slug,
        "body": text.body,
        "body_format": text.body_format,
        "excerpt": text.excerpt,
        "category_id": text.category_id,
        "metadata": text.details,
        "origin": text.origin,
        "tool": text.tool,
        "tags": tagging.spell_tags(session, item.id, text.tags),
    }
