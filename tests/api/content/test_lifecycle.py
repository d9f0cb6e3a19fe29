"""What an item tells of its state, and how what its state refuses is told."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.factories import Caller
from webapp.kit.roles import RoleName

AT_WORK = ["edit", "submit", "schedule", "publish", "archive", "trash", "preview", "comment"]
LATER = {"action": "publish", "at": "2099-01-01T00:00:00Z"}


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    return Caller(client, RoleName.EDITOR)


def make(caller: Caller, *steps: str) -> str:
    made = caller.call("POST", "/content", {"title": "Item", "body": "Text."})
    path = f"/content/{made.get_json()['id']}"
    for step in steps:
        done = do(caller, path, step)
        assert done.status_code == 200, done.get_json()
    return path


def do(caller: Caller, path: str, step: str) -> Any:
    return caller.call("POST", f"{path}/{step}", {} if step == "publish" else None, If_Match="*")


@pytest.mark.parametrize(
    ("steps", "status", "moves"),
    [
        ((), "draft", AT_WORK),
        (
            ("publish",),
            "published",
            [
                "edit",
                "submit",
                "schedule",
                "publish",
                "correct",
                "unpublish",
                "retract",
                "preview",
                "comment",
            ],
        ),
        (("publish", "unpublish"), "unpublished", AT_WORK),
        (("archive",), "archived", ["unarchive"]),
        (("trash",), "trashed", ["untrash"]),
        (("archive", "unarchive"), "draft", AT_WORK),
        (("publish", "unpublish", "archive", "unarchive"), "unpublished", AT_WORK),
        (("publish", "unpublish", "trash", "untrash"), "unpublished", AT_WORK),
    ],
)
def test_an_item_tells_where_it_stands_and_what_may_be_done(
    editor: Caller, steps: tuple[str, ...], status: str, moves: list[str]
) -> None:
    item = editor.call("GET", make(editor, *steps)).get_json()
    assert (item["status"], item["state"], item["moves"]) == (status, "draft", moves)


@pytest.mark.parametrize(
    ("steps", "method", "step", "body", "detail"),
    [
        (("archive",), "PATCH", "", {"title": "x"}, "The item is archived; unarchive it first."),
        (("archive",), "POST", "/publish", {}, "The item is archived; unarchive it first."),
        (("archive",), "POST", "/schedule", LATER, "The item is archived; unarchive it first."),
        (("archive",), "POST", "/trash", None, "The item is archived; unarchive it first."),
        (("archive",), "POST", "/untrash", None, "The item is not in the trash."),
        (("archive",), "POST", "/versions/1/restore", None,
         "The item is archived; unarchive it first."),
        (("trash",), "POST", "/archive", None, "The item is in the trash; take it out first."),
        (("trash",), "POST", "/unarchive", None, "The item is not archived."),
        (("publish",), "POST", "/archive", None, "The item is public; unpublish it first."),
        ((), "POST", "/unpublish", None, "The item is not public."),
    ],
)  # fmt: skip
def test_a_refused_move_tells_the_state_and_what_is_open(
    editor: Caller, steps: tuple[str, ...], method: str, step: str, body: Any, detail: str
) -> None:
    path = make(editor, *steps)
    item = editor.call("GET", path).get_json()
    refused = editor.call(method, path + step, body, If_Match="*")
    assert (refused.status_code, refused.content_type) == (409, "application/problem+json")
    problem = refused.get_json()
    assert (problem["status"], problem["detail"]) == (409, detail)
    assert problem["item"] == {name: item[name] for name in ("status", "state", "moves")}
    assert editor.call("GET", path).get_json() == item


def test_the_moves_told_are_those_of_the_caller(client: FlaskClient) -> None:
    author = Caller(client, RoleName.AUTHOR)
    path = make(author)
    assert author.call("GET", path).get_json()["moves"] == [
        "edit", "submit", "archive", "trash", "preview", "comment"
    ]  # fmt: skip
    do(author, path, "trash")
    refused = author.call("PATCH", path, {"title": "x"}, If_Match="*").get_json()
    assert refused["item"]["moves"] == ["untrash"]
    assert "item" not in do(Caller(client, RoleName.AUTHOR), path, "publish").get_json()


def test_lists_leave_out_what_is_put_aside_unless_asked(editor: Caller) -> None:
    steps = {
        "draft": (), "published": ("publish",), "unpublished": ("publish", "unpublish"),
        "archived": ("archive",), "trashed": ("trash",),
    }  # fmt: skip
    ids = {status: int(make(editor, *way).rpartition("/")[2]) for status, way in steps.items()}

    def listed(query: str) -> list[tuple[str, int]]:
        items = editor.call("GET", f"/content{query}").get_json()["items"]
        return [(item["status"], item["id"]) for item in items]

    for status, content_id in ids.items():
        assert listed(f"?status={status}") == [(status, content_id)]
    assert {status for status, _ in listed("")} == {"draft", "published", "unpublished"}
    assert editor.call("GET", "/content?status=gone").status_code == 422


def test_a_schedule_shows_in_the_state_and_a_cache_learns_of_it(editor: Caller) -> None:
    path = make(editor)
    seen = editor.call("GET", path).headers["ETag"]
    assert editor.call("GET", path, If_None_Match=seen).status_code == 304
    planned = editor.call("POST", f"{path}/schedule", LATER, If_Match=seen).get_json()["id"]

    def state() -> tuple[str, list[str]]:
        read = editor.call("GET", path, If_None_Match=seen)
        assert (read.status_code, read.headers["ETag"]) == (200, seen)
        return read.get_json()["state"], read.get_json()["moves"]

    assert state() == ("scheduled", ["edit", "schedule", "publish", "preview", "comment"])
    assert editor.call("DELETE", f"/schedule/{planned}", If_Match="*").status_code == 200
    assert state() == ("draft", AT_WORK)
    editor.call("POST", f"{path}/schedule", LATER, If_Match=seen)
    # Who has the text before them may save it, whether or not they have seen the schedule. That
    # pins the version before; the newest is a draft again.
    edited = editor.call("PATCH", path, {"title": "New"}, If_Match=seen)
    assert (edited.status_code, edited.get_json()["state"]) == (200, "draft")


def test_what_is_archived_is_read_by_nobody_else(client: FlaskClient, editor: Caller) -> None:
    path = make(editor, "publish", "unpublish", "archive")
    assert client.get("/api/v1/published").get_json()["items"] == []
    assert Caller(client, RoleName.AUTHOR).call("GET", path).status_code == 404
    assert do(Caller(client, RoleName.AUTHOR), path, "unarchive").status_code == 404
