"""Promises of what the public reads, and of schedules through the API."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.factories import Caller, run_ready_jobs
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.services.publishing import handing_over
from workers.context import WorkerContext


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    """A logged-in editor."""
    return Caller(client, RoleName.EDITOR)


def publish(editor: Caller, **fields: Any) -> dict[str, Any]:
    """Write and publish an item and return it."""
    made = editor.call("POST", "/content", fields)
    assert made.status_code == 201, made.get_json()
    path = f"/content/{made.get_json()['id']}/publish"
    answer = editor.call("POST", path, {}, If_Match=made.headers["ETag"])
    assert answer.status_code == 200, answer.get_json()
    item: dict[str, Any] = answer.get_json()
    return item


def fire(worker: WorkerContext) -> None:
    """Do what a dispatcher and the workers do with what is due."""
    with worker.transaction() as session:
        handing_over.hand_over_due(session)
    run_ready_jobs(worker, kinds={"schedules.fire"})


def slugs(client: FlaskClient, query: str = "") -> list[str]:
    """Return the slugs of a public list."""
    return [item["slug"] for item in client.get(f"/api/v1/published{query}").get_json()["items"]]


def test_a_draft_is_nowhere_in_public(client: FlaskClient, editor: Caller) -> None:
    editor.call("POST", "/content", {"title": "Secret", "slug": "secret"})
    missing = client.get("/api/v1/published/secret")
    assert missing.status_code == 404
    assert missing.content_type == "application/problem+json"
    assert slugs(client) == []
    assert slugs(client, "?q=secret") == []


def test_a_draft_leaks_through_no_side_door(client: FlaskClient, editor: Caller) -> None:
    reader, other = Caller(client, RoleName.READER), Caller(client, RoleName.READER)
    item = publish(editor, title="Public", slug="public", tags=["known"])
    assert reader.call("PUT", f"/follows/content/{item['id']}").status_code == 204
    changes = {"title": "Secret", "slug": "secret", "tags": ["secret takeover"]}
    edited = editor.call("PATCH", f"/content/{item['id']}", changes, If_Match="*").get_json()

    assert [f["name"] for f in reader.call("GET", "/follows").get_json()["items"]] == ["Public"]
    assert client.get("/api/v1/published/secret").status_code == 404
    assert [tag["slug"] for tag in client.get("/api/v1/tags").get_json()["items"]] == ["known"]
    (secret,) = edited["tags"]
    assert reader.call("PUT", f"/follows/tag/{secret['id']}").status_code == 404
    assert reader.call("PUT", f"/follows/author/{other.id}").status_code == 404


def test_a_public_item_is_read_and_read_again_without_its_body(
    client: FlaskClient, editor: Caller
) -> None:
    publish(editor, title="Hello", slug="hello", body="*hi*", tags=["T"])
    first = client.get("/api/v1/published/hello")
    assert first.status_code == 200
    assert first.get_json()["html"] == "<p><em>hi</em></p>\n"
    assert first.get_json()["author"]["name"] == editor.login
    again = client.get("/api/v1/published/hello", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    listed = client.get("/api/v1/published")
    assert (
        client.get(
            "/api/v1/published", headers={"If-None-Match": listed.headers["ETag"]}
        ).status_code
        == 304
    )


def test_an_old_address_leads_to_the_new_one(client: FlaskClient, editor: Caller) -> None:
    item = publish(editor, title="Hello", slug="old")
    path = f"/content/{item['id']}"
    editor.call("PATCH", path, {"slug": "new"}, If_Match="*")
    assert client.get("/api/v1/published/old").status_code == 200
    editor.call("POST", f"{path}/publish", {}, If_Match="*")
    moved = client.get("/api/v1/published/old")
    assert (moved.status_code, moved.headers["Location"]) == (301, "/api/v1/published/new")
    editor.call("POST", f"{path}/unpublish", If_Match="*")
    assert client.get("/api/v1/published/old").status_code == 404
    assert client.get("/api/v1/published/new").status_code == 404


def test_the_list_is_filtered_and_paged(client: FlaskClient, editor: Caller) -> None:
    manager = Caller(client, RoleName.MANAGER)
    category = manager.call("POST", "/categories", {"name": "News"}).get_json()
    publish(editor, title="A", slug="a", body="apples and pears", tags=["Fruit"])
    publish(editor, title="B", slug="b", body="a table", category_id=category["id"])
    publish(manager, title="C", slug="c", body="more apples", tags=["Fruit", "Red"])

    assert slugs(client) == ["c", "b", "a"]
    assert slugs(client, "?tag=fruit") == ["c", "a"]
    assert slugs(client, "?category=news") == ["b"]
    assert slugs(client, f"?author={manager.login}") == ["c"]
    assert slugs(client, "?q=apples") == ["c", "a"]
    assert slugs(client, "?q=apples -pears") == ["c"]
    assert slugs(client, "?tag=fruit&q=pears") == ["a"]
    assert slugs(client, "?tag=nothing") == []
    first = client.get("/api/v1/published?limit=2").get_json()
    assert slugs(client, f"?limit=2&cursor={first['next']}") == ["a"]


@pytest.mark.parametrize("cursor", ["x", "W10", "bm90IGpzb24", "WyIyMDIwIiwxXQ", "é", "W251bGxd"])
def test_a_cursor_that_was_not_given_out_is_refused(client: FlaskClient, cursor: str) -> None:
    answer = client.get("/api/v1/published", query_string={"cursor": cursor})
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"] == "query.cursor"


def test_a_schedule_is_made_changed_cancelled_and_fired(
    client: FlaskClient, editor: Caller, worker: WorkerContext
) -> None:
    made = editor.call("POST", "/content", {"title": "Later", "slug": "later"})
    path, etag = f"/content/{made.get_json()['id']}/schedule", made.headers["ETag"]
    tomorrow = (utc_now() + timedelta(days=1)).isoformat()
    plan = {"action": "publish", "at": tomorrow}

    assert editor.call("POST", path, plan).status_code == 428
    created = editor.call("POST", path, plan, If_Match=etag)
    assert created.status_code == 201
    assert (created.get_json()["state"], created.get_json()["version"]) == ("pending", 1)
    assert editor.call("POST", path, plan, If_Match="*").status_code == 409
    schedule_path = f"/schedule/{created.get_json()['id']}"
    assert editor.call("DELETE", schedule_path, If_Match='"7"').status_code == 412
    cancelled = editor.call("DELETE", schedule_path, If_Match=created.headers["ETag"])
    assert cancelled.get_json()["state"] == "cancelled"

    second = editor.call("POST", path, plan, If_Match="*")
    second_path = f"/schedule/{second.get_json()['id']}"
    now = utc_now().isoformat()
    editor.call("PATCH", second_path, {"at": now}, If_Match=second.headers["ETag"])
    assert len(editor.call("GET", path).get_json()["items"]) == 1
    fire(worker)

    assert client.get("/api/v1/published/later").status_code == 200
    assert editor.call("GET", second_path).get_json()["state"] == "fired"
    assert editor.call("PATCH", second_path, {"at": now}, If_Match="*").status_code == 409


def test_the_calendar_is_a_page_of_moments(editor: Caller) -> None:
    for hours in (3, 1, 2):
        made = editor.call("POST", "/content", {"title": f"In {hours}"})
        at = (utc_now() + timedelta(hours=hours)).isoformat()
        path = f"/content/{made.get_json()['id']}/schedule"
        editor.call("POST", path, {"action": "publish", "at": at}, If_Match="*")
    first = editor.call("GET", "/schedule?limit=2").get_json()
    second = editor.call("GET", f"/schedule?limit=2&cursor={first['next']}").get_json()
    titles = [item["title"] for item in first["items"] + second["items"]]
    assert titles == ["In 1", "In 2", "In 3"]
    border = (utc_now() + timedelta(hours=1, minutes=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert len(editor.call("GET", f"/schedule?from={border}").get_json()["items"]) == 2
    assert len(editor.call("GET", f"/schedule?to={border}").get_json()["items"]) == 1


def test_an_author_writes_and_an_editor_publishes(client: FlaskClient) -> None:
    author, other = Caller(client, RoleName.AUTHOR), Caller(client, RoleName.AUTHOR)
    editor = Caller(client, RoleName.EDITOR)
    path = f"/content/{author.call('POST', '/content', {'title': 'Mine'}).get_json()['id']}"

    assert author.call("POST", f"{path}/publish", {}, If_Match="*").status_code == 403
    assert other.call("GET", path).status_code == 404
    assert other.call("PATCH", path, {"title": "x"}, If_Match="*").status_code == 404
    assert other.call("GET", f"{path}/versions").status_code == 404
    assert other.call("GET", "/content").get_json()["items"] == []
    assert editor.call("POST", f"{path}/publish", {}, If_Match="*").status_code == 200


def test_following_brings_the_news_into_the_inbox(
    client: FlaskClient, editor: Caller, worker: WorkerContext
) -> None:
    reader = Caller(client, RoleName.READER)
    assert reader.call("PUT", f"/follows/author/{editor.id}").status_code == 204
    followed = reader.call("GET", "/follows").get_json()["items"]
    assert [(item["target"], item["target_id"]) for item in followed] == [("author", editor.id)]
    publish(editor, title="News", slug="news")
    run_ready_jobs(worker)

    (line,) = reader.call("GET", "/notifications").get_json()["items"]
    assert (line["kind"], line["slug"], line["read_at"]) == ("content.published", "news", None)
    count = reader.call("GET", "/notifications/unread-count").get_json()
    assert count == {"unread": 1, "is_exact": True}
    assert editor.call("POST", f"/notifications/{line['id']}/read").status_code == 404
    assert reader.call("POST", f"/notifications/{line['id']}/read").status_code == 204
    assert reader.call("GET", "/notifications?unread_only=true").get_json()["items"] == []
    assert reader.call("POST", "/notifications/read-all").status_code == 204
    assert reader.call("DELETE", f"/follows/author/{editor.id}").status_code == 204
    assert reader.call("GET", "/follows").get_json()["items"] == []
    preferences = {"by_mail": False}
    assert reader.call("PUT", "/notifications/preferences", preferences).status_code == 200
    assert reader.call("GET", "/notifications/preferences").get_json() == {
        **preferences, "notices_by_mail": True,
    }  # fmt: skip
