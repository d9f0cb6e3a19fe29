"""What the API answers at a quota, and whom quotas bound."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import Caller
from webapp.api.edge import ImprintApp
from webapp.app import create_app
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.settings import Settings

BOUNDS = {
    "quota_drafts": 4, "quota_saves_a_day": 6, "quota_bytes_a_day": 20_000, "quota_follows": 1,
    "quota_sessions": 2,
}  # fmt: skip


@pytest.fixture
def app(settings: Settings) -> Iterator[ImprintApp]:
    """The API with small quotas."""
    app = create_app(settings.model_copy(update=BOUNDS))
    yield app
    assert app.context is not None
    app.context.readers.close()
    app.context.engine.dispose()


def write(caller: Caller, number: int = 0, body: str = "Text.", **headers: str) -> int:
    """Write an item and return the status."""
    draft = {"title": f"Item {number}", "body": body}
    return int(caller.call("POST", "/content", draft, **headers).status_code)


def test_a_draft_too_many_is_a_conflict_that_the_trash_resolves(client: FlaskClient) -> None:
    author = Caller(client, RoleName.AUTHOR)
    assert [write(author, number) for number in range(4)] == [201] * 4
    refused = author.call("POST", "/content", {"title": "One more"})
    assert refused.status_code == 409
    assert refused.content_type == "application/problem+json"
    assert "has 4 of at most 4 drafts" in refused.get_json()["detail"]
    newest = author.call("GET", "/content").get_json()["items"][0]["id"]
    author.call("DELETE", f"/content/{newest}", If_Match="*")
    assert write(author) == 201
    back = author.call("POST", f"/content/{newest}/untrash", If_Match="*")
    assert back.status_code == 409


def test_a_day_that_is_used_up_says_when_the_next_begins(client: FlaskClient) -> None:
    author = Caller(client, RoleName.AUTHOR)
    assert write(author, body="x" * 15_000) == 201
    asked_at = utc_now()
    refused = author.call("POST", "/content", {"title": "T", "body": "x" * 10_000})
    assert refused.status_code == 429
    tomorrow = asked_at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    again_at = asked_at + timedelta(seconds=int(refused.headers["Retry-After"]))
    assert again_at <= tomorrow + timedelta(seconds=1)
    assert again_at + (utc_now() - asked_at) >= tomorrow
    assert "it may save 20000 a day" in refused.get_json()["detail"]
    item = author.call("GET", "/content").get_json()["items"][0]
    path = f"/content/{item['id']}"
    for number in range(5):
        saved = author.call("PATCH", path, {"body": f"{number}"}, If_Match="*")
        assert saved.status_code == 200
    refused = author.call("PATCH", path, {"body": "one too many"}, If_Match="*")
    assert refused.status_code == 429
    assert author.call("GET", path).get_json()["body"] == "4"


def test_a_repeated_request_is_counted_once(client: FlaskClient) -> None:
    author = Caller(client, RoleName.AUTHOR)
    assert [write(author, Idempotency_Key="same") for _ in range(8)] == [201] * 8
    assert write(author, 2) == 201


def test_editors_write_without_a_bound_and_follow_within_one(client: FlaskClient) -> None:
    editor = Caller(client, RoleName.EDITOR)
    assert [write(editor, number, "x" * 5_000) for number in range(8)] == [201] * 8
    others = [Caller(client, RoleName.AUTHOR).id for _ in range(2)]
    first, second = (editor.call("PUT", f"/follows/author/{other}") for other in others)
    assert (first.status_code, second.status_code) == (204, 409)
    assert "has 1 of at most 1 follows" in second.get_json()["detail"]


def test_requests_at_once_never_pass_a_quota(app: ImprintApp) -> None:
    author = Caller(app.test_client(), RoleName.AUTHOR)

    def write_apart(number: int) -> int:
        mine = Caller.__new__(Caller)
        mine.client, mine.token = app.test_client(), author.token
        return write(mine, number)

    with ThreadPoolExecutor(10) as pool:
        statuses = sorted(pool.map(write_apart, range(10)))
    assert statuses == [201] * 4 + [409] * 6


def test_a_session_in_use_outlives_one_that_is_not(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    reader = Caller(client, RoleName.READER)
    credentials = {"login": reader.login, "password": "a password for tests"}
    first, second = reader.token, client.post("/api/v1/auth/token", json=credentials).get_json()
    with sessions.begin() as session:
        session.execute(text("UPDATE access_tokens SET created_at = now() - interval '2 hours'"))
    reader.call("GET", "/accounts/me")
    lines = reader.call("GET", "/auth/sessions").get_json()["items"]
    assert [line["last_used_at"] is not None for line in lines] == [True, False]
    client.post("/api/v1/auth/token", json=credentials)
    assert reader.call("GET", "/accounts/me").status_code == 200
    assert first == reader.token
    reader.token = second["access_token"]
    assert reader.call("GET", "/accounts/me").status_code == 401
