"""The list of what will be public at a moment to come.

Without a filter nothing is put together beforehand. What is public now keeps its public time, so it
is walked by its own index, with a look at what is planned for each row. What will be public only by
then has its due moment for its public time, and is found by a walk backwards from the moment. Both
walks end with the page. A filter looks at all that is planned up to the moment, because an item may
fit it by the version that will be public alone.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from webapp.services.publishing.forecast_documents import Shown, build_summaries
from webapp.services.publishing.forecasts import TOLERANCE, require_ahead
from webapp.services.publishing.open_actions import GIVEN, OPEN, OUTCOMES, outcome_of
from webapp.services.publishing.published import (
    PublicFilter,
    Reader,
    compiled,
    find_by,
    page_of_rows,
    tsquery_of,
)
from webapp.services.publishing.search_filters import SearchFilter, look_up

Before = tuple[datetime, int]

OF_VERSION = {
    "tag": """EXISTS (
        SELECT FROM tags WHERE tags.id = :tag_id AND (tags.slug = ANY (version.tags) OR EXISTS (
            SELECT FROM tag_aliases
            WHERE tag_id = tags.id AND tag_aliases.slug = ANY (version.tags))))""",
    "category": "version.category_id = :category_id",
    "author": "content.author_id = :author_id",
}
"""Conditions upon a version that will be public, by what filters."""

_ORDER = "ORDER BY published_at DESC, content_id DESC LIMIT {size}"
_PAGE = """
SELECT content_id, published_at, version_id, changed_at, summary,
    CAST(:at AS timestamptz) < clock_timestamp() - CAST(:tolerance AS interval) AS has_passed
FROM (TABLE kept UNION ALL TABLE changed) AS shown {order}
"""
_OF_KEPT = ("is_interrupted", "changed_at", "version_id")
_OF_OPENING = ("is_archived", "changed_at", "opened_by", "version_id")
# Values that are looked up one by one: as joins and as EXISTS, whole tables might be read first.
_OPENED = f"""
    SELECT opening.content_id, opening.published_at, outcome.version_id, outcome.changed_at,
        NULL::json AS summary
    FROM (
        SELECT * FROM ({{source}}) AS planned
        WHERE (SELECT content_id FROM publications
               WHERE publications.content_id = planned.content_id) IS NULL
            OR EXISTS (
                SELECT FROM {OPEN} AS earlier WHERE earlier.content_id = planned.content_id
                    AND earlier.due_at <= planned.published_at AND earlier.action <> 'publish')
    ) AS opening
    CROSS JOIN LATERAL ({outcome_of("opening.content_id", *_OF_OPENING)}) AS outcome
    WHERE CASE WHEN opening.place = outcome.opened_by AND NOT outcome.is_archived
        THEN (SELECT status FROM content WHERE id = opening.content_id) <> 'trashed' END
        {{before}} {{order}}
"""  # noqa: S608 - the parts are constants of the code
# PostgreSQL walks no union backwards by an index, so each source is walked for itself. The items of
# a release all have its moment.
_OF_SCHEDULES = """
    SELECT content_id, due_at AS published_at, id AS place FROM schedules
    WHERE action = 'publish' AND state IN ('pending', 'handed') AND due_at <= :at"""
_OF_RELEASE = """
    SELECT content_id, releases.due_at AS published_at, -releases.id AS place
    FROM release_entries WHERE release_id = releases.id AND action = 'publish'"""
_EVERYTHING = f"""
WITH {GIVEN}, kept AS (
    SELECT publications.content_id, publications.published_at, outcome.version_id,
        outcome.changed_at, publications.summary
    FROM publications
    CROSS JOIN LATERAL ({outcome_of("publications.content_id", *_OF_KEPT)}) AS outcome
    WHERE outcome.is_interrupted IS NOT TRUE {{before}} {{order}}
), scheduled AS ({{of_schedules}}), released AS (
    SELECT of_one.* FROM releases CROSS JOIN LATERAL ({{of_release}}) AS of_one
    WHERE releases.state = 'scheduled' AND releases.due_at <= :at {{order}}
), changed AS (TABLE scheduled UNION ALL TABLE released)
"""  # noqa: S608 - the parts are constants of the code
_BELOW = """below AS (
    SELECT CAST(:category_id AS bigint) AS id
    UNION SELECT child.id FROM categories AS child JOIN below ON child.parent_id = below.id
), """
_KEPT = f"""
    SELECT publications.content_id, publications.published_at, NULL::bigint AS version_id,
        NULL::timestamptz AS changed_at, publications.summary
    FROM publications
    CROSS JOIN LATERAL ({outcome_of("publications.content_id", "actions")}) AS outcome
    WHERE outcome.actions = 0 AND {{wanted}} {{before}} {{order}}
"""  # noqa: S608 - the parts are constants of the code
# The newest of each category are the first of its index, and the newest of all are among them.
_KEPT_BELOW = f"""
    SELECT of_one.* FROM below CROSS JOIN LATERAL ({_KEPT}) AS of_one {{order}}
