"""Promises about categories and tags as managers change them and as the public finds them."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.agents import Agent
from tests.factories import Caller, run_ready_jobs
from webapp.kit.roles import RoleName
from workers.context import WorkerContext


@pytest.fixture
def manager(client: FlaskClient) -> Caller:
    """Return a manager."""
    return Caller(client, RoleName.MANAGER)


def make(manager: Caller, name: str, parent_id: int | None = None) -> int:
    """Make a category and return its id."""
    made = manager.call("POST", "/categories", {"name": name, "parent_id": parent_id})
    made_id: int = made.get_json()["id"]
    return made_id


def publish(manager: Caller, title: str, **fields: Any) -> int:
    """Publish an item and return its id."""
    made = manager.call("POST", "/content", {"title": title, "body": "Text.", **fields})
    item: int = made.get_json()["id"]
    answer = manager.call("POST", f"/content/{item}/publish", {}, If_Match="*")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return item


def titles(client: FlaskClient, **asked: str) -> list[str]:
    """Return the titles in a public list, sorted."""
    answer = client.get("/api/v1/published", query_string=asked)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return sorted(item["title"] for item in answer.get_json()["items"])


def test_a_merged_category_is_found_under_its_slug_and_shown_under_the_other(
    client: FlaskClient, manager: Caller, worker: WorkerContext
) -> None:
    old, new = make(manager, "Old"), make(manager, "New")
    publish(manager, "First", category_id=old)
    publish(manager, "Second", category_id=new)

    merged = manager.call("POST", f"/categories/{old}/merge", {"into_id": new}, If_Match="*")

    assert (merged.status_code, merged.get_json()["id"]) == (200, new)
    seen = manager.call("GET", f"/categories/{new}").headers["ETag"]
    assert merged.headers["ETag"] == seen
    for slug in ("old", "new"):
        assert titles(client, category=slug) == ["First", "Second"]
    assert manager.call("GET", f"/categories/{old}").status_code == 404
    run_ready_jobs(worker, kinds={"publications.refresh"})
    shown = client.get("/api/v1/published/first").get_json()["category"]
    assert shown == {"id": new, "slug": "new", "name": "New"}


def test_a_renamed_category_is_found_under_its_former_slug(
    client: FlaskClient, manager: Caller
) -> None:
    category_id = make(manager, "Before")
    publish(manager, "Item", category_id=category_id)
    changed = {"name": "After", "slug": "after"}
    answer = manager.call("PUT", f"/categories/{category_id}", changed, If_Match="*")
    assert answer.status_code == 200
    assert [titles(client, category=slug) for slug in ("before", "after")] == [["Item"]] * 2
    taken = manager.call("POST", "/categories", {"name": "Another", "slug": "before"})
    assert (taken.status_code, "still found" in taken.get_json()["detail"]) == (409, True)


def test_who_merges_has_seen_what_goes(manager: Caller) -> None:
    source, target = make(manager, "Source"), make(manager, "Target")
    path, into = f"/categories/{source}/merge", {"into_id": target}
    assert manager.call("POST", path, into).status_code == 428
    seen = manager.call("GET", f"/categories/{source}").headers["ETag"]
    manager.call("PUT", f"/categories/{source}", {"name": "Changed"}, If_Match="*")
    assert manager.call("POST", path, into, If_Match=seen).status_code == 412
    for wrong in (source, 10**9):
        refused = manager.call("POST", path, {"into_id": wrong}, If_Match="*")
        assert refused.status_code == 422
        assert refused.get_json()["errors"][0]["field"] == "body.into_id"


def test_who_deletes_says_where_items_go_and_may_be_asked_to(
    client: FlaskClient, manager: Caller
) -> None:
    source, target = make(manager, "Source"), make(manager, "Target")
    publish(manager, "Item", category_id=source)
    path = f"/categories/{source}"
    refused = manager.call("DELETE", f"{path}?only_unused=true", If_Match="*")
    assert refused.status_code == 409
    assert "1 items" in refused.get_json()["detail"]
    assert "reassign_to" in refused.get_json()["detail"]
    for wrong in (source, 10**9):
        refused = manager.call("DELETE", f"{path}?reassign_to={wrong}", If_Match="*")
        assert refused.status_code == 422
        assert refused.get_json()["errors"][0]["field"] == "query.reassign_to"
    assert manager.call("DELETE", f"{path}?reassign_to=x", If_Match="*").status_code == 422
    kept = f"{path}?only_unused=true&reassign_to={target}"
    assert manager.call("DELETE", kept, If_Match="*").status_code == 204
    assert titles(client, category="target") == ["Item"]
    assert titles(client, category="source") == []
    last = f"/categories/{target}?only_unused=true&reassign_to=none"
    assert manager.call("DELETE", last, If_Match="*").status_code == 204
    assert titles(client) == ["Item"]


def test_a_list_holds_what_stands_below_a_category_page_by_page(
    client: FlaskClient, manager: Caller
) -> None:
    root = make(manager, "Root")
    middle = make(manager, "Middle", root)
    leaf, beside = make(manager, "Leaf", middle), make(manager, "Beside")
    for number, category_id in enumerate([root, leaf, beside, middle, leaf, root]):
        publish(manager, f"Item {number}", category_id=category_id, tags=[f"t{number % 2}"])

    def pages(**asked: str) -> list[str]:
        found: list[str] = []
        following: str | None = ""
        while following is not None:
            query = {"subtree": "true", "limit": "2", **asked}
            page = client.get(
                "/api/v1/published",
                query_string=query | ({"cursor": following} if following else {}),
            ).get_json()
            found += [item["title"] for item in page["items"]]
            following = page["next"]
        return found

    assert pages(category="root") == [f"Item {number}" for number in (5, 4, 3, 1, 0)]
    assert pages(category="middle") == [f"Item {number}" for number in (4, 3, 1)]
    assert pages(category="root", tag="t0") == ["Item 4", "Item 0"]
    assert pages(category="root", q="item") == [f"Item {number}" for number in (5, 4, 3, 1, 0)]
    assert pages(category="nowhere") == []
    assert titles(client, category="root") == ["Item 0", "Item 5"]
    refused = client.get("/api/v1/published?subtree=true")
    assert (refused.status_code, refused.get_json()["errors"][0]["field"]) == (422, "query.subtree")


def test_counts_are_told_where_they_are_asked_for(client: FlaskClient, manager: Caller) -> None:
    root = make(manager, "Root")
    leaf = make(manager, "Leaf", root)
    publish(manager, "Item", category_id=leaf, tags=["word"])
    manager.call("POST", "/content", {"title": "Draft", "category_id": root})
    plain = client.get(f"/api/v1/categories/{root}")
    assert "counts" not in plain.get_json()
    assert plain.headers["ETag"] == manager.call("GET", f"/categories/{root}").headers["ETag"]
    counted = client.get(f"/api/v1/categories/{root}?counts=true").get_json()["counts"]
    assert counted == {"public": 0, "public_with_subtree": 1, "items": None}
    listed = manager.call("GET", "/categories?counts=true").get_json()["items"]
    assert [row["counts"]["items"] for row in listed] == [1, 1]
    assert client.get("/api/v1/tags?counts=true").get_json()["items"][0]["public"] == 1
    assert "public" not in client.get("/api/v1/tags").get_json()["items"][0]


def test_the_progress_of_a_new_name_is_told(
    client: FlaskClient, manager: Caller, worker: WorkerContext
) -> None:
    category_id = make(manager, "Before")
    for number in range(3):
        publish(manager, f"Item {number}", category_id=category_id)
    path = f"/refreshes/category/{category_id}"
    assert manager.call("GET", path).get_json() == {"state": "done", "total": 3, "done": 3}
    manager.call("PUT", f"/categories/{category_id}", {"name": "After"}, If_Match="*")
    assert manager.call("GET", path).get_json() == {"state": "waiting", "total": 3, "done": 0}
    run_ready_jobs(worker, kinds={"publications.refresh"})
    assert manager.call("GET", path).get_json() == {"state": "done", "total": 3, "done": 3}
    assert manager.call("GET", "/refreshes/nothing/1").status_code == 422


def test_a_reader_follows_a_category_with_its_subtree(client: FlaskClient, manager: Caller) -> None:
    reader = Caller(client, RoleName.READER)
    root = make(manager, "Root")
    path = f"/follows/category/{root}"
    assert reader.call("PUT", f"{path}?include_subtree=true").status_code == 204
    assert reader.call("PUT", path).status_code == 204
    (line,) = reader.call("GET", "/follows").get_json()["items"]
    assert line["include_subtree"] is True
    wrong = reader.call("PUT", f"/follows/author/{manager.id}?include_subtree=true")
    assert (wrong.status_code, wrong.get_json()["errors"][0]["field"]) == (
        422, "query.include_subtree",
    )  # fmt: skip


def test_a_merged_tag_is_found_under_its_slug_if_the_public_knew_it(
    client: FlaskClient, manager: Caller
) -> None:
    publish(manager, "First", tags=["old"])
    publish(manager, "Second", tags=["new"])
    made = manager.call("POST", "/content", {"title": "Draft", "tags": ["secret", "old", "new"]})
    ids = {tag["slug"]: tag["id"] for tag in made.get_json()["tags"]}
    assert client.get(f"/api/v1/tags/{ids['secret']}").status_code == 404
    read = client.get(f"/api/v1/tags/{ids['old']}?counts=true")
    assert read.get_json() == {"id": ids["old"], "slug": "old", "name": "old", "public": 1}
    etag = client.get(f"/api/v1/tags/{ids['old']}").headers["ETag"]
    for word in ("old", "secret"):
        path, seen = f"/tags/{ids[word]}/merge", etag if word == "old" else "*"
        assert manager.call("POST", path, {"into_id": ids["new"]}).status_code == 428
        merged = manager.call("POST", path, {"into_id": ids["new"]}, If_Match=seen)
        assert (merged.status_code, merged.get_json()["slug"]) == (200, "new")
    assert [titles(client, tag=slug) for slug in ("new", "old", "secret")] == [
        ["First", "Second"], ["First", "Second"], [],
    ]  # fmt: skip
    answer = manager.call("PUT", f"/tags/{ids['new']}", {"name": "Newer"}, If_Match=etag)
    assert answer.status_code == 412
    assert manager.call("DELETE", f"/tags/{ids['new']}", If_Match="*").status_code == 204
    assert titles(client, tag="old") == titles(client, tag="new") == []


def test_a_key_that_reads_no_drafts_changes_no_tag_that_drafts_alone_have(
    manager: Caller,
) -> None:
    publish(manager, "Public", tags=["known"])
    made = manager.call("POST", "/content", {"title": "Draft", "tags": ["Secret Word", "known"]})
    ids = {tag["slug"]: tag["id"] for tag in made.get_json()["tags"]}
    key = Agent(manager, "manage").caller
    secret, known = (f"/tags/{ids[slug]}" for slug in ("secret-word", "known"))
    refused = [
        key.call("POST", f"{known}/merge", {"into_id": ids["secret-word"]}, If_Match="*"),
        key.call("POST", f"{secret}/merge", {"into_id": ids["known"]}, If_Match="*"),
        key.call("PUT", secret, {"name": "Other"}, If_Match="*"),
        key.call("DELETE", secret, If_Match="*"),
    ]
    assert [answer.status_code for answer in refused] == [422, 404, 404, 404]
    assert not any("Secret" in answer.get_data(as_text=True) for answer in refused)
    assert key.call("PUT", known, {"name": "Well known"}, If_Match="*").status_code == 200
