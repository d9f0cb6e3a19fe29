"""The statements that look for items: which hold it, how they rank, and what is shown of them.

Each way of finding is bounded by itself, so that what is put together is small. Conditions that are
cheap come before the words, which PostgreSQL has to unpack where it reads an item.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from webapp.kit.search.highlights import READ_CHARACTERS
from webapp.services.content.lifecycle import STANDS
from webapp.services.publishing.published import MATCHING_PUBLIC
from webapp.services.publishing.search_filters import Wanted


@dataclass(frozen=True)
class Arm:
    """One way of finding.

    `words` is where an item that may match has its words, by its row in `candidates`; None where
    nothing can be found by a wider query.
    """

    columns: str
    found_in: str
    words: str | None


_PUBLIC = "publications.content_id, publications.version_id, true AS is_public"
_IN_PUBLIC = """renderings JOIN publications USING (version_id)
    WHERE publications.content_id <= :newest{wanted} AND {matching}"""
_DRAFT = "content.id AS content_id, NULL::bigint AS version_id, false AS is_public"
_IN_DRAFTS = """search_documents JOIN content ON content.id = search_documents.content_id
    JOIN visible ON visible.id = content.id
    WHERE content.id <= :newest AND {stands}{wanted}
      AND search_documents.words @@ CAST(:query AS tsquery)"""
WORDS_OF_RENDERING = (
    "SELECT words FROM renderings WHERE renderings.version_id = candidates.version_id"
)
_WORDS = {"words": WORDS_OF_RENDERING, "search": None}


def public_arms(wanted: Wanted) -> list[Arm]:
    """Return the ways to find what is public: what has its words, and what has not yet."""
    if wanted.of_public is None:
        return []
    return [
        Arm(
            f"{_PUBLIC}, renderings.{column} AS words",
            _IN_PUBLIC.format(matching=matching, wanted=wanted.of_public),
            _WORDS[column],
        )
        for column, matching in MATCHING_PUBLIC.items()
    ]


def draft_arms(wanted: Wanted, stands: str) -> list[Arm]:
    """Return the way to find working copies of which `stands` is so."""
    if wanted.of_drafts is None:
        return []
    return [
        Arm(
            f"{_DRAFT}, search_documents.words",
            _IN_DRAFTS.format(stands=stands, wanted=wanted.of_drafts),
            "SELECT words FROM search_documents"
            " WHERE search_documents.content_id = candidates.content_id",
        )
    ]


_ARM = "(SELECT {columns} FROM {found_in} ORDER BY content_id DESC LIMIT :bound + 1)"

# Where words are wanted in a row, an index finds what has them anywhere, and the newest of these
# are read until enough is found. All ways of finding end where the first of them leaves off.
_CANDIDATES = """
candidates_{number} AS MATERIALIZED (
    SELECT {columns} FROM {found_in} ORDER BY content_id DESC LIMIT :most_read + 1
), """
_CUT = """
cut AS MATERIALIZED (SELECT max(content_id) AS older FROM ({ends}) AS ends), """
_END = """
    SELECT min(content_id) AS content_id FROM candidates_{number} HAVING count(*) > :most_read"""
_UNTIL_CUT = "coalesce((SELECT older FROM cut), 0)"
# The order is that of the candidates, so whatever is behind the last that is wanted stays unread.
_READ = """(
    SELECT candidates.content_id, candidates.version_id, candidates.is_public, held.words
    FROM (SELECT * FROM candidates_{number} WHERE content_id > {until}
          ORDER BY content_id DESC OFFSET 0) AS candidates
    CROSS JOIN LATERAL ({words} OFFSET 0) AS held
    WHERE held.words @@ CAST(:query AS tsquery)
    ORDER BY candidates.content_id DESC LIMIT :bound + 1)"""

_RANKED = """
found AS MATERIALIZED (
    SELECT DISTINCT ON (content_id) * FROM ({arms}) AS arms
    ORDER BY content_id DESC, is_public LIMIT :bound + 1
), rest AS (
    SELECT CASE WHEN count(*) > :bound THEN min(content_id) ELSE {older} END AS older FROM found
), ranked AS MATERIALIZED (
    SELECT content_id, version_id, is_public,
        (ts_rank(words, CAST(:query AS tsquery), 1) * 1000000)::bigint AS rank
    FROM (SELECT * FROM found ORDER BY content_id DESC LIMIT :bound) AS newest
), page AS (
    SELECT * FROM ranked WHERE (rank, content_id) < (:rank, :behind)
    ORDER BY rank DESC, content_id DESC LIMIT :size
)
"""
SHOWN_PUBLIC = """
SELECT rest.older, page.rank, page.content_id AS id, page.is_public, publications.slug,
    version.title, left(renderings.html, {read}) AS body, 'html' AS body_format,
    renderings.excerpt, 'published' AS status, version.number AS version, author.display_name,
    renderings.language, publications.published_at AS changed_at
