"""Full-text search: what of all that the caller may see says what they look for, best first.

Nothing is shown from an index. What may be found is decided by the rows of the items and of what is
public, in the statement that looks; a row of an index only says which items to look at.

Ranking costs as much as the documents that are ranked, and a common word is in all of them. So the
newest `RANKED_AT_ONCE` items that hold what is looked for are ranked among themselves; the pages go
on with the same number of older ones once these are shown. Where fewer hold it, all are ranked.

Whether words stand in a row is in no index: it is read in the documents that have them all. So at
most the newest `READ_AT_ONCE` of these are read, and the pages go on behind them. Where none of
them has it, the next ones are, `MOST_WINDOWS` times before a page is answered that is empty and
has a next one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

from webapp.kit.cursors import encode_cursor
from webapp.kit.lifecycle import Standing
from webapp.kit.search.highlights import READ_CLOSELY, Highlighter
from webapp.kit.search.queries import SearchQuery
from webapp.models import Content
from webapp.services.accounts.actors import Actor
from webapp.services.content.lifecycle import STANDS
from webapp.services.content.search_words import readable_text
from webapp.services.content.stems import Find, find_stems
from webapp.services.content.visibility import visible_content
from webapp.services.publishing.published import Reader, find_by
from webapp.services.publishing.search_filters import SearchFilter, look_up
from webapp.services.publishing.search_statements import (
    SHOWN_ALL,
    Ground,
    draft_arms,
    public_arms,
    statement_of,
)
from webapp.services.publishing.suggestions import suggest

RANKED_AT_ONCE = 200
READ_AT_ONCE = 2_000
MOST_WINDOWS = 5
# Characters of HTML, of which a snippet is made; to read a long text whole for it takes far longer.
_NEAR = 1_500
LARGEST = 2**62

Scope = Literal["public", "mine", "all"]
Cursor = tuple[int, int, int, int]
"""Of a page: the newest item of those that are ranked together, the rank and the item behind which
it begins, and how many came before."""
FIRST: Cursor = (LARGEST, LARGEST, LARGEST, 0)


@dataclass(frozen=True)
class Hit:
    """One item that was found, with its texts as safe HTML; `slug` is of what was found."""

    id: int
    position: int
    is_public: bool
    slug: str
    title: str
    title_html: str
    snippet: str
    status: str
    version: int
    author: str
    language: str
    changed_at: datetime


@dataclass(frozen=True)
class Found:
    """One page of hits, and the cursor of the next one, if there is more.

    Where there is nothing, `did_you_mean` is what would find something, if words are mended.
    """

    hits: list[Hit] = field(default_factory=list)
    next: str | None = None
    did_you_mean: str | None = None


def search_public(
    reader: Reader, query: SearchQuery, filters: SearchFilter, cursor: Cursor, limit: int
) -> Found:
    """Return a page of what is public, on a connection for plain reads."""
    if filters.status not in {None, Standing.PUBLISHED}:
        return Found()
    find = find_by(reader)
    wanted = look_up(find, filters)
    ground = Ground(public_arms(wanted), wanted.values)
    return search_ground(find, query, filters.language, ground, cursor, limit)


def search_visible(
    session: Session,
    actor: Actor,
    scope: Scope,
    query: SearchQuery,
    filters: SearchFilter,
    cursor: Cursor,
    limit: int,
) -> Found:
    """Return a page of the working copies that an actor may see, and for `all` of what is public.

    What is found in both is shown as its working copy.
    """

    def find(statement: str, parameters: Mapping[str, Any]) -> Sequence[Any]:
        return session.execute(text(statement), dict(parameters)).all()

    visible = visible_content(actor)
    if scope == "mine":
        visible = visible.where(Content.author_id == actor.user_id)
    wanted = look_up(find, filters)
    status = filters.status
    arms = draft_arms(wanted, "content.status <> 'trashed'" if status is None else STANDS[status])
    if scope == "all" and status in {None, Standing.PUBLISHED}:
        arms += public_arms(wanted)
    literal = visible.with_only_columns(Content.id).compile(
        dialect=session.get_bind().dialect, compile_kwargs={"literal_binds": True}
    )
    ground = Ground(arms, wanted.values, SHOWN_ALL, f"visible AS ({literal}), ")
    return search_ground(find, query, filters.language, ground, cursor, limit)


def search_ground(
    find: Find,
    query: SearchQuery,
    language: str | None,
    ground: Ground,
    cursor: Cursor,
    limit: int,
) -> Found:
    """Return a page of what is found in one language, or in all that items are in."""
    return _Search(find, query, language, ground).page(cursor, limit)


class _Search:
    """One search: where to look, for what, and how."""

    def __init__(
        self,
        find: Find,
        query: SearchQuery,
        language: str | None,
        ground: Ground,
    ) -> None:
        self._find, self._query, self._ground = find, query, ground
        self._stems = find_stems(find, query.plain_words, language)
        wider = query.without_rows(self._stems)
        self._statement = statement_of(ground, in_a_row=wider is not None)
        self._parameters = {
            **ground.values, "query": query.as_tsquery(self._stems), "words": wider,
            "typed": query.typed, "bound": RANKED_AT_ONCE, "most_read": READ_AT_ONCE,
        }  # fmt: skip

    def page(self, cursor: Cursor, limit: int) -> Found:
        """Return the page behind a cursor."""
        newest, rank, behind, before = cursor
        older, rows = self._read(newest, rank, behind, limit)
        for _ in range(MOST_WINDOWS - 1):
            if rows or older is None:
                break
            newest, rank, behind = older, LARGEST, LARGEST
            older, rows = self._read(newest, rank, behind, limit)
        highlighter = Highlighter(self._query, self._stems)
        hits = [
            _hit(row, highlighter, before + number)
            for number, row in enumerate(rows[:limit], start=1)
        ]
        following = None
        if len(rows) > limit:
            last = rows[limit - 1]
            following = encode_cursor(newest, last.rank, last.id, before + limit)
        elif older is not None:
            following = encode_cursor(older, LARGEST, LARGEST, before + len(rows))
        is_nothing = not hits and following is None and cursor == FIRST and self._ground.suggests
        return Found(hits, following, suggest(self._find, self._query) if is_nothing else None)

    def _read(
        self, newest: int, rank: int, behind: int, limit: int
    ) -> tuple[int | None, list["_Row"]]:
        """Return where older ones begin, if there are any, and the rows of a page."""
        if not self._ground.arms:
            return None, []
        place = {"newest": newest, "rank": rank, "behind": behind, "size": limit + 1}
        rows = self._find(self._statement, {**self._parameters, **place})
        return rows[0][0], [_Row(*row) for row in rows if row[2] is not None]


@dataclass(frozen=True)
class _Row:
    older: int | None
    rank: int
    id: int
    is_public: bool
    slug: str
    title: str
    body: str
    body_format: str
    excerpt: str
    status: str
    version: int
    author: str
    language: str | None
    changed_at: datetime


def _hit(row: _Row, highlighter: Highlighter, position: int) -> Hit:
    """Show a row; where the beginning of its text holds nothing of it, its excerpt is shown."""
    is_html, near = row.body_format == "html", row.body
    if is_html:
        near = highlighter.near(row.body, _NEAR)
    said = readable_text(near, row.body_format)
    snippet = highlighter.snippet(said)
    if snippet is None and is_html and near != row.body[:READ_CLOSELY]:
        # What was near may be an address alone, or another word that begins alike.
        said = readable_text(row.body[:READ_CLOSELY], row.body_format)
        snippet = highlighter.snippet(said)
    snippet = snippet or highlighter.snippet(row.excerpt)
    return Hit(
        id=row.id,
        position=position,
        is_public=row.is_public,
        slug=row.slug,
        title=row.title,
        title_html=highlighter.mark(row.title),
        snippet=snippet or highlighter.opening(row.excerpt or said),
        status=row.status,
        version=row.version,
        author=row.author,
        language=row.language or "simple",
        changed_at=row.changed_at,
    )
