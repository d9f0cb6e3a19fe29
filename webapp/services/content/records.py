"""What the activity log tells of items and categories: texts of items by their lengths alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from webapp.models import Category
from webapp.services import activity
from webapp.services.content.saves import Fields


@dataclass(frozen=True)
class ItemRecord:
    """An item at one moment: what it says, and what may be told of it outside of it."""

    texts: dict[str, Any]
    facts: dict[str, Any]

    def changes_to(self, later: "ItemRecord") -> activity.Changes:
        """Return what changed; the versions hold the texts themselves."""
        texts = activity.sizes(self.texts, later.texts)
        return texts | activity.difference(self.facts, later.facts)


def record_of(content: Fields, tags: Sequence[str]) -> ItemRecord:
    """Return what is recorded of an item that holds this, with the names of its tags."""
    return ItemRecord(
        texts={
            "title": content.title,
            "slug": content.slug,
            "body": content.body,
            "excerpt": content.excerpt,
            "tags": list(tags),
            "metadata": content.details,
        },
        facts={
            "category_id": content.category_id,
            "body_format": content.body_format,
            "origin": content.origin,
            "tool": content.tool,
        },
    )


def facts_of_category(category: Category) -> dict[str, Any]:
    """Return what a category says of itself."""
    return {
        "name": category.name,
        "slug": category.slug,
        "description": category.description,
        "parent_id": category.parent_id,
    }
