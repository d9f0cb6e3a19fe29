"""Promise: one request changes many items, each as its own route would, and says of each."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from tests.agents import Agent, by_hand, published, read, write
from tests.api.operations.bulk import RUN, ask, counts, do, id_of, outcomes, put_back
from tests.factories import Caller, run_ready_jobs
from webapp.kit.roles import RoleName
from webapp.services.operations import bulk_actions
from workers.context import WorkerContext

NOWHERE = "/content/999999999"


@pytest.fixture
def author(client: FlaskClient) -> Caller:
    """Somebody who writes."""
    return Caller(client, RoleName.AUTHOR)


@pytest.mark.parametrize(
    ("steps", "action", "status"),
    [
        ((), "publish", "published"),
        (("publish",), "unpublish", "unpublished"),
        ((), "archive", "archived"),
        (("archive",), "unarchive", "draft"),
        ((), "trash", "trashed"),
        (("trash",), "untrash", "draft"),
    ],
)
def test_items_are_moved_and_moved_back(
    manager: Caller, worker: WorkerContext, steps: tuple[str, ...], action: str, status: str
) -> None:
    paths = [write(manager) for _ in range(3)]
    for path in paths:
        for step in steps:
            by_hand(manager, "POST", f"{path}/{step}", {} if step == "publish" else None)
    before = [read(manager, path)["status"] for path in paths]
    bulk = do(manager, worker, action, *paths, NOWHERE)
    assert counts(bulk) == ("done", 4, 3, 1, 0)
    assert [read(manager, path)["status"] for path in paths] == [status] * 3
    assert outcomes(manager, bulk, state="skipped") == {999999999: ("skipped", "not_found")}
    again = do(manager, worker, action, *paths)
    assert counts(again) == ("done", 3, 0, 3, 0)
    assert set(outcomes(manager, again).values()) == {("skipped", "unchanged")}
    undo = put_back(manager, worker, bulk)
    assert counts(undo) == ("done", 3, 3, 0, 0)
    assert undo["undoes_id"] == bulk["id"]
    after = [read(manager, path)["status"] for path in paths]
    assert after == (["unpublished"] * 3 if action == "publish" else before)


def test_items_get_tags_and_a_category_and_lose_them(
    manager: Caller, worker: WorkerContext
) -> None:
    shelf = by_hand(manager, "POST", "/categories", {"name": "Shelf"})["id"]
    tagged, bare = write(manager, tags=["One", "Two"]), write(manager)
    assert counts(do(manager, worker, "tag", tagged, bare, tags=["two", "Three"]))[2] == 2
    assert _tags(manager, tagged) == {"One", "Two", "Three"}
    assert _tags(manager, bare) == {"two", "Three"}
    removed = do(manager, worker, "untag", tagged, bare, tags=["ONE", "none"])
    assert counts(removed) == ("done", 2, 1, 1, 0)
    assert _tags(manager, tagged) == {"Two", "Three"}
    moved = do(manager, worker, "move", tagged, bare, category_id=shelf)
    assert read(manager, bare)["category"]["id"] == shelf
    assert counts(put_back(manager, worker, removed)) == ("done", 1, 0, 0, 1)
    assert counts(put_back(manager, worker, moved)) == ("done", 2, 2, 0, 0)
    assert read(manager, bare)["category"] is None
    versions = read(manager, f"{bare}/versions")["items"]
    assert [one["reason"] for one in versions] == ["restore", "save", "save", "create"]


def test_what_is_refused_is_told_item_by_item(manager: Caller, worker: WorkerContext) -> None:
    plain, public, planned = write(manager), write(manager), write(manager)
    by_hand(manager, "POST", f"{public}/publish", {"notify": False})
    by_hand(manager, "POST", f"{planned}/schedule", {"at": "2099-01-01T00:00:00Z"})
    trial = manager.call(
        "POST",
        "/bulk-actions",
        {
            "action": "trash",
            "dry_run": True,
            "content_ids": [id_of(path) for path in (plain, public, planned)],
        },
    )
    assert trial.status_code == 200
    bulk = do(manager, worker, "trash", plain, public, planned)
    assert counts(bulk) == ("done", 3, 1, 0, 2)
    failed = read(manager, f"/bulk-actions/{bulk['id']}/items?state=failed")["items"]
    assert [one["content_id"] for one in failed] == [id_of(public), id_of(planned)]
    assert failed[0]["detail"] == "The item is public; unpublish it first."
    assert "cancel schedule" in failed[1]["detail"]
    tried = trial.get_json()
    assert (tried["matched"], tried["action"]) == (3, "trash")
    assert tried["sample"] == read(manager, f"/bulk-actions/{bulk['id']}/items")["items"]


def test_a_trial_changes_nothing(
    manager: Caller, worker: WorkerContext, sessions: sessionmaker[Session]
) -> None:
    path = write(manager)
    before = read(manager, path)
    asked = {"action": "publish", "dry_run": True, "filter": {"author_id": manager.id}}
    trial = manager.call("POST", "/bulk-actions", asked).get_json()
    assert [one["state"] for one in trial["sample"]] == ["done"]
    assert run_ready_jobs(worker, kinds=RUN) == 0
    assert read(manager, path) == before
    assert published(manager, path) is None
    assert read(manager, "/bulk-actions")["items"] == []
    with sessions() as session:
        left = "SELECT count(*) FROM activity_logs WHERE details ? 'bulk_action_id'"
        assert session.scalar(text(left)) == 0


def test_a_trial_goes_through_all_items_by_pages(
    manager: Caller, worker: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_actions, "SAMPLE", 2)
    paths = [write(manager) for _ in range(5)]
    by_hand(manager, "POST", f"{paths[3]}/publish", {"notify": False})
    asked: dict[str, Any] = {"action": "archive", "dry_run": True}
    asked["filter"] = {"author_id": manager.id}
    tried: list[Any] = []
    sizes: list[int] = []
    following: dict[str, str] = {}
    while True:
        trial = manager.call("POST", "/bulk-actions", {**asked, **following}).get_json()
        tried += trial["sample"]
        sizes.append(len(trial["sample"]))
        if trial["next"] is None:
            break
        following = {"cursor": trial["next"]}
    assert (sizes, trial["matched"]) == ([2, 2, 1], 5)
    bulk = do(manager, worker, "archive", filter={"author_id": manager.id})
    assert tried == read(manager, f"/bulk-actions/{bulk['id']}/items")["items"]


def test_a_filter_finds_what_fits(manager: Caller, author: Caller, worker: WorkerContext) -> None:
    shelf = by_hand(manager, "POST", "/categories", {"name": "Shelf"})["id"]
    theirs = write(author, tags=["Red"], category_id=shelf)
    mine = write(manager, tags=["Red"])
    aside = write(manager, tags=["Red"])
    by_hand(manager, "POST", f"{aside}/archive")
    moment = read(manager, theirs)["created_at"]
    for wanted, found in (
        ({"tag": "red"}, {theirs, mine}),
        ({"tag": "red", "status": "archived"}, {aside}),
        ({"author_id": author.id}, {theirs}),
        ({"category_id": shelf, "status": "draft"}, {theirs}),
        ({"tag": "red", "category_id": shelf}, {theirs}),
        ({"created_to": moment, "tag": "red"}, set()),
        ({"created_from": moment, "tag": "red"}, {theirs, mine}),
        ({"import_collection": "elsewhere"}, set()),
    ):
        asked = {"action": "tag", "tags": ["x"], "dry_run": True, "filter": wanted}
        trial = manager.call("POST", "/bulk-actions", asked).get_json()
        ids = {f"/content/{one['content_id']}" for one in trial["sample"]}
        assert (ids, trial["matched"]) == (found, len(found)), wanted
    assert do(author, worker, "tag", filter={"tag": "red"}, tags=["x"])["matched"] == 1


def test_what_is_put_aside_is_found_where_it_is_taken_back(manager: Caller) -> None:
    archived, trashed, plain = write(manager), write(manager), write(manager)
    by_hand(manager, "POST", f"{archived}/archive")
    by_hand(manager, "POST", f"{trashed}/trash")
    for action, path in (("unarchive", archived), ("untrash", trashed), ("trash", plain)):
        asked = {"action": action, "dry_run": True, "filter": {"author_id": manager.id}}
        (one,) = manager.call("POST", "/bulk-actions", asked).get_json()["sample"]
        assert (one["content_id"], one["state"]) == (id_of(path), "done")


def test_what_is_chosen_stays_chosen(manager: Caller, worker: WorkerContext) -> None:
    chosen = write(manager)
    path = ask(manager, "tag", filter={"author_id": manager.id}, tags=["x"])
    late = write(manager)
    run_ready_jobs(worker, kinds=RUN)
    assert (_tags(manager, chosen), _tags(manager, late)) == ({"x"}, set())
    assert read(manager, path)["matched"] == 1


def test_an_author_changes_items_of_their_own_alone(
    manager: Caller, author: Caller, worker: WorkerContext
) -> None:
    own, foreign = write(author), write(manager)
    bulk = do(author, worker, "trash", own, foreign, NOWHERE)
    assert counts(bulk) == ("done", 3, 1, 2, 0)
    listed = read(author, f"/bulk-actions/{bulk['id']}/items?state=skipped")["items"]
    assert len({str({**one, "content_id": 0}) for one in listed}) == 1
    assert read(manager, foreign)["status"] == "draft"
    refused = author.call("POST", "/bulk-actions", {"action": "unpublish", "content_ids": [1]})
    assert refused.status_code == 403


def test_who_needs_an_approval_needs_it_here(
    manager: Caller, author: Caller, worker: WorkerContext
) -> None:
    approved, bare = write(author), write(author)
    review = by_hand(author, "POST", f"{approved}/reviews", {})
    said = {"decision": "approve", "version": 1, "comment": "Good."}
    by_hand(manager, "POST", f"{approved}/reviews/{review['id']}/decisions", said)
    bulk = do(author, worker, "publish", approved, bare)
    assert outcomes(author, bulk) == {
        id_of(approved): ("done", None),
        id_of(bare): ("failed", "forbidden"),
    }
    assert published(manager, approved) is not None
    assert published(manager, bare) is None


def test_followers_are_told_where_that_is_asked_for(
    manager: Caller, worker: WorkerContext, sessions: sessionmaker[Session]
) -> None:
    def fan_outs() -> Any:
        with sessions() as session:
            return session.scalar(text("SELECT count(*) FROM jobs WHERE kind = 'event.fan_out'"))

    do(manager, worker, "publish", write(manager), write(manager))
    assert fan_outs() == 0
    do(manager, worker, "publish", write(manager), write(manager), notify=True)
    assert fan_outs() == 2


def test_a_key_that_proposes_begins_none_that_publishes(
    manager: Caller, worker: WorkerContext
) -> None:
    agent = Agent(manager, "propose")
    path = write(manager)
    for action in ("publish", "unpublish", "trash", "archive"):
        asked = {"action": action, "content_ids": [id_of(path)]}
        assert agent.caller.call("POST", "/bulk-actions", asked).status_code == 403
    made = agent.call(
        "POST", "/bulk-actions", {"action": "tag", "tags": ["x"], "content_ids": [id_of(path)]}
    )
    assert (made["api_key_id"], made["agent_session"]) == (agent.key_id, agent.run)
    run_ready_jobs(worker, kinds=RUN)
    assert _tags(manager, path) == {"x"}


def test_others_know_nothing_of_it(manager: Caller, author: Caller, client: FlaskClient) -> None:
    path = ask(author, "trash", write(author))
    editor = Caller(client, RoleName.EDITOR)
    for method, of_it in (("GET", ""), ("GET", "/items"), ("POST", "/cancel"), ("POST", "/undo")):
        assert editor.call(method, path + of_it).status_code == 404
    assert read(manager, path)["made_by_id"] == author.id
    assert read(manager, f"{path}/items")["items"][0]["state"] == "waiting"
    assert read(editor, "/bulk-actions")["items"] == []


def test_a_repeated_request_begins_one(manager: Caller) -> None:
    asked = {"action": "trash", "content_ids": [id_of(write(manager))]}
    answers = [
        manager.call("POST", "/bulk-actions", asked, Idempotency_Key="once") for _ in range(2)
    ]
    assert answers[0].get_json() == answers[1].get_json()
    assert len(read(manager, "/bulk-actions")["items"]) == 1


def test_an_account_has_so_many_at_work(manager: Caller) -> None:
    paths = [ask(manager, "trash", write(manager)) for _ in range(5)]
    asked = {"action": "trash", "content_ids": [id_of(write(manager))]}
    refused = manager.call("POST", "/bulk-actions", asked)
    assert (refused.status_code, "5 bulk actions" in refused.get_json()["detail"]) == (409, True)
    by_hand(manager, "POST", f"{paths[0]}/cancel")
    assert manager.call("POST", "/bulk-actions", asked).status_code == 202


@pytest.mark.parametrize(
    "asked",
    [
        {"action": "trash"},
        {"action": "trash", "content_ids": []},
        {"action": "trash", "content_ids": [1], "filter": {"tag": "a"}},
        {"action": "trash", "filter": {}},
        {"action": "undo", "content_ids": [1]},
        {"action": "tag", "content_ids": [1]},
        {"action": "trash", "tags": ["a"], "content_ids": [1]},
        {"action": "move", "content_ids": [1]},
        {"action": "move", "content_ids": [1], "category_id": 999999},
        {"action": "trash", "content_ids": [1], "notify": True},
        {"action": "trash", "content_ids": [1], "cursor": "WzFd"},
        {"action": "trash", "content_ids": [1], "dry_run": True, "cursor": "nonsense"},
    ],
)
def test_what_makes_no_sense_is_refused(manager: Caller, asked: dict[str, Any]) -> None:
    assert manager.call("POST", "/bulk-actions", asked).status_code == 422


def _tags(caller: Caller, path: str) -> set[str]:
    return {tag["name"] for tag in read(caller, path)["tags"]}


def test_items_get_another_author_and_their_readers_see_it(
    manager: Caller, author: Caller, client: FlaskClient, worker: WorkerContext
) -> None:
    public, draft = write(author), write(author)
    by_hand(manager, "POST", f"{public}/publish", {"notify": False})
    tag = client.get(f"/api/v1/published/{read(manager, public)['slug']}").headers["ETag"]
    reader = Caller(client, RoleName.READER)
    asked = {"action": "change_author", "content_ids": [id_of(public)], "author_id": reader.id}
    assert manager.call("POST", "/bulk-actions", asked).status_code == 422
    refused = author.call("POST", "/bulk-actions", {**asked, "author_id": manager.id})
    assert refused.status_code == 403
    bulk = do(manager, worker, "change_author", public, draft, author_id=manager.id)
    assert counts(bulk) == ("done", 2, 2, 0, 0)
    assert author.call("GET", draft).status_code == 404
    assert published(manager, public)["author"] == {"id": manager.id, "name": manager.login}
    assert client.get("/api/v1/published?author=" + manager.login).get_json()["items"]
    shown = client.get(f"/api/v1/published/{read(manager, public)['slug']}")
    assert shown.headers["ETag"] != tag
    assert counts(put_back(manager, worker, bulk)) == ("done", 2, 2, 0, 0)
    assert read(author, draft)["author"]["id"] == author.id
    assert published(manager, public)["author"] == {"id": author.id, "name": author.login}
