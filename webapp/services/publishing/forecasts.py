"""What the public will see at a moment to come: what is planned until then, over what is public.

Nothing is stored. What nothing is planned for is passed through as it is stored; the rest is built
from the pinned rendering by the statement that publishing builds it by, so that it is what the
public will read, byte for byte. A schedule that is paused, or that fails, makes another future.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Cursor
from psycopg.rows import namedtuple_row

from webapp.services.errors import InvalidInputError
from webapp.services.publishing.forecast_documents import Shown, build_document
from webapp.services.publishing.open_actions import GIVEN, OPEN, outcome_of
from webapp.services.publishing.published import (
    Moved,
    Reader,
    Retracted,
    compiled,
    find_former,
    read,
)

TOLERANCE = timedelta(minutes=1)
"""How long a moment may have passed: the clocks of clients are never quite right."""

_HAS_PASSED = b"SELECT %s::timestamptz < clock_timestamp() - %s::interval"


def require_ahead(reader: Reader, at: datetime) -> None:
    """Raise InvalidInputError for a moment that has passed, by PostgreSQL's clock."""
    row = reader.execute(_HAS_PASSED, (at, TOLERANCE)).fetchone()
    if row is not None and row[0]:
        raise InvalidInputError("at", "has passed; what was public then is not told", place="query")


_STANDING = f"""
WITH {GIVEN}
SELECT content.id, outcome.version_id,
    CASE WHEN outcome.is_interrupted OR publications.content_id IS NULL THEN outcome.opened_at
        ELSE publications.published_at END AS published_at,
    outcome.changed_at,
    content.status <> 'trashed' AND NOT outcome.is_archived AND outcome.changed_at IS NOT NULL
        AS is_changed,
    outcome.actions = 0 AS is_untouched,
    content.status <> 'trashed' AND outcome.is_brought_out AS is_brought_out,
    publications.slug AS slug, version.slug AS next_slug,
    EXISTS (SELECT FROM slugs WHERE slugs.slug = :slug AND slugs.content_id = content.id
        AND slugs.was_public)
    OR EXISTS (
        SELECT FROM {OPEN} AS first JOIN content_versions AS earlier ON earlier.id = version_id
        WHERE first.content_id = content.id AND first.action = 'publish' AND first.due_at <= :at
            AND earlier.slug = :slug) AS has_asked_slug
FROM content
LEFT JOIN publications ON publications.content_id = content.id
CROSS JOIN LATERAL ({outcome_of("content.id")}) AS outcome
LEFT JOIN content_versions AS version ON version.id = outcome.version_id
"""  # noqa: S608 - the parts are constants of the code
# A name passes from one item of a release to another at its moment alone.
_OF_SLUG = f"""{_STANDING}
WHERE content.id IN (
    SELECT content_id FROM publications WHERE slug = :slug
    UNION SELECT content_id FROM slugs WHERE slug = :slug
    UNION
    SELECT taker.content_id FROM slugs
    JOIN release_entries AS giver ON giver.content_id = slugs.content_id
    JOIN releases ON releases.id = giver.release_id
    JOIN release_entries AS taker ON taker.release_id = releases.id
    JOIN content_versions AS taken ON taken.id = taker.version_id
    WHERE slugs.slug = :slug AND releases.state = 'scheduled' AND releases.due_at <= :at
        AND taken.slug = :slug)
"""  # noqa: S608 - so is this
_OF_ITEM = f"{_STANDING} WHERE content.id = :content_id"


@dataclass(frozen=True)
class _Standing:
    """Where an item will stand. `slug` is what it will be public under, None where it will not be.

    `shown` is what it will show, None where nothing changes what it shows. `is_gone` says that it
    was public before and will not be; `has_asked_slug` that the slug that was asked for is its own.
    """

    slug: str | None
    shown: Shown | None
    is_gone: bool
    has_asked_slug: bool


def read_at(reader: Reader, slug: str, at: datetime) -> bytes | Moved | Retracted | None:
    """Return what will be read under a slug: a document, where to, why no more, or None.

    Raises InvalidInputError for a moment that has passed, and UnrenderedError.
    """
    standings = _find(reader, _OF_SLUG, {"slug": slug, "at": at})
    for standing in standings:
        if standing.slug == slug:
            return _document(reader, standing, at)
    for standing in standings:
        if standing.slug is not None and standing.has_asked_slug:
            return Moved(standing.slug)
    is_known = any(standing.slug is None and not standing.is_gone for standing in standings)
    return find_former(reader, slug) if is_known else None


def read_item_at(reader: Reader, content_id: int, at: datetime) -> bytes | None:
    """Return what will be read of an item, None where it will not be public.

    Raises as `read_at` does.
    """
    for standing in _find(reader, _OF_ITEM, {"slug": "", "content_id": content_id, "at": at}):
        if standing.slug is not None:
            return _document(reader, standing, at)
    return None


def _document(reader: Reader, standing: _Standing, at: datetime) -> bytes | None:
    if standing.shown is not None:
        return build_document(reader, standing.shown, at)
    document = read(reader, standing.slug or "")
    return None if document is None else document.body


def _find(reader: Reader, statement: str, parameters: dict[str, Any]) -> list[_Standing]:
    require_ahead(reader, parameters["at"])
    cursor: Cursor[Any] = reader.cursor(row_factory=namedtuple_row)
    return [_standing(row) for row in cursor.execute(compiled(statement), parameters)]


def _standing(found: Any) -> _Standing:  # noqa: ANN401
    if found.is_changed:
        shown = Shown(found.id, found.version_id, found.published_at, found.changed_at)
        return _Standing(found.next_slug, shown, False, found.has_asked_slug)
    slug = found.slug if found.is_untouched else None
    is_gone = slug is None and bool(found.slug is not None or found.is_brought_out)
    return _Standing(slug, None, is_gone, found.has_asked_slug)
