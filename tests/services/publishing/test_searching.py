"""Promises of the pages of a search: each hit once, and no more work than a page's."""

from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor, make_content
from webapp.kit.cursors import decode_cursor
from webapp.kit.search.queries import SearchQuery, read_query
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, draft_index, stems
from webapp.services.content.stems import find_stems
from webapp.services.publishing import publishing, searching
from webapp.services.publishing.published import find_by
from webapp.services.publishing.search_filters import SearchFilter
from webapp.services.publishing.searching import FIRST, Found

QUERY = read_query("lantern")


def pages(ask: Any) -> list[Found]:
    """Return all the pages of a search, of three hits at most."""
    cursor, found = FIRST, []
    while True:
        page: Found = ask(cursor)
        found.append(page)
        if page.next is None:
            return found
        cursor = decode_cursor(page.next, int, int, int, int)  # type: ignore[assignment]


def pages_of_both(
    sessions: sessionmaker[Session], database_url: str, actor: Actor, query: SearchQuery
) -> tuple[list[Found], list[Found]]:
    """Return the pages of a search in public, and in all that an actor may see."""
    with psycopg.connect(database_url, autocommit=True) as reader:
        public = pages(
            lambda cursor: searching.search_public(reader, query, SearchFilter(), cursor, 3)
        )
    with sessions() as session:
        visible = pages(
            lambda cursor: searching.search_visible(
                session, actor, "all", query, SearchFilter(), cursor, 3
            )
        )
    return public, visible


def make_lanterns(session: Session, number: int) -> tuple[Actor, list[int]]:
    """Make public items that all say the same word, some more often."""
    actor = make_actor(session)
    items = [
        make_content(session, actor, body=" ".join(["lantern"] * (turn % 3 + 1) + ["else"] * turn))
        for turn in range(number)
    ]
    for item in items:
        publishing.publish(session, actor, item, None)
    draft_index.index_range(session, 0, max(items))
    return actor, items


def test_more_hits_than_are_ranked_at_once_are_all_shown_once(
    sessions: sessionmaker[Session], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "RANKED_AT_ONCE", 5)
    with sessions.begin() as session:
        actor, items = make_lanterns(session, 13)
    public, visible = pages_of_both(sessions, database_url, actor, QUERY)
    for found in (public, visible):
        hits = [hit for page in found for hit in page.hits]
        assert [hit.position for hit in hits] == list(range(1, 14))
        assert sorted(hit.id for hit in hits) == items
        assert [len(page.hits) for page in found] == [3, 2, 3, 2, 3]
        # The newest five are shown before all that are older.
        assert sorted(hit.id for hit in hits[:5]) == items[-5:]
    assert {hit.is_public for page in public for hit in page.hits} == {True}
    assert {hit.is_public for page in visible for hit in page.hits} == {False}


def test_words_in_a_row_are_looked_for_in_stretches_and_each_item_is_shown_once(
    sessions: sessionmaker[Session], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "RANKED_AT_ONCE", 3)
    monkeypatch.setattr(searching, "READ_AT_ONCE", 4)
    monkeypatch.setattr(searching, "MOST_WINDOWS", 2)
    # The newest ten have the words alone, and then there are more in a row than are ranked at once.
    in_a_row = [0, 2, 3, 4, 5, 6, 10]
    with sessions.begin() as session:
        actor = make_actor(session)
        items = [
            make_content(session, actor, body="red lamp" if turn in in_a_row else "lamp, red")
            for turn in range(21)
        ]
        for item in items:
            publishing.publish(session, actor, item, None)
        draft_index.index_range(session, 0, max(items))
        session.execute(
            text(
                "UPDATE renderings SET words = NULL FROM publications AS shown"
                " WHERE shown.version_id = renderings.version_id AND shown.content_id IN (:a, :b)"
            ),
            {"a": items[2], "b": items[3]},
        )
    query = read_query('"red lamp" -"lamp red lamp"')
    public, visible = pages_of_both(sessions, database_url, actor, query)
    for found in (public, visible):
        hits = [hit for page in found for hit in page.hits]
        assert sorted(hit.id for hit in hits) == [items[turn] for turn in in_a_row]
        assert [hit.position for hit in hits] == list(range(1, len(in_a_row) + 1))
        assert hits[0].id == items[10]
        # Nothing was found in two stretches, and older items were still to be read.
        assert (found[0].hits, found[0].did_you_mean) == ([], None)


def test_an_edit_between_two_pages_shows_no_other_hit_twice(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        actor, items = make_lanterns(session, 6)
    with sessions() as session:
        first = searching.search_visible(session, actor, "mine", QUERY, SearchFilter(), FIRST, 3)
    assert first.next is not None
    gone = next(item for item in items if item not in {hit.id for hit in first.hits})
    with sessions.begin() as session:
        content.edit(session, actor, gone, None, {"body": "nothing"})
        draft_index.index_range(session, 0, max(items))
    cursor: Any = decode_cursor(first.next, int, int, int, int)
    with sessions() as session:
        second = searching.search_visible(session, actor, "mine", QUERY, SearchFilter(), cursor, 3)
    shown = [hit.id for hit in (*first.hits, *second.hits)]
    assert sorted([*shown, gone]) == items


def test_the_stems_of_a_query_are_whole_though_others_make_room_for_theirs(
    database_url: str,
) -> None:
    with psycopg.connect(database_url, autocommit=True) as reader:
        find = find_by(reader)

        def find_while_others_clear(statement: str, parameters: Any) -> Any:
            stems._kept.clear()
            return find(statement, parameters)

        find_stems(find, ["libraries"], "en")
        found = find_stems(find_while_others_clear, ["harbours", "libraries"], "en")
    assert found == {"harbours": ["=enharbour"], "libraries": ["=enlibrari"]}
