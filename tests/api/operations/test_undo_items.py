"""Promise: an item that an agent changed is put back, with its versions, publicity and plans."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session, sessionmaker

from tests.agents import (
    LATER,
    QUIET,
    SOON,
    Agent,
    by_hand,
    plans,
    published,
    read,
    reasons,
    undo,
    write,
)
from tests.factories import Caller
from webapp.kit.clock import utc_now
from webapp.models import Schedule


def test_a_new_draft_goes_to_the_trash_whatever_became_of_it(manager: Caller, agent: Agent) -> None:
    plain, public, planned = agent.write(), agent.write(), agent.write()
    agent.call("POST", f"{public}/publish", QUIET)
    agent.call("POST", f"{public}/schedule", {"action": "unpublish", "at": SOON})
    agent.call("POST", f"{planned}/schedule", {"at": SOON})
    agent.call("PATCH", plain, {"title": "Better"})
    trashed = agent.write()
    agent.call("DELETE", trashed)
    report = undo(manager)
    assert report["left"] == []
    assert len(report["undone"]) == 4
    for path in (plain, public, planned, trashed):
        assert read(manager, path)["status"] == "trashed"
        assert published(manager, path) is None
        assert plans(manager, path) == []


def test_what_an_agent_submitted_is_in_review_no_more(manager: Caller, agent: Agent) -> None:
    new, edited = agent.write(), write(manager)
    by_hand(manager, "POST", f"{edited}/reviews", {})
    agent.call("PATCH", edited, {"title": "Better"})
    asked = {path: agent.call("POST", f"{path}/reviews", {})["id"] for path in (new, edited)}
    assert undo(manager)["left"] == []
    states = {
        path: by_hand(manager, "GET", f"{path}/reviews/{review_id}")["state"]
        for path, review_id in asked.items()
    }
    assert states == {new: "withdrawn", edited: "voided"}
    assert read(manager, new)["status"] == "trashed"
    assert by_hand(manager, "GET", "/reviews?state=open")["items"] == []


def test_edits_are_put_back_as_one_new_version(manager: Caller, agent: Agent) -> None:
    shelf = by_hand(manager, "POST", "/categories", {"name": "Shelf"})["id"]
    path = write(manager, tags=["One", "Two"], category_id=shelf, metadata={"a": 1}, slug="name")
    before = read(manager, path)
    agent.call("PATCH", path, {"title": "Second", "tags": ["Three"], "category_id": None})
    agent.call("PATCH", path, {"body": "Worse.", "metadata": {}, "slug": "another"})
    agent.call("POST", f"{path}/versions/2/restore")
    assert undo(manager)["left"] == []
    after = read(manager, path)
    said = ("title", "slug", "body", "excerpt", "category", "metadata", "status")
    assert [after[name] for name in said] == [before[name] for name in said]
    assert {tag["slug"] for tag in after["tags"]} == {"one", "two"}
    assert after["version"] == 5
    reasons_of = [one["reason"] for one in read(manager, f"{path}/versions")["items"]]
    assert reasons_of == ["restore", "restore", "save", "save", "create"]


def test_a_first_publication_is_withdrawn_and_schedules_of_others_stay(
    manager: Caller, agent: Agent
) -> None:
    path = write(manager)
    by_hand(manager, "PATCH", path, {"body": "Second."})
    by_hand(manager, "POST", f"{path}/schedule", {"at": SOON, "version": 2})
    by_hand(manager, "POST", f"{path}/schedule", {"action": "unpublish", "at": LATER})
    planned = plans(manager, path)
    agent.call("POST", f"{path}/publish", {"version": 1, **QUIET})
    assert plans(manager, path) == planned
    assert undo(manager)["left"] == []
    assert (read(manager, path)["status"], published(manager, path)) == ("unpublished", None)
    assert plans(manager, path) == planned


@pytest.mark.parametrize("withdraws", [False, True])
def test_what_was_public_before_is_public_again(
    manager: Caller, agent: Agent, withdraws: bool
) -> None:
    path = write(manager)
    by_hand(manager, "POST", f"{path}/publish", QUIET)
    before = published(manager, path)
    by_hand(manager, "PATCH", path, {"body": "Not yet public."})
    agent.call("PATCH", path, {"body": "By the agent."})
    if withdraws:
        agent.call("POST", f"{path}/unpublish")
    agent.call("POST", f"{path}/publish", QUIET)
    assert "By the agent." in published(manager, path)["html"]
    assert undo(manager)["left"] == []
    after = published(manager, path)
    changing = {"updated_at"}
    assert {k: v for k, v in after.items() if k not in changing} == {
        k: v for k, v in before.items() if k not in changing
    }
    assert read(manager, path)["body"] == "Not yet public."


def test_a_withdrawn_item_is_public_again_with_its_schedules(manager: Caller, agent: Agent) -> None:
    path = write(manager)
    by_hand(manager, "POST", f"{path}/publish", QUIET)
    by_hand(manager, "PATCH", path, {"body": "Second."})
    by_hand(manager, "POST", f"{path}/schedule", {"at": SOON, "if_missed": "skip"})
    by_hand(manager, "POST", f"{path}/schedule", {"action": "unpublish", "at": LATER})
    before, planned = published(manager, path), plans(manager, path)
    agent.call("POST", f"{path}/unpublish")
    agent.call("DELETE", path)
    assert plans(manager, path) == []
    assert undo(manager)["left"] == []
    after = published(manager, path)
    assert (after["html"], after["published_at"]) == (before["html"], before["published_at"])
    assert plans(manager, path) == planned
    assert read(manager, path)["status"] == "published"


def test_a_return_to_an_older_version_that_was_planned_still_comes(
    manager: Caller, agent: Agent, sessions: sessionmaker[Session]
) -> None:
    path = write(manager)
    for body in ("Second.", "Third."):
        by_hand(manager, "PATCH", path, {"body": body})
    by_hand(manager, "POST", f"{path}/publish", {"version": 3, **QUIET})
    by_hand(manager, "POST", f"{path}/schedule", {"at": SOON, "version": 2})
    agent.call("POST", f"{path}/publish", {"version": 1, **QUIET})
    assert undo(manager)["left"] == []
    assert "Third." in published(manager, path)["html"]
    assert plans(manager, path) == [("publish", "2099-01-01T00:00:00Z", 2, "run")]
    with sessions() as session:
        went_public = session.scalar(text("SELECT updated_at FROM publications"))
        assert session.scalar(select(Schedule.pinned_at)) > went_public


def test_the_archive_is_undone_both_ways(manager: Caller, agent: Agent) -> None:
    kept, shelved, both = write(manager), write(manager), write(manager)
    by_hand(manager, "POST", f"{shelved}/archive")
    by_hand(manager, "POST", f"{both}/archive")
    agent.call("POST", f"{kept}/archive")
    agent.call("POST", f"{shelved}/unarchive")
    agent.call("PATCH", shelved, {"title": "Dug out"})
    agent.call("POST", f"{both}/unarchive")
    agent.call("DELETE", both)
    made = agent.write()
    agent.call("POST", f"{made}/archive")
    assert undo(manager)["left"] == []
    stands = [read(manager, path)["status"] for path in (kept, shelved, both, made)]
    assert stands == ["draft", "archived", "archived", "trashed"]
    assert read(manager, shelved)["title"] == "Item"


def test_the_trash_is_undone_both_ways(manager: Caller, agent: Agent) -> None:
    kept, binned, edited = write(manager), write(manager), write(manager)
    by_hand(manager, "DELETE", binned)
    by_hand(manager, "DELETE", edited)
    agent.call("DELETE", kept)
    agent.call("POST", f"{binned}/untrash")
    agent.call("POST", f"{binned}/publish", QUIET)
    agent.call("POST", f"{edited}/untrash")
    agent.call("PATCH", edited, {"title": "Dug out"})
    agent.call("DELETE", edited)
    assert undo(manager)["left"] == []
    assert read(manager, kept)["status"] == "draft"
    assert read(manager, binned)["status"] == "trashed"
    assert published(manager, binned) is None
    again = read(manager, edited)
    assert (again["status"], again["title"]) == ("trashed", "Item")


def test_schedules_are_put_back(manager: Caller, agent: Agent) -> None:
    made, moved, cancelled, both = (write(manager) for _ in range(4))
    for path in (moved, cancelled, both):
        by_hand(manager, "PATCH", path, {"body": "Second."})
    agent.call("POST", f"{made}/schedule", {"at": SOON})
    first = by_hand(manager, "POST", f"{moved}/schedule", {"at": SOON, "version": 2})["id"]
    second = by_hand(manager, "POST", f"{cancelled}/schedule", {"at": SOON, "version": 1})["id"]
    third = by_hand(manager, "POST", f"{both}/schedule", {"at": SOON})["id"]
    planned = {path: plans(manager, path) for path in (moved, cancelled, both)}
    agent.call("PATCH", f"/schedule/{first}", {"at": LATER, "version": 1})
    agent.call("PATCH", f"/schedule/{first}", {"if_missed": "skip"})
    agent.call("DELETE", f"/schedule/{second}")
    agent.call("PATCH", f"/schedule/{third}", {"at": LATER})
    agent.call("DELETE", f"/schedule/{third}")
    agent.call("POST", f"{both}/schedule", {"at": LATER})
    assert undo(manager)["left"] == []
    assert plans(manager, made) == []
    for path, was in planned.items():
        assert plans(manager, path) == was


def test_the_wall_time_and_the_limit_of_a_schedule_are_put_back(
    manager: Caller, agent: Agent
) -> None:
    nine = {"local": {"time": "2099-07-15T09:00", "zone": "Europe/Vienna"}}
    asks = {"if_missed": "ask", "late_limit_seconds": 60}
    paths = [write(manager) for _ in range(3)]
    edited, moved, cancelled = (
        by_hand(manager, "POST", f"{path}/schedule", nine | asks)["id"] for path in paths
    )
    agent.call("PATCH", f"/schedule/{edited}", {"if_missed": "skip", "late_limit_seconds": 120})
    agent.call("PATCH", f"/schedule/{moved}", {"local": {"time": "2099-01-15T08:00",
                                                         "zone": "Europe/Vienna"}})  # fmt: skip
    agent.call("DELETE", f"/schedule/{cancelled}")
    assert undo(manager)["left"] == []
    for path in paths:
        (plan,) = manager.call("GET", f"{path}/schedule").get_json()["items"]
        assert plan["local"] == {"time": "2099-07-15T09:00:00", "zone": "Europe/Vienna",
                                 "fold": None}  # fmt: skip
        assert (plan["if_missed"], plan["late_limit_seconds"]) == ("ask", 60)


def test_a_schedule_whose_moment_has_passed_is_left(
    manager: Caller, agent: Agent, sessions: sessionmaker[Session]
) -> None:
    path = write(manager)
    planned = by_hand(manager, "POST", f"{path}/schedule", {"at": SOON})["id"]
    agent.call("DELETE", f"/schedule/{planned}")
    agent.call("PATCH", path, {"title": "Edited as well"})
    with sessions.begin() as session:
        session.execute(update(Schedule).values(due_at=utc_now() - timedelta(minutes=1)))
    report = undo(manager)
    assert (report["undone"], reasons(report)) == ([], {"content": "irreversible"})
    assert read(manager, path)["title"] == "Edited as well", "a subject is put back whole or not"


def test_links_to_a_draft_open_nothing_any_more(manager: Caller, agent: Agent) -> None:
    path = write(manager)
    link = agent.call("POST", f"{path}/versions/1/previews", {})
    kept = by_hand(manager, "POST", f"{write(manager)}/versions/1/previews", {})
    agent.call("PATCH", path, {"title": "Second"})

    assert undo(manager)["left"] == []

    assert read(manager, f"{path}/previews")["items"] == []
    opened = [
        manager.client.get("/api/v1/previews", query_string={"token": made["token"]}).status_code
        for made in (link, kept)
    ]
    assert opened == [404, 200]


def test_names_of_versions_are_taken_away_and_given_back(manager: Caller, agent: Agent) -> None:
    path = write(manager)
    by_hand(manager, "PATCH", path, {"title": "Second"})
    kept = by_hand(manager, "POST", f"{path}/versions/1/labels", {"name": "as printed"})
    for name in ("mine", "mine as well"):
        agent.call("POST", f"{path}/versions/2/labels", {"name": name})
    agent.caller.call("DELETE", f"{path}/labels/{kept['id']}", Agent_Session=agent.run)
    agent.call("POST", f"{path}/versions/2/labels", {"name": "as printed"})

    assert undo(manager)["left"] == []

    listed = read(manager, f"{path}/labels")["items"]
    assert [(line["name"], line["version"]) for line in listed] == [("as printed", 1)]


def test_links_that_show_an_item_are_no_change_of_it(manager: Caller, agent: Agent) -> None:
    shown, linked = write(manager), write(manager)
    for path in (shown, linked):
        agent.call("PATCH", path, {"body": "Worse."})
    by_hand(manager, "POST", f"{shown}/versions/2/previews", {})
    for _ in range(2):
        agent.call("POST", f"{linked}/versions/2/previews", {})
    report = undo(manager)
    assert report["left"] == []
    assert [read(manager, path)["body"] for path in (shown, linked)] == ["First.", "First."]
    assert len(read(manager, f"{shown}/previews")["items"]) == 1, "it is somebody else's"
    assert read(manager, f"{linked}/previews")["items"] == []


def test_who_reads_it_for_a_review_is_no_change_of_an_item(manager: Caller, agent: Agent) -> None:
    path = write(manager)
    agent.call("PATCH", path, {"body": "Worse."})
    review = agent.call("POST", f"{path}/reviews", {})["id"]
    by_hand(manager, "PUT", f"{path}/reviews/{review}/claim")
    link = by_hand(manager, "POST", f"{path}/reviews/{review}/links", {"name": "Ada"})
    form = {"token": link["url"].partition("=")[2], "decision": "reject"}
    assert manager.client.post("/review", data=form).status_code == 200
    assert undo(manager)["left"] == []
    assert read(manager, path)["body"] == "First."
    assert read(manager, f"{path}/reviews/{review}")["state"] == "voided"
