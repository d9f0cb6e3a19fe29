"""Promises about previews: who has the link reads the version, nobody else does, and it ends."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text, update
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import Caller
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.models import PreviewLink, User
from webapp.services.accounts import standing


@pytest.fixture
def author(client: FlaskClient) -> Caller:
    """A logged-in author."""
    return Caller(client, RoleName.AUTHOR)


@pytest.fixture
def path(author: Caller) -> str:
    """A draft of two versions."""
    made = author.call("POST", "/content", {"title": "A <b> draft", "body": "First *words*."})
    path = f"/content/{made.get_json()['id']}"
    author.call("PATCH", path, {"body": "Second *words*."}, If_Match="*")
    return path


def make(author: Caller, path: str, number: int = 1, **body: Any) -> Any:
    """Make a link and return what was answered."""
    made = author.call("POST", f"{path}/versions/{number}/previews", body)
    assert made.status_code == 201, made.get_json()
    return made.get_json()


def opened(client: FlaskClient, token: str) -> int:
    """Return the status with which a link answers, for the page and for programs alike."""
    page = client.get("/preview", query_string={"token": token})
    document = client.get("/api/v1/previews", query_string={"token": token})
    assert page.status_code == document.status_code
    return page.status_code


def test_who_has_the_link_reads_that_version_and_robots_are_kept_away(
    author: Caller, path: str, client: FlaskClient
) -> None:
    link = make(author, path)

    page = client.get(link["url"].partition("//")[2].partition("/")[2], base_url="http://x/")
    document = client.get("/api/v1/previews", query_string={"token": link["token"]})

    assert page.status_code == 200
    assert "First <em>words</em>." in page.text
    assert "A &lt;b&gt; draft" in page.text
    assert document.get_json()["html"].strip() == "<p>First <em>words</em>.</p>"
    assert document.get_json()["version"] == 1
    for answer in (page, document):
        assert "noindex" in answer.headers["X-Robots-Tag"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "script" not in page.headers["Content-Security-Policy"]
    listed = author.call("GET", f"{path}/previews").get_json()["items"]
    assert [(line["version"], line["views"]) for line in listed] == [(1, 2)]
    assert "token" not in listed[0]


def test_a_link_ends_when_it_is_revoked(author: Caller, path: str, client: FlaskClient) -> None:
    link, other = make(author, path), make(author, path)

    assert author.call("DELETE", f"{path}/previews/{link['id']}").status_code == 204

    assert (opened(client, link["token"]), opened(client, other["token"])) == (404, 200)
    assert author.call("DELETE", f"{path}/previews/{link['id']}").status_code == 404
    assert [line["id"] for line in author.call("GET", f"{path}/previews").get_json()["items"]] == [
        other["id"]
    ]


def test_a_link_ends_by_itself(
    author: Caller, path: str, client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    link = make(author, path, hours=1)
    with sessions.begin() as session:
        session.execute(update(PreviewLink).values(expires_at=utc_now() - timedelta(seconds=1)))

    assert opened(client, link["token"]) == 404


def test_a_link_opens_nothing_while_its_item_is_put_aside(
    author: Caller, path: str, client: FlaskClient
) -> None:
    link = make(author, path)
    author.call("POST", f"{path}/trash", If_Match="*")

    assert opened(client, link["token"]) == 404
    assert author.call("POST", f"{path}/versions/1/previews", {}).status_code == 409
    author.call("POST", f"{path}/untrash", If_Match="*")
    assert opened(client, link["token"]) == 200


@pytest.mark.parametrize("column", ["disabled_at", "frozen_at"])
def test_a_link_opens_nothing_once_its_makers_account_does_not_work(
    author: Caller, path: str, client: FlaskClient, sessions: sessionmaker[Session], column: str
) -> None:
    link = make(author, path)
    with sessions.begin() as session:
        session.execute(update(User).where(User.id == author.id).values({column: utc_now()}))

    assert opened(client, link["token"]) == 404


def test_only_a_digest_of_the_token_is_kept(
    author: Caller, path: str, sessions: sessionmaker[Session]
) -> None:
    token = make(author, path)["token"]

    with sessions() as session:
        rows = session.scalars(text("SELECT preview_links::text FROM preview_links")).all()
        lines = session.scalars(text("SELECT activity_logs::text FROM activity_logs")).all()
    assert not [row for row in [*rows, *lines] if token in row]


def test_what_is_no_token_opens_nothing(client: FlaskClient) -> None:
    for token in ("nobody", "x" * 90, "\N{SNOWMAN}"):
        assert opened(client, token) == 404
    assert client.get("/preview").status_code == 404
    assert client.get("/api/v1/previews").status_code == 422


def test_a_colleague_without_the_right_to_see_the_draft_makes_no_link(
    author: Caller, path: str, client: FlaskClient
) -> None:
    colleague = Caller(client, RoleName.AUTHOR)
    reader = Caller(client, RoleName.READER)
    link = make(author, path)

    assert colleague.call("POST", f"{path}/versions/1/previews", {}).status_code == 404
    assert colleague.call("DELETE", f"{path}/previews/{link['id']}").status_code == 404
    assert reader.call("POST", f"{path}/versions/1/previews", {}).status_code == 403
    assert Caller(client, RoleName.EDITOR).call(
        "DELETE", f"{path}/previews/{link['id']}"
    ).status_code == 204  # fmt: skip


def test_freezing_an_account_ends_its_links_for_good(
    author: Caller, path: str, client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    link = make(author, path)
    with sessions.begin() as session:
        standing.freeze(session, author.id)
        standing.thaw(session, author.id)

    assert opened(client, link["token"]) == 404


def test_a_link_ends_with_the_right_of_its_maker_to_see_the_item(
    client: FlaskClient, author: Caller, path: str
) -> None:
    admin, editor = Caller(client, RoleName.ADMIN), Caller(client, RoleName.EDITOR)
    tokens = {caller: make(caller, path)["token"] for caller in (editor, author)}
    assert [opened(client, token) for token in tokens.values()] == [200, 200]

    for caller, role in ((editor, "author"), (author, "reader")):
        admin.call("PUT", f"/users/{caller.id}/role", {"role": role}, If_Match="*")

    assert [opened(client, token) for token in tokens.values()] == [404, 404]
