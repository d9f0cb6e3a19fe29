"""One item whole: with its names, its tags and what its state follows from, by one statement.

The statement is built once and runs past the ORM, because every read of an item and every answer to
a change of one begins or ends with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from sqlalchemy import BigInteger, TextClause, bindparam, text
from sqlalchemy.orm import Session

from webapp.adapters import built_statements
from webapp.services.accounts.actors import Actor
from webapp.services.content.tagging import ItemTag
from webapp.services.content.visibility import IS_SEEN, SEEN, seen_by
from webapp.services.errors import NotFoundError

FindRow = Callable[[TextClause, dict[str, Any]], Any | None]
"""Returns the one row of a statement that was built once, or None."""


class Standable(Protocol):
    """What of an item its moves depend on."""

    @property
    def id(self) -> int: ...
    @property
    def author_id(self) -> int: ...
    @property
    def status(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def revision(self) -> int: ...
    @property
    def publish_sequence(self) -> int: ...
    @property
    def retracted_sequence(self) -> int | None: ...
    @property
    def trashed_at(self) -> datetime | None: ...
    @property
    def archived_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class Item:
    """The working copy of one item, as a statement has read it."""

    id: int
    author_id: int
    category_id: int | None
    title: str
    slug: str
    body: str
    body_format: Literal["markdown", "html"]
    excerpt: str
    details: dict[str, Any]
    status: str
    version: int
    revision: int
    publish_sequence: int
    retracted_sequence: int | None
    import_source: str | None
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None
    trashed_at: datetime | None
    archived_at: datetime | None
    origin: str | None
    tool: str | None


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote an item."""

    id: int
    login: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """The category of an item."""

    id: int
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class KnownReview:
    """A review, with who has saved its version and who has decided which of its steps.

    What a guest decided counts as decided by who let them.
    """

    id: int
    number: int
    state: str
    steps: str
    submitted_by_id: int | None
    saved_by_id: int | None
    decided: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Holding:
    """A release that has not gone live and holds an item, and what it will do to it, and when."""

    id: int
    name: str
    state: str
    action: str
    due_at: str | None


