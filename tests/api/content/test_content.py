"""Promises of the content API."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask.testing import FlaskClient

from tests.factories import Caller
from webapp.api.edge import ImprintApp
from webapp.kit.roles import RoleName
from webapp.services.content import taxonomy


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    """A logged-in editor."""
    return Caller(client, RoleName.EDITOR)


def test_an_item_is_created_read_edited_and_listed(editor: Caller) -> None:
    body = {"title": "First", "body": "text", "tags": ["One", "two"], "metadata": {"a": [1, None]}}
    made = editor.call("POST", "/content", body)
    assert made.status_code == 201
    item = made.get_json()
    assert made.headers["Location"] == f"/api/v1/content/{item['id']}"
    assert (item["status"], item["version"], item["is_public"]) == ("draft", 1, False)
    assert item["metadata"] == {"a": [1, None]}
    assert [tag["name"] for tag in item["tags"]] == ["One", "two"]

    path = f"/content/{item['id']}"
    edited = editor.call("PATCH", path, {"title": "Second"}, If_Match=made.headers["ETag"])
    assert edited.get_json()["title"] == "Second"
    assert edited.get_json()["body"] == "text"
    assert edited.headers["ETag"] != made.headers["ETag"]

    read = editor.call("GET", path)
    assert read.get_json() == edited.get_json()
    unchanged = editor.call("GET", path, If_None_Match=read.headers["ETag"])
    assert (unchanged.status_code, unchanged.data) == (304, b"")
    listed = editor.call("GET", "/content").get_json()
    assert [item["title"] for item in listed["items"]] == ["Second"]
    assert listed["next"] is None


def test_a_change_wants_the_etag_that_was_read(editor: Caller) -> None:
    made = editor.call("POST", "/content", {"title": "First"})
    path, etag = f"/content/{made.get_json()['id']}", made.headers["ETag"]

    assert editor.call("PATCH", path, {"title": "x"}).status_code == 428
    for wrong in ('"99"', "nonsense", '"99999999999999999999"'):
        assert editor.call("PATCH", path, {"title": "x"}, If_Match=wrong).status_code == 412, wrong
    assert editor.call("PATCH", path, {"title": "Second"}, If_Match=etag).status_code == 200
    stale = editor.call("PATCH", path, {"title": "Third"}, If_Match=etag)
    assert stale.status_code == 412
    assert stale.content_type == "application/problem+json"
    assert editor.call("PATCH", path, {"title": "Fourth"}, If_Match="*").status_code == 200
    assert editor.call("GET", path).get_json()["version"] == 3


def test_of_two_edits_at_once_one_is_saved_and_the_other_is_told(
    app: ImprintApp, editor: Caller
) -> None:
    made = editor.call("POST", "/content", {"title": "First"})
    path, etag = f"/api/v1/content/{made.get_json()['id']}", made.headers["ETag"]

    def edit(number: int) -> int:
        answer = app.test_client().patch(
            path,
            json={"title": f"Edit {number}"},
            headers={"If-Match": etag, "Authorization": f"Bearer {editor.token}"},
        )
        return answer.status_code

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(edit, range(6))) == [200] + [412] * 5
    versions = editor.call("GET", path.removeprefix("/api/v1") + "/versions").get_json()
    assert [line["number"] for line in versions["items"]] == [2, 1]


def test_pages_neither_skip_nor_repeat_while_items_are_added(editor: Caller) -> None:
    ids = [editor.call("POST", "/content", {"title": f"T{n}"}).get_json()["id"] for n in range(7)]
    seen, cursor = [], ""
    while cursor is not None:
        page = editor.call("GET", f"/content?limit=3{cursor and '&cursor=' + cursor}").get_json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        editor.call("POST", "/content", {"title": "added in between"})
    assert seen == sorted(ids, reverse=True)


def test_versions_are_listed_read_and_restored(editor: Caller) -> None:
    made = editor.call("POST", "/content", {"title": "First", "body": "one"})
    path = f"/content/{made.get_json()['id']}"
    editor.call("PATCH", path, {"body": "two"}, If_Match="*")

    assert editor.call("GET", f"{path}/versions/1").get_json()["body"] == "one"
    assert editor.call("GET", f"{path}/versions/3").status_code == 404
    assert editor.call("POST", f"{path}/versions/1/restore").status_code == 428
    restored = editor.call("POST", f"{path}/versions/1/restore", If_Match="*").get_json()
    assert (restored["body"], restored["version"]) == ("one", 3)


def test_a_rename_to_a_name_of_another_item_says_so(editor: Caller) -> None:
    public = editor.call("POST", "/content", {"title": "A", "slug": "taken"}).get_json()["id"]
    editor.call("POST", f"/content/{public}/publish", {}, If_Match="*")
    made = editor.call("POST", "/content", {"title": "B"})
    path = f"/content/{made.get_json()['id']}"
    answer = editor.call("PATCH", path, {"slug": "taken"}, If_Match="*")
    assert answer.status_code == 409
    assert answer.get_json()["detail"] == "Another item has the slug taken."
    assert editor.call("GET", path).get_json()["slug"] == "b"


def test_trash_and_back(editor: Caller) -> None:
    made = editor.call("POST", "/content", {"title": "First"})
    path = f"/content/{made.get_json()['id']}"
    trashed = editor.call("DELETE", path, If_Match=made.headers["ETag"])
    assert trashed.get_json()["status"] == "trashed"
    assert editor.call("PATCH", path, {"title": "x"}, If_Match="*").status_code == 409
    assert editor.call("GET", "/content").get_json()["items"] == []
    assert len(editor.call("GET", "/content?status=trashed").get_json()["items"]) == 1
    assert editor.call("POST", f"{path}/untrash", If_Match="*").get_json()["status"] == "draft"


def test_a_repeated_post_with_one_key_has_one_effect(editor: Caller) -> None:
    body = {"title": "Once"}
    first = editor.call("POST", "/content", body, Idempotency_Key="key-1")
    again = editor.call("POST", "/content", body, Idempotency_Key="key-1")
    assert (again.status_code, again.data) == (201, first.data)
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(editor.call("GET", "/content").get_json()["items"]) == 1

    other = editor.call("POST", "/content", {"title": "Other"}, Idempotency_Key="key-1")
    assert other.status_code == 422
    assert editor.call("POST", "/content", body, Idempotency_Key="é").status_code == 400


def test_a_key_is_private_to_who_chose_it_and_a_refusal_is_not_kept(
    client: FlaskClient, editor: Caller
) -> None:
    other = Caller(client, RoleName.EDITOR)
    body = {"title": "Mine", "slug": "mine"}
    made = editor.call("POST", "/content", body, Idempotency_Key="k")
    assert made.status_code == 201
    path = f"/content/{made.get_json()['id']}/publish"
    assert editor.call("POST", path, {}, If_Match="*").status_code == 200
    assert other.call("POST", "/content", body, Idempotency_Key="k").status_code == 409
    body["slug"] = "theirs"
    assert other.call("POST", "/content", body, Idempotency_Key="k").status_code == 201


def test_posts_at_once_with_one_key_have_one_effect(app: ImprintApp, editor: Caller) -> None:
    def post(_: int) -> int:
        answer = app.test_client().post(
            "/api/v1/content",
            json={"title": "Once"},
            headers={"Authorization": f"Bearer {editor.token}", "Idempotency-Key": "race"},
        )
        return answer.status_code

    with ThreadPoolExecutor(6) as pool:
        statuses = set(pool.map(post, range(6)))
    assert statuses <= {201, 409}
    assert 201 in statuses
    assert len(editor.call("GET", "/content").get_json()["items"]) == 1


def test_categories_are_a_tree_without_circles(client: FlaskClient, editor: Caller) -> None:
    manager = Caller(client, RoleName.MANAGER)
    assert editor.call("POST", "/categories", {"name": "No"}).status_code == 403
    root = manager.call("POST", "/categories", {"name": "Root"}).get_json()
    child = manager.call(
        "POST", "/categories", {"name": "Child", "parent_id": root["id"]}
    ).get_json()
    circle = manager.call(
        "PUT", f"/categories/{root['id']}", {"name": "Root", "parent_id": child["id"]}, If_Match="*"
    )
    assert circle.status_code == 422
    assert circle.get_json()["errors"][0]["field"] == "body.parent_id"
    assert manager.call("POST", "/categories", {"name": "Root"}).status_code == 409

    item = {"title": "On a shelf", "category_id": child["id"]}
    made = editor.call("POST", "/content", item).get_json()
    assert made["category"]["slug"] == "child"
    assert manager.call("DELETE", f"/categories/{child['id']}", If_Match="*").status_code == 204
    assert editor.call("GET", f"/content/{made['id']}").get_json()["category"] is None
    assert [c["slug"] for c in client.get("/api/v1/categories").get_json()["items"]] == ["root"]


def test_authors_see_the_categories_of_drafts_and_no_cache_shows_them_to_others(
    client: FlaskClient, app: ImprintApp
) -> None:
    author, reader = Caller(client, RoleName.AUTHOR), Caller(client, RoleName.READER)
    with app.context.sessions.begin() as session:  # type: ignore[union-attr]
        category_id = taxonomy.ensure_category(session, "Secret")
    for path, names in (("/categories", ["Secret"]), (f"/categories/{category_id}", "Secret")):
        shown = author.call("GET", path)
        document = shown.get_json()
        told = document["name"] if "name" in document else [c["name"] for c in document["items"]]
        assert told == names
        assert shown.headers["Cache-Control"] == "private, no-cache"
        again = author.call("GET", path, If_None_Match=shown.headers["ETag"])
        assert again.status_code == 304
        stale = reader.call("GET", path, If_None_Match=shown.headers["ETag"])
        assert stale.status_code == (200 if path == "/categories" else 404)
        nobody = client.get(f"/api/v1{path}")
        unknown = client.get(f"/api/v1{path}", headers={"Authorization": "Bearer nobody"})
        for hidden in (stale, nobody, unknown):
            assert "Secret" not in hidden.text
        assert unknown.status_code == nobody.status_code
        assert all("Authorization" in answer.headers.get("Vary", "") for answer in (shown, again))
    assert "public" in client.get("/api/v1/categories").headers["Cache-Control"]
    assert "Authorization" in client.get("/api/v1/categories").headers["Vary"]
    missing = reader.call("PUT", "/follows/category/999999999").get_json()["detail"]
    followed = reader.call("PUT", f"/follows/category/{category_id}")
    assert (followed.status_code, followed.get_json()["detail"]) == (404, missing)


def test_who_comes_too_late_is_offered_what_both_changed(editor: Caller) -> None:
    made = editor.call("POST", "/content", {"title": "First", "body": "One two three four."})
    path, etag = f"/content/{made.get_json()['id']}", made.headers["ETag"]
    now = editor.call("PATCH", path, {"body": "One two three 4."}, If_Match=etag)

    late = {"title": "Second", "body": "1 two three four.", "base_version": 1}
    refused = editor.call("PATCH", path, late, If_Match=etag)

    assert refused.status_code == 412
    newer = refused.get_json()["newer"]
    assert (newer["version"], newer["etag"]) == (2, now.headers["ETag"])
    both = {"title": "Second", "body": "1 two three 4."}
    assert newer["merge"] == {"changes": both, "conflicts": []}
    assert editor.call("GET", path).get_json()["title"] == "First", "it was offered, not applied"
    assert editor.call("PATCH", path, both, If_Match=newer["etag"]).status_code == 200


def test_who_does_not_say_what_they_began_from_is_told_what_there_is(editor: Caller) -> None:
    made = editor.call("POST", "/content", {"title": "First"})
    path, etag = f"/content/{made.get_json()['id']}", made.headers["ETag"]
    now = editor.call("PATCH", path, {"title": "Second"}, If_Match=etag)

    for late in ({"title": "Third"}, {"title": "Third", "base_version": 9}):
        newer = editor.call("PATCH", path, late, If_Match=etag).get_json()["newer"]
        assert newer == {"version": 2, "etag": now.headers["ETag"], "merge": None}


def test_markdown_is_not_put_into_html(editor: Caller) -> None:
    made = editor.call("POST", "/content", {"title": "T", "body": "One two three four five."})
    path, etag = f"/content/{made.get_json()['id']}", made.headers["ETag"]
    html = "<p>One two three four five.</p>"
    editor.call("PATCH", path, {"body": html, "body_format": "html"}, If_Match=etag)

    late = {"body": "One two <**three** four five.", "base_version": 1}
    newer = editor.call("PATCH", path, late, If_Match=etag).get_json()["newer"]

    assert newer["merge"]["changes"] == {}
    assert [place["mine"] for place in newer["merge"]["conflicts"]] == [late["body"]]
