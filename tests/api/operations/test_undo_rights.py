"""Promise: an undo can do nothing that its caller could not do by hand, and tells nobody more."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from tests.agents import ALL, QUIET, UNDO, Agent, by_hand, read, reasons, undo, write
from tests.factories import Caller
from webapp.kit.roles import RoleName


def status(caller: Any, path: str = UNDO, **body: Any) -> int:
    """Return the status of an undo."""
    return int(caller.call("POST", path, body).status_code)


def test_a_key_undoes_what_its_scopes_allow_and_nothing_else(client: FlaskClient) -> None:
    editor = Caller(client, RoleName.EDITOR)
    proposer = Agent(editor, "propose")
    edited = write(editor)
    proposer.call("PATCH", edited, {"title": "Second"})
    drafted = proposer.write()
    report = proposer.call("POST", UNDO, {})
    assert reasons(report) == {"content": "forbidden"}
    assert read(editor, drafted)["status"] == "draft"
    assert read(editor, edited)["title"] == "Item"
    assert len(undo(editor)["undone"]) == 1
    assert read(editor, drafted)["status"] == "trashed"


def test_what_a_demoted_owner_may_no_more_is_left(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    editor, author = Caller(client, RoleName.EDITOR), Caller(client, RoleName.AUTHOR)
    agent = Agent(editor, *ALL)
    own, foreign, hidden = write(editor), write(editor), write(author)
    agent.call("PATCH", own, {"title": "Second"})
    agent.call("POST", f"{foreign}/publish", QUIET)
    agent.call("PATCH", hidden, {"title": "Second"})
    by_hand(author, "PATCH", hidden, {"title": "Third"})
    with sessions.begin() as session:
        demoted = "UPDATE users SET role_id = (SELECT id FROM roles WHERE name = 'author')"
        session.execute(text(f"{demoted} WHERE id = :id"), {"id": editor.id})
    report = undo(editor)
    left = {one["subject"]["id"]: one for one in report["left"]}
    assert left[int(foreign.split("/")[-1])]["reason"] == "forbidden"
    unseen = left[int(hidden.split("/")[-1])]
    assert (unseen["reason"], unseen["by_id"], unseen["at"]) == ("not_found", None, None)
    assert len(report["undone"]) == 1
    assert read(editor, own)["title"] == "Item"


def test_who_may_see_a_session(client: FlaskClient) -> None:
    owner, other = Caller(client, RoleName.EDITOR), Caller(client, RoleName.EDITOR)
    manager = Caller(client, RoleName.MANAGER)
    agent, colleague = Agent(owner, *ALL), Agent(owner, *ALL, run="run-8")
    path = write(owner)
    agent.call("PATCH", path, {"title": "Second"})
    unknown = "/activity/sessions/unknown/undo"
    for caller in (owner, other, manager, agent.caller):
        assert status(caller, unknown) == 404
    assert status(other) == 404
    assert status(other, api_key_id=agent.key_id) == 404
    assert status(colleague.caller) == 404, "a key sees what it did itself"
    assert status(colleague.caller, api_key_id=agent.key_id) == 404
    assert status(manager, api_key_id=colleague.key_id) == 404
    report = undo(manager)
    assert (report["api_key_id"], report["owner_id"]) == (agent.key_id, owner.id)
    assert len(report["undone"]) == 1


def test_a_name_that_several_keys_have_used_needs_the_key(client: FlaskClient) -> None:
    owner, other = Caller(client, RoleName.EDITOR), Caller(client, RoleName.EDITOR)
    manager = Caller(client, RoleName.MANAGER)
    first, second, theirs = Agent(owner, *ALL), Agent(owner, *ALL), Agent(other, *ALL)
    paths = [agent.write() for agent in (first, second, theirs)]
    refused = owner.call("POST", UNDO, {})
    assert refused.status_code == 409
    assert refused.get_json()["detail"].endswith(f"one of: {first.key_id}, {second.key_id}.")
    assert status(manager) == 409
    assert len(undo(other)["undone"]) == 1
    assert len(undo(owner, api_key_id=first.key_id)["undone"]) == 1
    states = [read(manager, path)["status"] for path in paths]
    assert states == ["trashed", "draft", "trashed"]
    own = Agent(manager, *ALL)
    own.write()
    assert undo(manager)["api_key_id"] == own.key_id, "one's own comes first"


def test_managers_put_no_profile_of_others_back(client: FlaskClient) -> None:
    owner, manager = Caller(client, RoleName.READER), Caller(client, RoleName.MANAGER)
    agent = Agent(owner, "manage")
    agent.call("PATCH", "/accounts/me", {"display_name": "The agent"})
    agent.call("PUT", "/notifications/preferences", {"by_mail": False})
    report = undo(manager)
    assert reasons(report) == {"profile": "forbidden", "preferences": "forbidden"}
    assert {left["by_id"] for left in report["left"]} == {None}
    assert undo(owner)["left"] == []


@pytest.mark.parametrize(
    "body", [{"limit": 0}, {"limit": 101}, {"cursor": "x"}, {"api_key_id": 0}, {"dry_run": 1}]
)
def test_wrong_questions_are_refused(client: FlaskClient, body: dict[str, Any]) -> None:
    owner = Caller(client, RoleName.EDITOR)
    Agent(owner, "propose").write()
    answer = owner.call("POST", UNDO, body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.get_json()["errors"]] == [f"body.{next(iter(body))}"]


def test_a_name_may_hold_whatever_the_header_may(client: FlaskClient) -> None:
    owner = Caller(client, RoleName.EDITOR)
    for name, spelt in (("a/b c".replace(" ", "+"), "a/b%2B" + "c"), ("50%?#", "50%25%3F%23")):
        agent = Agent(owner, "propose", run=name)
        agent.write()
        report = undo(owner, f"/activity/sessions/{spelt}/undo")
        assert (report["agent_session"], len(report["undone"])) == (name, 1)
