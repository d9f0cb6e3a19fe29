"""Promises of what the API says of versions that were pruned."""

import pytest
from flask.testing import FlaskClient

from tests.factories import Caller
from tests.services.content.aged_versions import age, hours_of_one_day, prune_all
from tests.services.content.versions_in_numbers import seal_all
from webapp.api.edge import ImprintApp
from webapp.kit.roles import RoleName


@pytest.fixture
def caller(client: FlaskClient) -> Caller:
    """Somebody who writes."""
    return Caller(client, RoleName.EDITOR)


@pytest.fixture
def item(app: ImprintApp, caller: Caller) -> str:
    """The path of an item of six versions, of which the first and the last two are left."""
    content_id = caller.call("POST", "/content", {"title": "Text", "body": "1"}).json["id"]
    for number in range(2, 7):
        changes = {"body": str(number)}
        caller.call("PATCH", f"/content/{content_id}", changes, If_Match="*")
    with app.context.sessions.begin() as session:  # type: ignore[union-attr]
        seal_all(session, content_id)
        age(session, content_id, hours_of_one_day(6))
        prune_all(session)
    return f"/content/{content_id}"


def test_a_list_says_where_versions_were_pruned(caller: Caller, item: str) -> None:
    listed = caller.call("GET", f"{item}/versions").json["items"]
    assert [(line["number"], line["pruned_before"]) for line in listed] == [(6, 0), (5, 3), (1, 0)]
    page = caller.call("GET", f"{item}/versions?limit=2").json
    assert [line["pruned_before"] for line in page["items"]] == [0, 3]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/versions/3", None),
        ("GET", "/versions/3/checks", None),
        ("GET", "/versions/6/comparison?former=3", None),
        ("POST", "/versions/3/restore", None),
        ("POST", "/versions/3/labels", {"name": "as printed"}),
        ("POST", "/versions/3/previews", {"hours": 1}),
        ("POST", "/publish", {"version": 3}),
        ("POST", "/schedule", {"action": "publish", "at": "2090-01-01T00:00:00Z", "version": 3}),
    ],
)
def test_a_version_that_was_pruned_is_gone_and_one_that_never_was_is_not_found(
    caller: Caller, item: str, method: str, path: str, body: dict[str, object] | None
) -> None:
    answer = caller.call(method, item + path, body, If_Match="*")
    assert (answer.status_code, answer.json["detail"][:21]) == (410, "Version 3 was pruned:")
    if body is not None and "version" in body:
        body = {**body, "version": 9}
    answer = caller.call(method, item + path.replace("3", "9"), body, If_Match="*")
    assert answer.status_code == 404


def test_without_a_former_it_is_the_one_that_is_left(caller: Caller, item: str) -> None:
    compared = caller.call("GET", f"{item}/versions/5/comparison").json
    assert [run["text"] for run in compared["body"]] == ["1", "5"]


def test_changes_that_began_from_a_pruned_version_are_told_so(caller: Caller, item: str) -> None:
    changes = {"base_version": 3, "changes": {"title": "Other"}}
    answer = caller.call("PUT", f"{item}/autosave", changes)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["reason"] == "that version was pruned; read the item again"
    answer = caller.call("PATCH", item, {"title": "Other", "base_version": 3}, If_Match='"1"')
    assert (answer.status_code, answer.json["newer"]["merge"]) == (412, None)
    assert answer.json["newer"]["version"] == 6


def test_numbers_are_not_given_again(caller: Caller, item: str) -> None:
    saved = caller.call("PATCH", item, {"body": "7"}, If_Match="*").json
    assert saved["version"] == 7
    restored = caller.call("POST", f"{item}/versions/5/restore", If_Match="*").json
    assert (restored["version"], restored["body"]) == (8, "5")
