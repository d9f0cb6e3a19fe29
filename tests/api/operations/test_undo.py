"""Promise: what an agent changed is put back on demand, and nobody else's work with it."""

from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from tests.agents import (
    ALL,
    QUIET,
    UNDO,
    Agent,
    by_hand,
    published,
    read,
    reasons,
    undo,
    undone,
    write,
)
from tests.factories import PASSWORD, Caller, run_ready_jobs
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.services.publishing.handing_over import hand_over_due
from workers.context import WorkerContext


def test_categories_are_put_back_unless_they_are_in_use(manager: Caller, agent: Agent) -> None:
    told = {"name": "Shelf", "slug": "shelf", "description": "d" * 2000, "parent_id": None}
    edited = by_hand(manager, "POST", "/categories", told)
    lost = by_hand(manager, "POST", "/categories", {"name": "Lost"})["id"]
    new = agent.call("POST", "/categories", {"name": "New"})["id"]
    used = agent.call("POST", "/categories", {"name": "Used"})["id"]
    by_hand(manager, "POST", "/content", {"title": "In it", "category_id": used})
    drafted = agent.write(category_id=new)
    changed = {"name": "Board", "slug": "board", "parent_id": lost}
    agent.call("PUT", f"/categories/{edited['id']}", changed)
    agent.call("PUT", f"/categories/{edited['id']}", {"name": "Plank"})
    agent.caller.call("DELETE", f"/categories/{lost}", If_Match="*", Agent_Session="run-7")
    merged = by_hand(manager, "POST", "/categories", {"name": "Merged"})["id"]
    agent.call("POST", f"/categories/{merged}/merge", {"into_id": used})
    report = undo(manager)
    assert read(manager, f"/categories/{edited['id']}") == edited
    assert manager.call("GET", f"/categories/{new}").status_code == 404
    assert read(manager, drafted)["status"] == "trashed"
    assert [(left["subject"]["id"], left["reason"]) for left in report["left"]] == [
        (merged, "irreversible"), (lost, "irreversible"), (used, "conflict"),
    ]  # fmt: skip


def test_roles_profiles_and_preferences_are_put_back(
    client: FlaskClient, manager: Caller, agent: Agent
) -> None:
    reader = Caller(client, RoleName.READER)
    agent.call("PUT", f"/users/{reader.id}/role", {"role": "author"})
    agent.call("PUT", f"/users/{reader.id}/role", {"role": "editor"})
    agent.call("PATCH", "/accounts/me", {"display_name": "The agent"})
    agent.call("PUT", "/notifications/preferences", {"by_mail": False})
    agent.call("PUT", "/notifications/preferences", {"by_mail": False, "notices_by_mail": False})
    before = manager.login
    client.post("/api/v1/auth/token", json={"login": manager.login, "password": PASSWORD})
    assert undo(manager)["left"] == [], "a login in between changes nothing of a profile"
    assert read(reader, "/accounts/me")["role"] == "reader"
    assert read(manager, "/accounts/me")["display_name"] == before
    assert read(manager, "/notifications/preferences") == {
        "by_mail": True, "notices_by_mail": True,
    }  # fmt: skip


def test_of_a_long_text_the_log_keeps_too_little(manager: Caller, agent: Agent) -> None:
    by_hand(manager, "PATCH", "/accounts/me", {"bio": "b" * 500})
    agent.call("PATCH", "/accounts/me", {"bio": "Short."})
    assert reasons(undo(manager)) == {"profile": "irreversible"}
    assert read(manager, "/accounts/me")["bio"] == "Short."


def test_what_another_has_changed_since_is_left_and_told_by_whom(
    client: FlaskClient, manager: Caller, agent: Agent
) -> None:
    editor, reader = Caller(client, RoleName.EDITOR), Caller(client, RoleName.READER)
    since, between, elsewhere, kept = (write(manager) for _ in range(4))
    for path in (since, between, elsewhere, kept):
        agent.call("PATCH", path, {"title": "By the agent"})
    by_hand(editor, "PATCH", since, {"body": "By a person."})
    by_hand(editor, "PATCH", between, {"body": "By a person."})
    agent.call("PATCH", between, {"excerpt": "More"})
    agent.call("PATCH", elsewhere, {"excerpt": "More"}, run="run-8")
    agent.call("PUT", f"/users/{reader.id}/role", {"role": "editor"})
    by_hand(manager, "PUT", f"/users/{reader.id}/role", {"role": "author"})
    report = undo(manager)
    assert undone(report) == [("content", int(kept.split("/")[-1]))]
    assert {left["reason"] for left in report["left"]} == {"changed_since"}
    told = {(left["subject"]["kind"], left["subject"]["id"]): left for left in report["left"]}
    assert len(told) == 4
    by = told["content", int(since.split("/")[-1])]
    assert (by["by_id"], by["detail"]) == (editor.id, "content.save came since.")
    assert by["at"] is not None
    assert told["content", int(elsewhere.split("/")[-1])]["by_id"] == manager.id
    assert told["user", reader.id]["by_id"] == manager.id
    assert read(manager, since)["title"] == "By the agent"
    assert read(reader, "/accounts/me")["role"] == "author"


def test_what_a_schedule_has_done_since_is_left(
    manager: Caller, agent: Agent, worker: WorkerContext, sessions: sessionmaker[Session]
) -> None:
    path = agent.write()
    agent.call("POST", f"{path}/schedule", {"at": utc_now().isoformat()})
    with worker.transaction() as session:
        hand_over_due(session)
    run_ready_jobs(worker)
    assert read(manager, path)["status"] == "published"
    (left,) = undo(manager)["left"]
    assert (left["reason"], left["by_id"]) == ("changed_since", None)
    assert read(manager, path)["status"] == "published"


