"""Promises of conditional requests: RFC 9110's comparisons, also behind proxies that compress."""

from concurrent.futures import ThreadPoolExecutor
from itertools import product
from threading import Barrier

import pytest
from flask.testing import FlaskClient

from tests.factories import Caller
from webapp.kit.roles import RoleName

NO_FIT = [
    '""', '"01"', '"0"', '"-1"', '"+1"', '"1.0"', '"1 "', '"١"', '"2"', '"2", "3"', "1", "W/1",
    'w/"1"', '"1', '1"', '*, "1"', '"1" "2"', '"9999999999999999999999"', ",", "é", "'1'",
]  # fmt: skip


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    """A logged-in editor."""
    return Caller(client, RoleName.EDITOR)


@pytest.fixture
def item(editor: Caller) -> str:
    """The path of a new item, whose ETag is "1"."""
    made = editor.call("POST", "/content", {"title": "First"})
    assert made.headers["ETag"] == '"1"'
    return f"/content/{made.get_json()['id']}"


@pytest.fixture
def schedule(editor: Caller, item: str) -> str:
    """The path of a new schedule of that item, whose ETag is "1"."""
    plan = {"action": "publish", "at": "2090-01-01T00:00:00Z"}
    made = editor.call("POST", f"{item}/schedule", plan, If_Match='W/"1"')
    assert (made.status_code, made.headers["ETag"]) == (201, '"1"')
    return f"/schedule/{made.get_json()['id']}"


@pytest.mark.parametrize(
    "seen", ['"1"', 'W/"1"', '"7", "1"', '"x" , W/"1",', '"1-gzip"', ' "1" ', "*"]
)
def test_a_change_goes_through_when_any_tag_fits(
    editor: Caller, item: str, schedule: str, seen: str
) -> None:
    changed = editor.call("PATCH", schedule, {"if_missed": "skip"}, If_Match=seen)
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    edited = editor.call("PATCH", item, {"title": "Second"}, If_Match=seen)
    assert (edited.status_code, edited.headers["ETag"]) == (200, '"2"')


def test_a_change_is_refused_with_a_sentence_when_no_tag_fits(
    editor: Caller, item: str, schedule: str
) -> None:
    for seen in NO_FIT:
        for path, change in ((schedule, {"if_missed": "skip"}), (item, {"title": "Second"})):
            # A client library would send these bytes as they are.
            raw = seen.encode().decode("latin-1")
            answer = editor.call("PATCH", path, change, If_Match=raw)
            assert (answer.status_code, answer.content_type) == (412, "application/problem+json")
            assert answer.get_json()["detail"].startswith(("If-Match", "Send in If-Match", "The "))
            assert editor.call("GET", path).headers["ETag"] == '"1"'


@pytest.mark.parametrize("seen", [None, "", " "])
def test_a_change_without_a_tag_is_asked_for_one(
    editor: Caller, item: str, seen: str | None
) -> None:
    headers = {} if seen is None else {"If_Match": seen}
    assert editor.call("DELETE", item, **headers).status_code == 428


