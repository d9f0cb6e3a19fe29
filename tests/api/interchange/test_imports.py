"""What the source of an item has beside is for its authors and editors alone."""

from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import Caller, make_actor, make_content
from webapp.kit.imports.article import ImportedArticle
from webapp.kit.roles import RoleName
from webapp.services.interchange.content_import import ImportOptions, import_article

ARTICLE = ImportedArticle(
    source="three.md",
    title="Three",
    slug="three",
    body="Text",
    body_format="markdown",
    status="published",
    published_at=datetime(2020, 1, 1, tzinfo=UTC),
    metadata={"lang": "de"},
    private={"internal_note": "fire Bob in March"},
)


@pytest.fixture
def ids(sessions: sessionmaker[Session]) -> tuple[int, int]:
    """An imported public item, and one that was written here."""
    with sessions.begin() as session:
        actor = make_actor(session)
        options = ImportOptions("blog", None, publish=True)
        imported = import_article(session, actor, ARTICLE, options)
        return imported.content_id, make_content(session, actor)


def test_what_is_private_at_the_source_is_in_no_public_answer(
    client: FlaskClient, ids: tuple[int, int]
) -> None:
    for path in ("/api/v1/published/three", "/api/v1/published"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "Bob" not in answer.get_data(as_text=True)
    assert client.get("/api/v1/published/three").get_json()["metadata"] == {"lang": "de"}
    assert client.get(f"/api/v1/content/{ids[0]}/import").status_code == 401


def test_who_may_see_an_item_may_see_what_its_source_said(
    client: FlaskClient, ids: tuple[int, int]
) -> None:
    editor = Caller(client, RoleName.EDITOR)
    answer = editor.call("GET", f"/content/{ids[0]}/import")
    assert answer.get_json() == {
        "source": "blog:three.md",
        "status": "published",
        "published_at": "2020-01-01T00:00:00Z",
        "expires_at": None,
        "private": {"internal_note": "fire Bob in March"},
    }
    assert editor.call("GET", f"/content/{ids[1]}/import").status_code == 404
    stranger = Caller(client, RoleName.AUTHOR)
    assert stranger.call("GET", f"/content/{ids[0]}/import").status_code == 404


def test_the_document_says_that_metadata_is_public(client: FlaskClient) -> None:
    schemas = client.get("/openapi.json").get_json()["components"]["schemas"]
    for name in ("NewContent", "ContentAnswer"):
        assert "ublic" in schemas[name]["properties"]["metadata"]["description"]
