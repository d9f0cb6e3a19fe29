"""The form that every import gives, whatever system the content comes from."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

BodyFormat = Literal["markdown", "html"]
Status = Literal["draft", "published", "scheduled"]

TITLE_LIMIT = 300
"""Longest title, in characters."""

LABEL_LIMIT = 200
"""Longest name of a tag, category or author, in characters."""

EXCERPT_LIMIT = 1000
"""Longest excerpt, in characters; a longer one is cut at a word's end."""


@dataclass(frozen=True, slots=True)
class CategoryName:
    """What a source calls a category: `nicename` is its name in addresses."""

    name: str
    nicename: str


@dataclass(frozen=True, slots=True)
class ImportedArticle:
    """One post or page of another system, ready to be stored.

    `source` names the item in its system and stays the same from one import to the next.
    `published_at` and `expires_at`, the end of its public life, are aware, in UTC; on a draft they
    are only what the source noted, and `held_back` says why it is one. `has_zoneless_times` tells
    that a zone was lent to one of them. `authors` are names as readers see them, `author_login` the
    account's name where the source has accounts. `categories_above` are those that the first of the
    `categories` stands below, the nearest first; a source without a tree has none.

    `metadata` and `private` hold what has no field of its own and fits JSON and PostgreSQL's jsonb:
    the first becomes public with the article, the second never. `notices` name what could not be
    kept, one for each time, in words that stay the same from article to article so that a summary
    can count them.
    """

    source: str
    title: str
    slug: str
    body: str
    body_format: BodyFormat
    status: Status
    published_at: datetime | None
    authors: tuple[str, ...] = ()
    author_login: str | None = None
    categories: tuple[str, ...] = ()
    categories_above: tuple[CategoryName, ...] = ()
    tags: tuple[str, ...] = ()
    excerpt: str | None = None
    metadata: dict[str, JsonValue] = field(default_factory=dict)
    private: dict[str, JsonValue] = field(default_factory=dict)
    expires_at: datetime | None = None
    held_back: str | None = None
    has_zoneless_times: bool = False
    notices: tuple[str, ...] = ()


class _RefusalError(Exception):
    """Why one source item gave no article; `source` names it, `reason` is a sentence's end."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(source, reason)
        self.source = source
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}"


class ImportProblem(_RefusalError):  # noqa: N818 - named for what it reports
    """The item is meant to be an article and is broken; somebody should mend it."""


class NotAnArticle(_RefusalError):  # noqa: N818 - a finding, not an error
    """The item is sound and is no article (an index page, an attachment): it is skipped."""


class ThrownAway(NotAnArticle):
    """The item was an article there, and lies in the trash: what it became here is taken back."""


Outcome: TypeAlias = ImportedArticle | ImportProblem | NotAnArticle