"""  # noqa: S608 - the parts are constants of the code
_FITTING = f"""
WITH RECURSIVE {GIVEN}, {{below}}planned AS MATERIALIZED ({OUTCOMES}), kept AS ({{kept}}),
changed AS (
    SELECT content_id, published_at, version_id, changed_at, NULL::json AS summary
    FROM (
        SELECT planned.*, CASE WHEN planned.is_interrupted OR public_now.since IS NULL
            THEN planned.opened_at ELSE public_now.since END AS published_at
        FROM planned JOIN content ON content.id = planned.content_id
        JOIN content_versions AS version ON version.id = planned.version_id
        CROSS JOIN LATERAL (SELECT (
            SELECT published_at FROM publications WHERE publications.content_id = content.id
        ) AS since) AS public_now
        WHERE content.status <> 'trashed' AND NOT planned.is_archived AND {{wanted_then}}
    ) AS fitting WHERE true {{before}} {{order}}
)
"""  # noqa: S608 - the parts are constants of the code

_MATCHING = """ IN (
    SELECT version_id FROM renderings WHERE words @@ CAST(:query AS tsquery) UNION ALL
    SELECT version_id FROM renderings
    WHERE words IS NULL AND search @@ websearch_to_tsquery('simple', :typed))"""
_NOW = {
    "tag": "publications.tags @> ARRAY[CAST(:tag AS text)]",
    "category": "publications.category_id = :category_id",
    "author": "publications.author_id = :author_id",
    "subtree": "publications.category_id = below.id",
    "origin": "publications.origin = :origin",
    "q": f"publications.version_id{_MATCHING}",
}
_THEN = {
    **OF_VERSION,
    "subtree": "version.category_id IN (SELECT id FROM below)",
    "origin": "version.origin = :origin",
    "q": f"version.id{_MATCHING}",
}


def list_at(
    reader: Reader, filters: PublicFilter, at: datetime, *, before: Before | None, limit: int
) -> bytes:
    """Return a page of what will be public, newest first, as the JSON of a page.

    Raises InvalidInputError for a moment that has passed, and UnrenderedError.
    """
    parameters: dict[str, Any] = {"at": at, "tolerance": TOLERANCE}
    if before is not None:
        parameters["moment"], parameters["behind"] = before
    wanted = _wanted(reader, filters, parameters)
    if wanted is None:
        require_ahead(reader, at)
        return page_of_rows([], limit)
    statement = _statement(wanted, is_first=before is None, size=limit + 1)
    found = reader.execute(compiled(statement), parameters).fetchall()
    # The page says itself whether the moment lies ahead, where there is one.
    if not found or found[0][5]:
        require_ahead(reader, at)
    changed = [Shown(row[0], row[2], row[1], row[3]) for row in found if row[3] is not None]
    built = build_summaries(reader, changed, at)
    rows = [(built.get(row[0], row[4]), row[1], row[0]) for row in found]
    return page_of_rows(rows, limit)


def _wanted(reader: Reader, filters: PublicFilter, parameters: dict[str, Any]) -> list[str] | None:
    """Return the names of what filters, and add their values to the parameters.

    None where a filter names what there is not.
    """
    given = {
        "tag": filters.tag,
        "author": filters.author,
        "subtree" if filters.subtree else "category": filters.category,
        "origin": None if filters.origin is None else filters.origin.value,
        "q": filters.q,
    }
    wanted = [name for name, value in given.items() if value is not None]
    parameters["origin"] = given["origin"]
    if filters.tag or filters.author or filters.category:
        named = SearchFilter(filters.tag, filters.category, filters.author)
        looked_up = look_up(find_by(reader), named)
        if looked_up.of_public is None:
            return None
        parameters |= looked_up.values
    if filters.q is not None:
        parameters |= {"query": tsquery_of(reader, filters.q), "typed": filters.q.typed}
    return wanted


def _statement(wanted: Sequence[str], *, is_first: bool, size: int) -> str:
    """Return the statement of a page. The size is written out, for the planner to know it."""
    before = "" if is_first else "AND (published_at, content_id) < (:moment, :behind)"
    order = _ORDER.format(size=size)
    if not wanted:
        newest = f"ORDER BY content_id DESC LIMIT {size}"
        arms = _EVERYTHING.format(
            before=before,
            order=order,
            of_schedules=_OPENED.format(source=_OF_SCHEDULES, before=before, order=order),
            of_release=_OPENED.format(source=_OF_RELEASE, before=before, order=newest),
        )
    else:
        is_deep = "subtree" in wanted
        kept = (_KEPT_BELOW if is_deep else _KEPT).format(
            wanted=" AND ".join(_NOW[name] for name in wanted), before=before, order=order
        )
        arms = _FITTING.format(
            below=_BELOW if is_deep else "",
            kept=kept,
            wanted_then=" AND ".join(_THEN[name] for name in wanted),
            before=before,
            order=order,
        )
    # Without the blanks of its layout: the driver looks long statements through at each use.
    return " ".join((arms + _PAGE.format(order=order)).split())
