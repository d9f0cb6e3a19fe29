"""A search in what will be public at a moment to come, by the words of the versions of then."""

from datetime import datetime

from webapp.kit.lifecycle import Standing
from webapp.kit.search.queries import SearchQuery
from webapp.services.publishing.forecast_lists import OF_VERSION
from webapp.services.publishing.forecasts import require_ahead
from webapp.services.publishing.open_actions import GIVEN, OUTCOMES
from webapp.services.publishing.published import MATCHING_PUBLIC, Reader, find_by
from webapp.services.publishing.search_filters import SearchFilter, Wanted, look_up
from webapp.services.publishing.search_statements import (
    WORDS_OF_RENDERING,
    Arm,
    Ground,
    public_arms,
)
from webapp.services.publishing.searching import Cursor, Found, search_ground

_GIVEN = f"""
{GIVEN}, planned AS MATERIALIZED ({OUTCOMES}), future AS MATERIALIZED (
    SELECT planned.content_id, planned.version_id, content.author_id,
        CASE WHEN planned.is_interrupted OR publications.content_id IS NULL
            THEN planned.opened_at ELSE publications.published_at END AS published_at
    FROM planned JOIN content ON content.id = planned.content_id
    LEFT JOIN publications ON publications.content_id = planned.content_id
    WHERE content.status <> 'trashed' AND NOT planned.is_archived
        AND planned.version_id IS NOT NULL
), """  # noqa: S608 - the part is a constant of the code
_UNTOUCHED = (
    " AND NOT EXISTS (SELECT FROM planned WHERE planned.content_id = publications.content_id)"
)
_IN_FUTURE = """future AS content JOIN renderings USING (version_id)
    JOIN (SELECT id, tags, category_id FROM content_versions) AS version
        ON version.id = content.version_id
    WHERE content.content_id <= :newest{wanted} AND {matching}"""
_THEN = {
    **OF_VERSION,
    "language": "renderings.language = ANY (ARRAY[CAST(:language AS text)])",
    "since": "content.published_at >= :since",
    "until": "content.published_at < :until",
}
_SHOWN = """
SELECT rest.older, page.rank, page.content_id AS id, page.is_public,
    coalesce(publications.slug, version.slug) AS slug, version.title,
    left(renderings.html, {read}) AS body, 'html' AS body_format, renderings.excerpt,
    'published' AS status, version.number AS version, author.display_name, renderings.language,
    coalesce(future.published_at, publications.published_at) AS changed_at
FROM rest LEFT JOIN page ON true
LEFT JOIN future ON future.content_id = page.content_id
LEFT JOIN publications ON publications.content_id = page.content_id AND future.content_id IS NULL
LEFT JOIN renderings ON renderings.version_id = page.version_id
LEFT JOIN content_versions AS version ON version.id = page.version_id
LEFT JOIN users AS author ON author.id = coalesce(future.author_id, publications.author_id)
ORDER BY page.rank DESC, page.content_id DESC
"""


def search_at(
    reader: Reader,
    query: SearchQuery,
    filters: SearchFilter,
    at: datetime,
    cursor: Cursor,
    limit: int,
) -> Found:
    """Return a page of what will be public. Raises InvalidInputError for a moment that has passed.

    Nothing is suggested to who finds nothing: what is public now says little of then.
    """
    require_ahead(reader, at)
    find = find_by(reader)
    wanted = look_up(find, filters)
    if filters.status not in {None, Standing.PUBLISHED} or wanted.of_public is None:
        return Found()
    untouched = Wanted(wanted.of_public + _UNTOUCHED, None, {})
    arms = [*public_arms(untouched), *_future_arms(filters)]
    ground = Ground(arms, {**wanted.values, "at": at}, _SHOWN, _GIVEN, suggests=False)
    return search_ground(find, query, filters.language, ground, cursor, limit)


def _future_arms(filters: SearchFilter) -> list[Arm]:
    """Return the ways to find what is going to be shown, by its words and by their former kind."""
    wanted = "".join(
        f" AND {condition}"
        for name, condition in _THEN.items()
        if getattr(filters, name) is not None
    )
    columns = "content.content_id, content.version_id, true AS is_public"
    return [
        Arm(
            f"{columns}, renderings.{column} AS words",
            _IN_FUTURE.format(matching=matching, wanted=wanted),
            WORDS_OF_RENDERING if column == "words" else None,
        )
        for column, matching in MATCHING_PUBLIC.items()
    ]
