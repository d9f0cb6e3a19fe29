"""Promises about comments: where they stand, who says and takes back what, and what is refused."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from tests.at_once import at_once
from tests.factories import Caller
from tests.statements import noting_executions
from webapp.api.edge import ImprintApp
from webapp.kit.roles import RoleName
from webapp.services.content import comments

SAID = {"body": "This is not so."}


@pytest.fixture
def author(client: FlaskClient) -> Caller:
    """A logged-in author."""
    return Caller(client, RoleName.AUTHOR)


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    """A logged-in editor."""
    return Caller(client, RoleName.EDITOR)


@pytest.fixture
def path(author: Caller) -> str:
    """The comments of an item of three lines."""
    made = author.call("POST", "/content", {"title": "First", "body": "one\ntwo\nthree"})
    return f"/content/{made.get_json()['id']}/comments"


def begin(caller: Caller, path: str, **fields: Any) -> dict[str, Any]:
    made = caller.call("POST", path, {**SAID, **fields})
    assert made.status_code == 201, made.get_json()
    thread: dict[str, Any] = made.get_json()
    return thread


def answer_in(caller: Caller, path: str, thread: dict[str, Any], body: str) -> int:
    made = caller.call("POST", f"{path}/threads/{thread['id']}/replies", {"body": body})
    assert made.status_code == 201, made.get_json()
    return int(made.get_json()["id"])


def listed(caller: Caller, path: str, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = caller.call("GET", f"{path}{query}").get_json()["items"]
    return found


def said_in(caller: Caller, path: str, thread: dict[str, Any]) -> list[tuple[int, str, bool]]:
    shown = caller.call("GET", f"{path}/threads/{thread['id']}").get_json()
    return [(one["id"], one["body"], one["deleted_at"] is not None) for one in shown["items"]]


def test_a_thread_is_begun_and_answered(author: Caller, editor: Caller, path: str) -> None:
    thread = begin(editor, path, version=1, line=2)
    assert (thread["quote"], thread["current_line"], thread["outdated"]) == ("two", 2, False)
    second = answer_in(author, path, thread, "But it is.")
    whole = begin(author, path)

    assert [(one["id"], one["comment_count"]) for one in listed(author, path)] == [
        (whole["id"], 1),
        (thread["id"], 2),
    ]
    assert [one["id"] for one in listed(author, path, "?version=1")] == [thread["id"]]
    first = thread["first"]
    assert (first["author_id"], first["body"]) == (editor.id, SAID["body"])
    assert said_in(editor, path, thread) == [
        (first["id"], SAID["body"], False),
        (second, "But it is.", False),
    ]


def test_a_line_is_found_again_or_said_to_be_outdated(
    author: Caller, editor: Caller, path: str
) -> None:
    thread = begin(editor, path, version=1, line=2)
    item = path.removesuffix("/comments")
    for body, line, outdated in (
        ("two\nnone\none\ntwo\nthree", 1, False),
        ("none\ntwo words", None, True),
    ):
        author.call("PATCH", item, {"body": body}, If_Match="*")
        (shown,) = listed(author, path)
        assert (shown["current_line"], shown["outdated"]) == (line, outdated)
        assert (shown["version"], shown["line"], shown["quote"]) == (1, 2, "two")
        whole = author.call("GET", f"{path}/threads/{thread['id']}").get_json()["thread"]
        assert whole == shown


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"line": 1}, 422),
        ({"version": 1, "line": 4}, 422),
        ({"version": 1, "line": 2**63 - 1}, 422),
        ({"version": 2}, 404),
        ({"body": "  \n"}, 422),
        ({"body": "x" * 10_001}, 422),
        ({"body": "nul\x00"}, 422),
    ],
)
def test_what_is_about_nothing_or_says_nothing_is_refused(
    author: Caller, path: str, asked: dict[str, Any], status: int
) -> None:
    assert author.call("POST", path, {**SAID, **asked}).status_code == status
    assert listed(author, path) == []


def test_a_thread_is_resolved_and_opened_again_once(
    author: Caller, editor: Caller, path: str, sessions: sessionmaker[Session]
) -> None:
    thread = begin(editor, path)
    settle = f"{path}/threads/{thread['id']}"
    first = author.call("POST", f"{settle}/resolve").get_json()
    again = editor.call("POST", f"{settle}/resolve").get_json()
    assert first["resolved_at"] is not None
    assert (again["resolved_at"], again["resolved_by_id"]) == (first["resolved_at"], author.id)
    assert [one["id"] for one in listed(author, path, "?resolved=true")] == [thread["id"]]
    assert listed(author, path, "?resolved=false") == []
    for _ in range(2):
        opened = editor.call("POST", f"{settle}/reopen").get_json()
        assert (opened["resolved_at"], opened["resolved_by_id"]) == (None, None)
    with sessions() as session:
        actions = session.scalars(
            text("SELECT action FROM activity_logs WHERE action LIKE 'comment.%' ORDER BY id")
        ).all()
    assert actions == ["comment.create", "comment.resolve", "comment.reopen"]


def test_words_are_changed_by_who_said_them_alone(
    author: Caller, editor: Caller, path: str
) -> None:
    said = begin(author, path)["first"]
    assert editor.call("PATCH", f"{path}/{said['id']}", {"body": "Yes."}).status_code == 403
    edited = author.call("PATCH", f"{path}/{said['id']}", {"body": "No."}).get_json()
    assert (edited["body"], edited["edited_at"] is not None) == ("No.", True)
    same = author.call("PATCH", f"{path}/{said['id']}", {"body": "No."}).get_json()
    assert same == edited


def test_what_is_deleted_leaves_a_gap_where_others_follow(
    author: Caller, editor: Caller, path: str
) -> None:
    thread = begin(author, path)
    first = thread["first"]["id"]
    second, third = (answer_in(editor, path, thread, body) for body in ("Two.", "Three."))
    assert author.call("DELETE", f"{path}/{second}").status_code == 403
    assert editor.call("DELETE", f"{path}/{first}").status_code == 204
    assert said_in(author, path, thread)[0] == (first, "", True)
    for method in ("DELETE", "PATCH"):
        gone = author.call(method, f"{path}/{first}", SAID if method == "PATCH" else None)
        assert gone.status_code == 404
    assert editor.call("DELETE", f"{path}/{second}").status_code == 204
    assert len(said_in(author, path, thread)) == 3
    assert editor.call("DELETE", f"{path}/{third}").status_code == 204
    assert listed(author, path) == []
    assert author.call("GET", f"{path}/threads/{thread['id']}").status_code == 404


def test_gaps_that_nothing_follows_are_gone(author: Caller, path: str) -> None:
    thread = begin(author, path)
    second, third = (answer_in(author, path, thread, body) for body in ("Two.", "Three."))
    for comment_id in (second, third):
        assert author.call("DELETE", f"{path}/{comment_id}").status_code == 204
    assert [one[0] for one in said_in(author, path, thread)] == [thread["first"]["id"]]


def test_of_what_is_put_aside_comments_are_read_and_not_written(author: Caller, path: str) -> None:
    thread = begin(author, path)
    author.call("POST", f"{path.removesuffix('/comments')}/archive", If_Match="*")
    assert [one["id"] for one in listed(author, path)] == [thread["id"]]
    below = f"{path}/threads/{thread['id']}"
    for method, address, body in (
        ("POST", path, SAID),
        ("POST", f"{below}/replies", SAID),
        ("POST", f"{below}/resolve", None),
        ("POST", f"{below}/reopen", None),
        ("PATCH", f"{path}/{thread['first']['id']}", SAID),
        ("DELETE", f"{path}/{thread['first']['id']}", None),
    ):
        refused = author.call(method, address, body)
        assert refused.status_code == 409, address
        assert refused.get_json()["item"]["moves"] == ["unarchive"]


def test_what_is_of_another_item_is_not_found(author: Caller, path: str) -> None:
    thread = begin(author, path)
    made = author.call("POST", "/content", {"title": "Other"}).get_json()
    other = f"/content/{made['id']}/comments"
    below = f"{other}/threads/{thread['id']}"
    for method, address, body in (
        ("GET", below, None),
        ("POST", f"{below}/replies", SAID),
        ("POST", f"{below}/resolve", None),
        ("PATCH", f"{other}/{thread['first']['id']}", SAID),
        ("DELETE", f"{other}/{thread['first']['id']}", None),
    ):
        assert author.call(method, address, body).status_code == 404, address
    assert len(listed(author, path)) == 1


def test_there_are_so_many_threads_and_comments_and_no_more(
    author: Caller, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comments, "MOST_THREADS", 2)
    monkeypatch.setattr(comments, "MOST_COMMENTS", 2)
    thread, _ = begin(author, path), begin(author, path)
    assert author.call("POST", path, SAID).status_code == 409
    answer_in(author, path, thread, "Two.")
    replies = f"{path}/threads/{thread['id']}/replies"
    assert author.call("POST", replies, SAID).status_code == 409
    assert [one["comment_count"] for one in listed(author, path)] == [1, 2]


def test_pages_go_on_where_they_ended(author: Caller, path: str) -> None:
    threads = [begin(author, path) for _ in range(3)]
    replies = [answer_in(author, path, threads[0], f"{turn}") for turn in range(3)]
    for address, wanted in (
        (path, [one["id"] for one in reversed(threads)]),
        (f"{path}/threads/{threads[0]['id']}", [threads[0]["first"]["id"], *replies]),
    ):
        found: list[int] = []
        cursor = ""
        while cursor is not None:
            page = author.call("GET", f"{address}?limit=1{cursor}").get_json()
            found += [one["id"] for one in page["items"]]
            cursor = page["next"] and f"&cursor={page['next']}"
        assert found == wanted


def test_a_page_of_threads_takes_as_many_statements_as_one(author: Caller, path: str) -> None:
    begin(author, path, version=1, line=1)
    counts = []
    for _ in range(2):
        with noting_executions() as noted:
            listed(author, path)
        counts.append(len(noted))
        for line in (1, 2, 3):
            answer_in(author, path, begin(author, path, version=1, line=line), "Yes.")
    assert counts[0] == counts[1] == 5, noted


def test_a_thread_is_deleted_or_answered_and_no_answer_is_lost(
    author: Caller, editor: Caller, path: str, app: ImprintApp
) -> None:
    for _ in range(5):
        thread = begin(author, path)
        below = f"/api/v1{path}/threads/{thread['id']}"

        def act(turn: int, below: str = below, first: int = thread["first"]["id"]) -> str:
            client = app.test_client()
            caller = author if turn == 0 else editor
            headers = {"Authorization": f"Bearer {caller.token}"}
            if turn == 0:
                return f"delete {client.delete(f'/api/v1{path}/{first}', headers=headers).status}"
            if turn == 1:
                return f"resolve {client.post(f'{below}/resolve', headers=headers).status_code}"
            sent = client.post(f"{below}/replies", json=SAID, headers=headers)
            return f"reply {sent.status_code}"

        came = at_once(act, 4)
        assert came[0] == "delete 204 NO CONTENT"
        answered = came.count("reply 201")
        assert answered + came.count("reply 404") == 2
        there = [one for one in listed(author, path) if one["id"] == thread["id"]]
        if not answered:
            assert there == []
            continue
        resolved = there[0]["resolved_at"] is not None
        assert ("resolve 200" in came) is resolved
        alive = [one for one in said_in(author, path, thread) if not one[2]]
        assert len(alive) == answered
