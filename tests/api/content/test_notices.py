"""Promises about the inbox of the newsroom: whose it is, what it shows, and what is read."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from tests.agents import Agent
from tests.factories import Caller
from tests.statements import noting_executions
from webapp.kit.roles import RoleName
from webapp.models import Content
from webapp.services.content import notice_inbox
from webapp.services.notices import tell

FAILED = {"action": "publish", "due_at": "noon", "words": "The slug is taken."}


@pytest.fixture
def author(client: FlaskClient) -> Caller:
    """A logged-in author."""
    return Caller(client, RoleName.AUTHOR)


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    """A logged-in editor."""
    return Caller(client, RoleName.EDITOR)


@pytest.fixture
def item(author: Caller) -> int:
    """An item of the author."""
    made = author.call("POST", "/content", {"title": "On tides", "body": "Text."})
    return int(made.get_json()["id"])


def tell_of(sessions: sessionmaker[Session], caller: Caller, *numbers: int, **more: Any) -> None:
    with sessions.begin() as session:
        for number in numbers:
            tell(
                session, [caller.id], "schedule.failed", "schedule", number, details=FAILED, **more
            )


def page_of(caller: Caller, asked: str = "") -> Any:
    answer = caller.call("GET", f"/notices{asked}")
    assert answer.status_code == 200
    return answer.get_json()


def subjects(caller: Caller, asked: str = "") -> list[int]:
    return [one["subject_id"] for one in page_of(caller, asked)["items"]]


def test_a_notice_says_what_happened_to_what(
    author: Caller, editor: Caller, item: int, sessions: sessionmaker[Session]
) -> None:
    tell_of(sessions, author, 7, content_id=item, by_id=editor.id)
    page = page_of(author)
    (notice,) = page["items"]
    assert notice["text"] == "The schedule to publish “On tides” at noon failed."
    assert (notice["words"], notice["title"]) == ("The slug is taken.", "On tides")
    assert (notice["kind"], notice["subject_kind"], notice["subject_id"]) == (
        "schedule.failed", "schedule", 7,
    )  # fmt: skip
    assert (notice["by_id"], notice["read_at"]) == (editor.id, None)
    assert (page["unread"], page["is_exact"]) == (1, True)
    assert page_of(editor)["items"] == []


def test_what_one_may_not_see_any_more_is_told_no_more(
    author: Caller, editor: Caller, item: int, sessions: sessionmaker[Session]
) -> None:
    for caller in (author, editor):
        tell_of(sessions, caller, 1, content_id=item)
        tell_of(sessions, caller, 2)
    with sessions.begin() as session:
        session.execute(update(Content).values(author_id=editor.id))
    assert (subjects(author), page_of(author)["unread"]) == ([2], 1)
    assert (subjects(editor), page_of(editor)["unread"]) == ([2, 1], 2)


def test_who_has_left_the_newsroom_is_told_of_no_release(
    author: Caller, client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    gone = Caller(client, RoleName.READER)
    details = {"name": "Secret launch", "due_at": "noon"}
    with sessions.begin() as session:
        tell(session, [author.id, gone.id], "release.failed", "release", 5, details=details)
    assert (subjects(author), page_of(author)["unread"]) == ([5], 1)
    assert (subjects(gone), page_of(gone)["unread"]) == ([], 0)


def test_a_key_that_reads_no_items_is_told_of_none(
    client: FlaskClient, item: int, sessions: sessionmaker[Session]
) -> None:
    manager = Caller(client, RoleName.MANAGER)
    tell_of(sessions, manager, 1, content_id=item)
    tell_of(sessions, manager, 2)
    for scope, wanted in (("read", [2, 1]), ("manage", [2])):
        page = Agent(manager, scope).call("GET", "/notices")
        assert ([one["subject_id"] for one in page["items"]], page["unread"]) == (
            wanted, len(wanted),
        )  # fmt: skip


def test_some_or_what_came_until_a_moment_or_all_is_read(
    author: Caller, editor: Caller, sessions: sessionmaker[Session]
) -> None:
    tell_of(sessions, author, 1, 2, 3, 4)
    tell_of(sessions, editor, 1)
    listed = page_of(author)["items"]
    theirs = page_of(editor)["items"][0]["id"]
    asked = {"ids": [listed[0]["id"], theirs, 10**9]}
    assert author.call("POST", "/notices/read", asked).status_code == 204
    assert subjects(author, "?unread=true") == [3, 2, 1]
    assert (
        author.call("POST", "/notices/read", {"until": listed[2]["created_at"]}).status_code == 204
    )
    assert subjects(author, "?unread=true") == [3]
    first = page_of(author)["items"][0]["read_at"]
    assert author.call("POST", "/notices/read", {"all": True}).status_code == 204
    page = page_of(author)
    assert (page["unread"], page["items"][0]["read_at"]) == (0, first)
    assert subjects(author) == [4, 3, 2, 1]
    assert page_of(editor)["unread"] == 1


def test_one_says_in_one_way_what_is_read(author: Caller) -> None:
    wrong: tuple[dict[str, Any], ...] = (
        {}, {"all": False}, {"ids": [1], "all": True}, {"ids": []}, {"ids": [0]},
        {"until": "noon"}, {"ids": list(range(1, 502))}, {"ids": None},
    )  # fmt: skip
    for asked in wrong:
        assert author.call("POST", "/notices/read", asked).status_code == 422, asked


def test_pages_go_on_where_they_ended_and_cost_the_same(
    author: Caller, item: int, sessions: sessionmaker[Session]
) -> None:
    tell_of(sessions, author, *range(1, 6), content_id=item)
    found: list[int] = []
    cursor = ""
    while cursor is not None:
        page = page_of(author, f"?limit=2{cursor}")
        found += [one["subject_id"] for one in page["items"]]
        cursor = page["next"] and f"&cursor={page['next']}"
    assert found == [5, 4, 3, 2, 1]
    counts = []
    for asked in ("?limit=1", "?limit=100"):
        with noting_executions() as noted:
            page_of(author, asked)
        counts.append(len(noted))
    assert counts[0] == counts[1] == 3, noted


def test_no_more_are_counted_than_are_of_use(
    author: Caller, sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    tell_of(sessions, author, 1, 2, 3)
    monkeypatch.setattr(notice_inbox, "MOST_COUNTED", 2)
    monkeypatch.setattr("webapp.api.content.notices.MOST_COUNTED", 2)
    page = page_of(author)
    assert (page["unread"], page["is_exact"]) == (2, False)