FROM rest LEFT JOIN page ON true
LEFT JOIN publications ON publications.content_id = page.content_id
LEFT JOIN renderings ON renderings.version_id = page.version_id
LEFT JOIN content_versions AS version ON version.id = page.version_id
LEFT JOIN users AS author ON author.id = publications.author_id
ORDER BY page.rank DESC, page.content_id DESC
"""
SHOWN_ALL = """
SELECT rest.older, page.rank, page.content_id AS id, page.is_public,
    CASE WHEN page.is_public THEN publications.slug ELSE content.slug END AS slug,
    CASE WHEN page.is_public THEN version.title ELSE content.title END AS title,
    CASE WHEN page.is_public THEN left(renderings.html, {read})
        ELSE left(content.body, {read}) END AS body,
    CASE WHEN page.is_public THEN 'html' ELSE content.body_format END AS body_format,
    CASE WHEN page.is_public THEN renderings.excerpt ELSE content.excerpt END AS excerpt,
    CASE WHEN page.is_public THEN 'published' {stands} END AS status,
    CASE WHEN page.is_public THEN version.number ELSE content.version END AS version,
    author.display_name,
    CASE WHEN page.is_public THEN renderings.language ELSE document.language END AS language,
    CASE WHEN page.is_public THEN publications.published_at ELSE content.updated_at END
        AS changed_at
FROM rest LEFT JOIN page ON true
LEFT JOIN content ON content.id = page.content_id
LEFT JOIN search_documents AS document ON document.content_id = page.content_id
LEFT JOIN publications ON page.is_public AND publications.content_id = page.content_id
LEFT JOIN renderings ON renderings.version_id = page.version_id
LEFT JOIN content_versions AS version ON version.id = page.version_id
LEFT JOIN users AS author ON author.id = coalesce(publications.author_id, content.author_id)
ORDER BY page.rank DESC, page.content_id DESC
""".replace(
    "{stands}",
    " ".join(f"WHEN {condition} THEN '{standing}'" for standing, condition in STANDS.items()),
)


@dataclass(frozen=True)
class Ground:
    """Where is searched: the ways to find, the values that they name, and what shows a page.

    `given` are the expressions that both name, each with a comma behind it. With `suggests`, who
    finds nothing is told what they may have meant.
    """

    arms: Sequence[Arm]
    values: Mapping[str, Any]
    shown: str = SHOWN_PUBLIC
    given: str = ""
    suggests: bool = True


def statement_of(ground: Ground, *, in_a_row: bool) -> str:
    """Return the statement of one page.

    With `in_a_row` the parameter `words` is a wider query than `query`.
    """
    arms, seen = ground.arms, ground.given
    shown = ground.shown.format(read=READ_CHARACTERS)
    if not in_a_row:
        said = " UNION ALL ".join(_ARM.format(**vars(arm)) for arm in arms)
        return f"WITH {seen}{_RANKED.format(arms=said, older='NULL')}{shown}"
    read = {number: arm for number, arm in enumerate(arms) if arm.words is not None}
    ends = " UNION ALL ".join(_END.format(number=number) for number in read)
    candidates = "".join(_candidates(number, arm) for number, arm in read.items())
    said = " UNION ALL ".join(_read(number, arm) for number, arm in enumerate(arms))
    ranked = _RANKED.format(arms=said, older="(SELECT older FROM cut)")
    return f"WITH {seen}{candidates}{_CUT.format(ends=ends)}{ranked}{shown}"


def _candidates(number: int, arm: Arm) -> str:
    columns, _, _ = arm.columns.rpartition(",")
    found_in = arm.found_in.replace(":query", ":words")
    return _CANDIDATES.format(number=number, columns=columns, found_in=found_in)


def _read(number: int, arm: Arm) -> str:
    if arm.words is not None:
        return _READ.format(number=number, until=_UNTIL_CUT, words=arm.words)
    found_in = f"{arm.found_in} AND content_id > {_UNTIL_CUT}"
    return _ARM.format(columns=arm.columns, found_in=found_in)