def test_what_followers_were_told_is_listed_beside_its_undoing(
    client: FlaskClient, manager: Caller, agent: Agent, worker: WorkerContext
) -> None:
    reader = Caller(client, RoleName.READER)
    reader.call("PUT", f"/follows/author/{manager.id}")
    loud, quiet = agent.write(), agent.write()
    agent.call("POST", f"{loud}/publish", {})
    agent.call("POST", f"{quiet}/publish", QUIET)
    run_ready_jobs(worker)
    assert len(read(reader, "/notifications")["items"]) == 1
    report = undo(manager)
    assert len(report["undone"]) == 2
    (left,) = report["left"]
    assert (left["reason"], left["subject"]["id"]) == ("told", int(loud.split("/")[-1]))
    assert read(reader, "/notifications")["items"] == []


def test_news_that_the_session_cut_short_goes_on(
    client: FlaskClient, manager: Caller, agent: Agent, worker: WorkerContext
) -> None:
    reader = Caller(client, RoleName.READER)
    reader.call("PUT", f"/follows/author/{manager.id}")
    path = write(manager)
    by_hand(manager, "POST", f"{path}/publish", {})
    agent.call("POST", f"{path}/unpublish")
    run_ready_jobs(worker)
    assert read(reader, "/notifications")["items"] == []
    assert undo(manager)["left"] == []
    run_ready_jobs(worker)
    assert [one["title"] for one in read(reader, "/notifications")["items"]] == ["Item"]


def test_a_second_call_finds_nothing_left_and_later_work_can_be_undone_again(
    manager: Caller, agent: Agent
) -> None:
    path = write(manager)
    agent.call("PATCH", path, {"title": "Second"})
    assert len(undo(manager)["undone"]) == 1
    report = undo(manager)
    assert (report["undone"], reasons(report)) == ([], {"content": "already_undone"})
    assert report["left"][0]["by_id"] == manager.id
    assert read(manager, path)["version"] == 3
    agent.call("PATCH", path, {"title": "Once more"})
    assert len(undo(manager)["undone"]) == 1
    assert read(manager, path)["title"] == "Item"


def test_an_undo_is_told_and_can_be_undone(manager: Caller, agent: Agent) -> None:
    path = write(manager)
    agent.call("PATCH", path, {"title": "Second"})
    agent.call("PATCH", path, {"title": "Third"})
    by_key = Agent(manager, *ALL, run="repair")
    by_key.call("POST", UNDO, {})
    assert read(manager, path)["title"] == "Item"
    (line,) = read(manager, "/activity?action=content.undo")["items"]
    assert line["details"]["agent_session"] == "run-7"
    assert line["details"]["api_key_id"] == agent.key_id
    saves = read(manager, "/activity?action=content.save&agent_session=run-7")["items"]
    ids = (line["details"]["from_line_id"], line["details"]["to_line_id"])
    assert ids == (saves[-1]["id"], saves[0]["id"])
    assert (line["agent_session"], line["actor"]["id"]) == ("repair", manager.id)
    assert len(undo(manager, "/activity/sessions/repair/undo")["undone"]) == 1
    assert read(manager, path)["title"] == "Third"


def test_an_agent_may_undo_its_own_session_from_inside_it(manager: Caller, agent: Agent) -> None:
    path = write(manager)
    agent.call("PATCH", path, {"title": "Second"})
    assert len(agent.call("POST", UNDO, {})["undone"]) == 1
    report = agent.call("POST", UNDO, {})
    assert (report["undone"], reasons(report)) == ([], {"content": "already_undone"})
    assert read(manager, path)["title"] == "Item"


def test_what_a_line_of_an_older_release_does_not_tell_is_left(
    manager: Caller, agent: Agent, sessions: sessionmaker[Session]
) -> None:
    older, public = write(manager), write(manager)
    for path in (older, public):
        by_hand(manager, "POST", f"{path}/publish", QUIET)
        by_hand(manager, "PATCH", path, {"body": "Second."})
    agent.call("POST", f"{older}/publish", QUIET)
    with sessions.begin() as session:
        session.execute(text("ALTER TABLE activity_logs DISABLE TRIGGER USER"))
        session.execute(text("UPDATE activity_logs SET details = details - 'shown'"))
        session.execute(text("ALTER TABLE activity_logs ENABLE TRIGGER USER"))
    agent.call("POST", f"{public}/publish", QUIET)
    report = undo(manager)
    assert undone(report) == [("content", int(public.split("/")[-1]))]
    assert reasons(report) == {"content": "irreversible"}
    assert "Second." in published(manager, older)["html"]


def test_a_renamed_tag_gets_its_name_back_and_a_merged_one_is_left(
    manager: Caller, agent: Agent
) -> None:
    path = write(manager, tags=["One", "Two", "Three"])
    ids = {tag["slug"]: tag["id"] for tag in read(manager, path)["tags"]}
    agent.call("PUT", f"/tags/{ids['one']}", {"name": "First", "slug": "first"})
    agent.call("POST", f"/tags/{ids['two']}/merge", {"into_id": ids["three"]})
    report = undo(manager)
    assert [tag["slug"] for tag in read(manager, path)["tags"]] == ["one", "three"]
    assert reasons(report) == {"tag": "irreversible"}
