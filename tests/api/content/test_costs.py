"""What requests about items cost: how many statements they may send at most.

Who asks is the first of each, and to commit is none.
"""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.factories import Caller
from tests.statements import noting_executions
from webapp.kit.roles import RoleName

MOVES: list[tuple[str, Any, int]] = [
    # Its text is rendered between two tries, and looked over by the checks.
    ("publish", {}, 28),
    ("unpublish", None, 11),
    ("trash", None, 6),
    ("untrash", None, 5),
    ("archive", None, 6),
    ("unarchive", None, 5),
]


def test_an_item_is_read_by_one_statement_besides_who_asks(client: FlaskClient) -> None:
    author = Caller(client, RoleName.AUTHOR)
    made = author.call("POST", "/content", {"title": "Read", "tags": ["One", "two"]}).get_json()
    path = f"/content/{made['id']}"
    author.call("POST", f"{path}/reviews", {}, If_Match='"1"')
    with noting_executions() as noted:
        item = author.call("GET", path).get_json()
    assert item["state"] == "in_review"
    assert [tag["name"] for tag in item["tags"]] == ["One", "two"]
    assert len(noted) == 2, noted


@pytest.mark.parametrize(
    ("role", "fields", "most"),
    [
        (RoleName.EDITOR, {}, 2),
        (RoleName.AUTHOR, {}, 3),
        (RoleName.AUTHOR, {"tags": ["Known"]}, 4),
        (RoleName.AUTHOR, {"slug": "asked-for"}, 3),
    ],
)
def test_an_item_is_made_by_few_statements(
    client: FlaskClient, role: RoleName, fields: dict[str, Any], most: int
) -> None:
    author = Caller(client, role)
    author.call("POST", "/content", {"title": "First", "tags": ["Known"]})
    with noting_executions() as noted:
        made = author.call("POST", "/content", {"title": "Second", "body": "text", **fields})
    assert made.status_code == 201
    assert len(noted) <= most, noted


@pytest.mark.parametrize(
    ("changes", "most"),
    [({"body": "other"}, 4), ({"tags": ["Known"]}, 5), ({"slug": "another"}, 5)],
)
def test_an_edit_is_few_statements(client: FlaskClient, changes: dict[str, Any], most: int) -> None:
    author = Caller(client, RoleName.AUTHOR)
    author.call("POST", "/content", {"title": "First", "tags": ["Known"]})
    made = author.call("POST", "/content", {"title": "Second", "body": "text"}).get_json()
    with noting_executions() as noted:
        edited = author.call("PATCH", f"/content/{made['id']}", changes, If_Match='"1"')
    assert edited.status_code == 200
    assert len(noted) <= most, noted


def test_a_move_is_few_statements(client: FlaskClient) -> None:
    editor = Caller(client, RoleName.EDITOR)
    path = f"/content/{editor.call('POST', '/content', {'title': 'Moved'}).get_json()['id']}"
    for move, body, most in MOVES:
        etag = editor.call("GET", path).headers["ETag"]
        with noting_executions() as noted:
            moved = editor.call("POST", f"{path}/{move}", body, If_Match=etag)
        assert moved.status_code == 200, moved.get_json()
        assert len(noted) <= most, (move, noted)
