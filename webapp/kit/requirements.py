"""What a version has to have before it goes out, and a draft may lack."""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Protocol


class Requirement(StrEnum):
    """Something that a version may have or lack, named as the field that brings it."""

    TITLE = "title"
    BODY = "body"
    EXCERPT = "excerpt"
    CATEGORY = "category"
    TAGS = "tags"


ALWAYS = frozenset({Requirement.TITLE})
"""What every version has to have: of the title the slug is made, and lists and mails tell it."""

_FIELD_OF = {Requirement.CATEGORY: "category_id"}
_WHAT = {
    Requirement.TITLE: "a title",
    Requirement.BODY: "a body",
    Requirement.EXCERPT: "an excerpt",
    Requirement.CATEGORY: "a category",
    Requirement.TAGS: "at least one tag",
}


class Text(Protocol):
    """What is asked about."""

    @property
    def title(self) -> str: ...
    @property
    def slug(self) -> str: ...
    @property
    def body(self) -> str: ...
    @property
    def excerpt(self) -> str: ...
    @property
    def category_id(self) -> int | None: ...
    @property
    def tags(self) -> Sequence[str]: ...


@lru_cache(maxsize=16)
def read_requirements(names: str) -> frozenset[Requirement]:
    """Read names with commas between them. Raises ValueError for one that is unknown."""
    given = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in given if name not in Requirement.__members__.values()]
    if unknown:
        known = ", ".join(Requirement)
        raise ValueError(f"{', '.join(unknown)}: must be names of fields, of {known}")
    return frozenset(map(Requirement, given))


def lacking(text: Text, required: Iterable[Requirement]) -> Iterator[tuple[str, str]]:
    """Yield each field that a text lacks, with the reason, in the order of the requirements."""
    has = {
        Requirement.TITLE: bool(text.title),
        Requirement.BODY: bool(text.body.strip()),
        Requirement.EXCERPT: bool(text.excerpt.strip()),
        Requirement.CATEGORY: text.category_id is not None,
        Requirement.TAGS: bool(text.tags),
    }
    wanted = ALWAYS | frozenset(required)
    for requirement in Requirement:
        if requirement in wanted and not has[requirement]:
            field = _FIELD_OF.get(requirement, requirement.value)
            yield field, f"it has to have {_WHAT[requirement]} before it goes out"
    if text.title and not text.slug:
        # A release that knows no drafts without a title has given it one.
        yield "slug", "it has to have a slug; save it once more, and one is made of its title"
