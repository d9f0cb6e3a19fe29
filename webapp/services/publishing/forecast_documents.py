"""Documents of what will be public, as publishing will build them."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from webapp.services.publishing import documents
from webapp.services.publishing.open_actions import GIVEN, OPEN
from webapp.services.publishing.published import CORRECTIONS, Reader, compiled, with_corrections


class Shown(NamedTuple):
    """A version that will be shown of an item, with the moments that its document will tell."""

    content_id: int
    version_id: int
    published_at: datetime
    updated_at: datetime


class UnrenderedError(Exception):
    """Versions have no rendering, so nobody can say what will be read of them."""

    def __init__(self, version_ids: Sequence[int]) -> None:
        """Name the versions."""
        super().__init__(f"versions {list(version_ids)} have no rendering")
        self.version_ids = list(version_ids)


# A tag that is not public yet is going to be called as the first item spells it that brings it out.
_SPELT = f"""
    SELECT spelling FROM content_tags JOIN {OPEN} AS first USING (content_id)
    WHERE tag_id = tags.id AND first.action = 'publish' AND first.due_at <= :at
    ORDER BY first.due_at, spelling LIMIT 1
"""  # noqa: S608 - the part is a constant of the code
_BUILT = f"""
WITH {GIVEN}, tags AS NOT MATERIALIZED (
    SELECT id, slug, CASE WHEN was_public THEN name ELSE coalesce(({_SPELT}), name) END AS name
    FROM tags
), item AS (
    SELECT content.id, given.version_id, content.author_id, given.published_at, given.updated_at
    FROM unnest(CAST(:ids AS bigint[]), CAST(:version_ids AS bigint[]),
        CAST(:published AS timestamptz[]), CAST(:updated AS timestamptz[]))
        AS given (content_id, version_id, published_at, updated_at)
    JOIN content ON content.id = given.content_id
), documents AS (
    SELECT {documents.COLUMNS} FROM item {documents.JOINS}
)
"""  # noqa: S608 - the parts are constants of the code
_SUMMARIES = f"{_BUILT}SELECT documents.id, {documents.SUMMARY} FROM documents"  # noqa: S608
_DOCUMENTS = f"""{_BUILT}
SELECT documents.id, {documents.DOCUMENT}, {CORRECTIONS.format(content_id="documents.id")}
FROM documents
"""  # noqa: S608 - so are these


def build_summaries(reader: Reader, shown: Sequence[Shown], at: datetime) -> dict[int, bytes]:
    """Return what a list will say of items, by their ids. Raises UnrenderedError."""
    return {row[0]: row[1] for row in _build(reader, _SUMMARIES, shown, at)}


def build_document(reader: Reader, shown: Shown, at: datetime) -> bytes:
    """Return what the public will read of one item. Raises UnrenderedError."""
    ((_, document, corrections),) = _build(reader, _DOCUMENTS, [shown], at)
    return with_corrections(document, corrections)


def _build(
    reader: Reader, statement: str, shown: Sequence[Shown], at: datetime
) -> Sequence[tuple[int, bytes, bytes | None]]:
    if not shown:
        return []
    parameters = {
        "at": at,
        "ids": [one.content_id for one in shown],
        "version_ids": [one.version_id for one in shown],
        "published": [one.published_at for one in shown],
        "updated": [one.updated_at for one in shown],
    }
    rows = reader.execute(compiled(statement), parameters).fetchall()
    built = {row[0] for row in rows}
    missing = [one.version_id for one in shown if one.content_id not in built]
    if missing:
        raise UnrenderedError(missing)
    return rows
