"""What one person changed put together with what the item has become meanwhile."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from webapp.kit.comparison.merging import merge_texts
from webapp.kit.json_values import is_same_json
from webapp.models import Content
from webapp.services.content import tagging, versions
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


class StaleItemError(StaleRevisionError):
    """An item has changed since the caller read it: what is its newest version and its ETag now.

    `merge` offers what both have changed, where the caller says which version it began from.
    """

    def __init__(self, item: Content) -> None:
        """Name what there is now."""
        super().__init__("The item has changed since you read it; read it again.")
        self.version = item.version
        self.etag = f'"{item.revision}"'
        self.merge: MergedChanges | None = None


def merge_changes(
    session: Session, item: Content, base_version: int, mine: dict[str, Any]
) -> MergedChanges:
    """Put together changes begun from a version and the item as it is now.

    Raises NotFoundError where there is no such version any more.
    """
    version = versions.get_version(session, item.id, base_version)
    base = _fields(version, tagging.spell_tags(session, item.id, version.tags))
    newest = versions.get_version(session, item.id, item.version)
    theirs = _fields(newest, tagging.spell_tags(session, item.id, newest.tags))
    # Words of Markdown among those of HTML would be read as something else.
    formats = {base["body_format"], theirs["body_format"], mine.get("body_format")} - {None}
    is_one_language = len(formats) == 1
    changes: dict[str, Any] = {}
    conflicts: list[FieldConflict] = []
    for name in (name for name in base if name in mine):
        value = mine[name]
        if is_same_json(value, base[name]) or is_same_json(value, theirs[name]):
            continue
        if is_same_json(theirs[name], base[name]):
            changes[name] = value
        elif name == "body" and is_one_language:
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


def _fields(text: Any, tags: list[str]) -> dict[str, Any]:  # noqa: ANN401
    return {
        "title": text.title,
        "slug": text.slug,
        "body": text.body,
        "body_format": text.body_format,
        "excerpt": text.excerpt,
        "category_id": text.category_id,
        "metadata": text.details,
        "tags": tags,
    }