CONDITIONS = [
    ("If-None-Match", "{etag}", 304),
    ("If-None-Match", "W/{etag}", 304),
    ("If-None-Match", '"x", W/{etag}', 304),
    ("If-None-Match", "*", 304),
    ("If-None-Match", '"x"', 200),
    ("If-None-Match", "junk", 200),
    ("If-None-Match", "", 200),
    ("If-Match", "{etag}", 200),
    ("If-Match", "*", 200),
    ("If-Match", '"x"', 412),
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_read_obeys_its_conditions_and_a_head_is_a_get_without_a_body(
    client: FlaskClient, editor: Caller, item: str, method: str
) -> None:
    editor.call("POST", f"{item}/publish", {}, If_Match="*")
    token = {"Authorization": f"Bearer {editor.token}"}
    paths = (item, "/published/first", "/published", "/published?limit=5", "/tags", "/categories")
    for path, (name, value, status) in product(paths, CONDITIONS):
        whole = client.get(f"/api/v1{path}", headers=token)
        condition = {name: value.format(etag=whole.headers["ETag"])}
        answer = client.open(f"/api/v1{path}", method=method, headers={**token, **condition})
        assert answer.status_code == status, (path, condition)
        if status == 412:
            continue
        assert answer.headers["ETag"] == whole.headers["ETag"]
        assert answer.headers["Cache-Control"] == whole.headers["Cache-Control"]
        if status == 200:
            assert answer.data == (whole.data if method == "GET" else b"")
            assert answer.headers["Content-Length"] == str(len(whole.data))
            assert answer.headers["Content-Type"] == whole.headers["Content-Type"]
        else:
            assert answer.data == b""
            assert "Content-Type" not in answer.headers


def test_conditions_tell_nothing_to_who_may_not_read(client: FlaskClient, item: str) -> None:
    other = Caller(client, RoleName.AUTHOR)
    assert other.call("GET", item, If_None_Match="*").status_code == 404
    assert client.get(f"/api/v1{item}", headers={"If-None-Match": "*"}).status_code == 401
    assert client.get("/api/v1/published/none", headers={"If-None-Match": "*"}).status_code == 404


# What is there besides items and schedules: how it is made, read and changed.
Thing = tuple[str, str, str, dict[str, object]]


@pytest.fixture
def things(client: FlaskClient) -> tuple[Caller, list[Thing]]:
    """A manager, and what they may change: where it is read, and how."""
    manager, reader = Caller(client, RoleName.MANAGER), Caller(client, RoleName.READER)
    made = manager.call("POST", "/categories", {"name": "Shelf"}).get_json()
    category = f"/categories/{made['id']}"
    return manager, [
        ("/accounts/me", "PATCH", "/accounts/me", {"bio": "A life"}),
        (f"/users/{reader.id}", "PUT", f"/users/{reader.id}/role", {"role": "author"}),
        (category, "PUT", category, {"name": "Another shelf"}),
        (category, "DELETE", category, {}),
    ]


def test_accounts_roles_and_categories_change_as_they_were_seen(
    things: tuple[Caller, list[Thing]],
) -> None:
    manager, every = things
    for read, method, path, change in every:
        before = manager.call("GET", read)
        etag = before.headers["ETag"]
        assert manager.call("GET", read, If_None_Match=etag).status_code == 304
        assert manager.call(method, path, change).status_code == 428
        for wrong in ('"no"', etag.strip('"'), '""'):
            refused = manager.call(method, path, change, If_Match=wrong)
            assert (refused.status_code, refused.content_type) == (412, "application/problem+json")
            assert manager.call("GET", read).get_json() == before.get_json()
        changed = manager.call(method, path, change, If_Match=f'W/{etag}, "other"')
        assert changed.status_code in {200, 204}
        if changed.status_code == 200:
            after = manager.call("GET", read)
            assert changed.headers["ETag"] == after.headers["ETag"] != etag
            assert manager.call(method, path, change, If_Match=etag).status_code == 412


def test_of_two_who_have_seen_the_same_one_changes_it(
    things: tuple[Caller, list[Thing]], client: FlaskClient
) -> None:
    manager, every = things
    app = client.application
    for read, method, path, change in every:
        etag = manager.call("GET", read).headers["ETag"]
        other = {key: f"{value}r" for key, value in change.items() if key != "role"}
        begin = Barrier(2)

        def send(json: dict[str, object], path: str = path, method: str = method) -> int:
            begin.wait()  # noqa: B023 - the threads end within their round
            headers = {"If-Match": etag, "Authorization": f"Bearer {manager.token}"}  # noqa: B023
            client = app.test_client()
            return client.open(
                f"/api/v1{path}", method=method, json=json, headers=headers
            ).status_code

        with ThreadPoolExecutor(2) as threads:
            statuses = sorted(threads.map(send, [change, {**change, **other}]))
        assert statuses[0] in {200, 204}
        assert statuses[1] == (404 if method == "DELETE" else 412)