@dataclass(frozen=True, slots=True)
class State:
    """What the state of an item follows from, beside its own row.

    `review` is the newest, or the one that was asked for. `is_approved` says that the version asked
    about has an approval that is of its bytes. `planned` are its open schedules in
    the order of their moments, each with its id, what it will do, and the number of its version.
    `held` are the releases that hold it, open or with a moment.
    """

    review: KnownReview | None
    is_approved: bool
    planned: list[tuple[int, str, int | None]]
    held: list[Holding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class WholeItem:
    """One item as its authors and editors see it.

    Where its revision counts all that its state follows from, `is_all_counted`: it counts neither
    schedules, releases nor reviews, because who edits the text need not have seen them.
    """

    content: Item
    author: Author
    category: Shelf | None
    tags: list[ItemTag]
    is_public: bool
    state: State
    is_all_counted: bool


# Each is a value of its own, so that an item without any of it is one row all the same.
_STATE = """
    (
        SELECT json_build_array(
            reviews.id, reviews.number, reviews.state, reviews.steps, reviews.submitted_by_id,
            (SELECT author_id FROM content_versions WHERE id = reviews.version_id),
            (SELECT coalesce(json_object_agg(decision.step,
                    coalesce(decision.decided_by_id, link.created_by_id)), '{}')
                FROM review_decisions AS decision
                LEFT JOIN review_links AS link ON link.decision_id = decision.id
                WHERE decision.review_id = reviews.id))
        FROM reviews
        WHERE reviews.content_id = content.id
            AND (reviews.id = :review_id OR :review_id IS NULL)
        ORDER BY reviews.id DESC LIMIT 1
    ) AS review,
    EXISTS (
        SELECT FROM reviews JOIN content_versions ON content_versions.id = reviews.version_id
        WHERE reviews.content_id = content.id AND reviews.number = coalesce(:number, version)
            AND reviews.state = 'approved' AND reviews.digest = content_versions.digest
    ) AS is_approved,
    (
        SELECT json_agg(json_build_array(schedules.id, schedules.action, content_versions.number)
                ORDER BY schedules.due_at, schedules.id)
        FROM schedules LEFT JOIN content_versions ON content_versions.id = schedules.version_id
        WHERE schedules.content_id = content.id
            AND schedules.state IN ('pending', 'handed', 'waiting')
    ) AS planned,
    (
        SELECT json_agg(json_build_array(releases.id, releases.name, releases.state, entry.action,
            releases.due_at) ORDER BY releases.id)
        FROM release_entries AS entry JOIN releases ON releases.id = entry.release_id
        WHERE entry.content_id = content.id AND releases.state IN ('open', 'scheduled')
    ) AS held
"""
ASKED = (bindparam("review_id", type_=BigInteger()), bindparam("number", type_=BigInteger()))
_CONTENT_ID = bindparam("content_id", type_=BigInteger())
_READ_STATE = text(
    f"SELECT {_STATE} FROM content WHERE content.id = :content_id"  # noqa: S608 - constants
).bindparams(_CONTENT_ID, *ASKED)
ITEM = """
    content.id, content.author_id, content.category_id, content.title, content.slug, content.body,
    content.body_format, content.excerpt, content.metadata, content.status, content.version,
    content.revision, content.publish_sequence, content.retracted_sequence, content.import_source,
    content.created_at, content.updated_at, content.published_at, content.trashed_at,
    content.archived_at, content.origin, content.tool
"""
"""The columns of the row of an item in the order of `Item`; they come first."""

_TAGS = """
    (
        SELECT json_agg(json_build_array(
            tags.id, tags.slug, coalesce(content_tags.spelling, tags.name)) ORDER BY tags.slug)
        FROM content_tags JOIN tags ON tags.id = content_tags.tag_id
        WHERE content_tags.content_id = content.id
    ) AS tags
"""
NAMES = """
    users.login, users.display_name, categories.slug AS category_slug,
    categories.name AS category_name
"""
"""What is told of the author and the category of an item, out of `NAMED`."""

NAMED = """
    LEFT JOIN users ON users.id = content.author_id
    LEFT JOIN categories ON categories.id = content.category_id
"""
SURROUNDINGS = f"""
    EXISTS (SELECT FROM publications WHERE content_id = content.id) AS is_public,
    EXISTS (SELECT FROM schedules WHERE content_id = content.id)
        OR EXISTS (SELECT FROM release_entries WHERE content_id = content.id) AS was_scheduled,
    {_STATE}
"""  # noqa: S608 - the parts are constants of the code
"""What else is shown of an item, of the newest version and the newest review by `NEWEST`."""

SURROUNDINGS_OF_NEW = """
    false AS is_public, false AS was_scheduled, CAST(NULL AS json) AS review, false AS is_approved,
    CAST(NULL AS json) AS planned, CAST(NULL AS json) AS held
"""
"""The same of an item that the statement itself makes."""

NEWEST = {"review_id": None, "number": None}
_READ_ITEM = text(
    f"""
    SELECT {ITEM}, {NAMES}, {_TAGS}, {SURROUNDINGS} FROM content {NAMED}
    WHERE content.id = :content_id AND {IS_SEEN}
    """  # noqa: S608 - the parts are constants of the code
).bindparams(_CONTENT_ID, *SEEN, *ASKED)
_LOCK_ITEM = text(
    f"SELECT {ITEM} FROM content WHERE id = :content_id AND {IS_SEEN} FOR UPDATE"  # noqa: S608
).bindparams(_CONTENT_ID, *SEEN)
_READ_TAGS = text(
    f"SELECT {_TAGS} FROM content WHERE id = :content_id"  # noqa: S608 - constants
).bindparams(_CONTENT_ID)
_IS_THERE = text(
    f"SELECT 1 AS one FROM content WHERE id = :content_id AND {IS_SEEN}"  # noqa: S608 - constants
).bindparams(_CONTENT_ID, *SEEN)
_ITEM_COLUMNS = len(Item.__slots__)


def read_item(find: FindRow, actor: Actor, content_id: int) -> WholeItem:
    """Return one item whole. Raises NotFoundError when there is none that the actor may see."""
    row = find(_READ_ITEM, {"content_id": content_id, **seen_by(actor), **NEWEST})
    if row is None:
        raise _no_item()
    return whole_item(row)


def whole_item(row: Any) -> WholeItem:  # noqa: ANN401
    """Return the item of a row of `ITEM`, `NAMES`, `SURROUNDINGS` and its tags."""
    item = Item(*row[:_ITEM_COLUMNS])
    state = _state_of(row)
    shelf = None
    if item.category_id is not None:
        shelf = Shelf(item.category_id, row.category_slug, row.category_name)
    return WholeItem(
        content=item,
        author=Author(item.author_id, row.login, row.display_name),
        category=shelf,
        tags=_tags_of(row),
        is_public=row.is_public,
        state=state,
        is_all_counted=not row.was_scheduled and state.review is None,
    )


def lock_item(session: Session, actor: Actor, content_id: int) -> Item:
    """Return one item without its names, locked until the transaction ends.

    What else belongs to it is read by a later statement: this one sees it as it was before it
    waited for the lock. Raises NotFoundError when there is none that the actor may see.
    """
    row = find_in(session)(_LOCK_ITEM, {"content_id": content_id, **seen_by(actor)})
    if row is None:
        raise _no_item()
    return Item(*row)


def read_tags(session: Session, content_id: int) -> list[ItemTag]:
    """Return an item's tags, in the order of their slugs. The item has to be there."""
    return _tags_of(find_in(session)(_READ_TAGS, {"content_id": content_id}))


def require_item(session: Session, actor: Actor, content_id: int) -> None:
    """Raise NotFoundError unless there is such an item, and the actor may see it."""
    if find_in(session)(_IS_THERE, {"content_id": content_id, **seen_by(actor)}) is None:
        raise _no_item()


def read_state(
    session: Session, content_id: int, number: int | None = None, review_id: int | None = None
) -> State:
    """Return what the state of an item follows from: of a version, or the newest; and of a review,
    or the newest. The item has to be there."""
    asked = {"content_id": content_id, "number": number, "review_id": review_id}
    return _state_of(find_in(session)(_READ_STATE, asked))


def find_in(session: Session) -> FindRow:
    """Return what finds a row in the transaction of a session, with all that it has changed."""

    def find(statement: TextClause, parameters: dict[str, Any]) -> Any | None:  # noqa: ANN401
        session.flush()
        return built_statements.first(session.connection(), statement, parameters)

    return find


def _tags_of(row: Any) -> list[ItemTag]:  # noqa: ANN401
    return [ItemTag(*tag) for tag in row.tags or ()]


def _state_of(row: Any) -> State:  # noqa: ANN401
    review = None if row.review is None else KnownReview(*row.review)
    held = [Holding(*holding) for holding in row.held or ()]
    return State(review, row.is_approved, row.planned or [], held)


def _no_item() -> NotFoundError:
    return NotFoundError("There is no such item.")
