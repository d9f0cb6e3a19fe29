"""Promises about labels: a name is one version's, is found again, and keeps its version."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import Caller
from webapp.api.edge import ImprintApp
from webapp.kit.roles import RoleName
from webapp.services.content import labels

PRINTED = {"name": "as printed"}


@pytest.fixture
def author(client: FlaskClient) -> Caller:
    """A logged-in author."""
    return Caller(client, RoleName.AUTHOR)


@pytest.fixture
def path(author: Caller) -> str:
    """An item of two versions."""
    made = author.call("POST", "/content", {"title": "First"})
    path = f"/content/{made.get_json()['id']}"
    author.call("PATCH", path, {"title": "Second"}, If_Match="*")
    return path


def test_a_version_is_found_by_its_names(author: Caller, path: str) -> None:
    for name in ("as printed", "for the archive"):
        made = author.call("POST", f"{path}/versions/1/labels", {"name": name})
        assert (made.status_code, made.get_json()["version"]) == (201, 1)

    listed = author.call("GET", f"{path}/labels").get_json()["items"]
    assert [(line["name"], line["version"]) for line in listed] == [
        ("for the archive", 1),
        ("as printed", 1),
    ]
    versions = author.call("GET", f"{path}/versions").get_json()["items"]
    assert [line["labels"] for line in versions] == [[], ["as printed", "for the archive"]]
    assert author.call("GET", f"{path}/versions/1").get_json()["labels"] == versions[1]["labels"]


def test_a_name_is_one_versions_until_it_is_taken_away(author: Caller, path: str) -> None:
    first = author.call("POST", f"{path}/versions/1/labels", PRINTED).get_json()
    assert author.call("POST", f"{path}/versions/1/labels", PRINTED).get_json() == first
    refused = author.call("POST", f"{path}/versions/2/labels", PRINTED)
    assert refused.status_code == 409
    assert "Version 1" in refused.get_json()["detail"]

    assert author.call("DELETE", f"{path}/labels/{first['id']}").status_code == 204
    assert author.call("DELETE", f"{path}/labels/{first['id']}").status_code == 404
    assert author.call("POST", f"{path}/versions/2/labels", PRINTED).status_code == 201


def test_of_two_versions_that_are_given_a_name_at_once_one_has_it(
    author: Caller, path: str, app: ImprintApp
) -> None:
    def give(number: int) -> int:
        headers = {"Authorization": f"Bearer {author.token}"}
        address = f"/api/v1{path}/versions/{number % 2 + 1}/labels"
        return app.test_client().post(address, json=PRINTED, headers=headers).status_code

    with ThreadPoolExecutor(6) as threads:
        statuses = sorted(threads.map(give, range(6)))

    assert statuses == [201, 201, 201, 409, 409, 409]


def test_a_version_with_a_name_cannot_be_deleted(
    author: Caller, path: str, sessions: sessionmaker[Session]
) -> None:
    author.call("POST", f"{path}/versions/1/labels", PRINTED)

    with sessions() as session, pytest.raises(IntegrityError):
        session.execute(text("DELETE FROM content_versions WHERE number = 1"))
    with sessions.begin() as session:
        session.execute(text("DELETE FROM jobs"))
        session.execute(text("DELETE FROM content"))
        assert session.scalar(text("SELECT count(*) FROM version_labels")) == 0


def test_an_item_has_so_many_labels(
    author: Caller, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels, "MOST_OF_ONE_ITEM", 1)
    author.call("POST", f"{path}/versions/1/labels", PRINTED)

    assert author.call("POST", f"{path}/versions/2/labels", {"name": "x"}).status_code == 409
    assert len(author.call("GET", f"{path}/labels").get_json()["items"]) == 1


def test_names_are_lines_that_can_be_read(author: Caller, path: str) -> None:
    for name in ("", "x" * 101, "two\nlines", " "):
        answer = author.call("POST", f"{path}/versions/1/labels", {"name": name})
        assert answer.status_code == 422, repr(name)
