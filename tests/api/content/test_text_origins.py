"""Promises of who wrote a text: it is said, follows from who saves, and is never silently lost."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from tests.agents import Agent
from tests.factories import Caller, run_ready_jobs
from webapp.api.edge import ImprintApp
from webapp.kit.roles import RoleName
from webapp.models import ActivityLog, Publication
from workers.context import WorkerContext


@pytest.fixture
def author(client: FlaskClient) -> Caller:
    """Somebody who writes."""
    return Caller(client, RoleName.AUTHOR)


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    """Somebody who approves and publishes."""
    return Caller(client, RoleName.EDITOR)


@pytest.fixture
def agent(editor: Caller) -> Agent:
    """A program of the editor that names its run."""
    return Agent(editor, "read", "propose")


def origin_of(caller: Caller, item: str) -> tuple[str | None, str | None]:
    """Return the origin and the tool of an item."""
    read = caller.call("GET", item).json
    return read["origin"], read["tool"]


def approve(author: Caller, editor: Caller, item: str) -> dict[str, Any]:
    """Submit the newest version and approve of it; returns the review."""
    review: dict[str, Any] = author.call("POST", f"{item}/reviews", {}, If_Match="*").json
    decision = {"decision": "approve", "version": review["version"]}
    answer = editor.call("POST", f"{item}/reviews/{review['id']}/decisions", decision)
    assert answer.status_code == 200
    return review


def test_what_nobody_says_follows_from_who_saves(editor: Caller, agent: Agent) -> None:
    mine = editor.call("POST", "/content", {"title": "Mine"}).json
    assert (mine["origin"], mine["tool"]) == ("human", None)
    generated = agent.write(body="By a tool.")
    assert origin_of(editor, generated) == ("generated", None)
    silent = agent.caller.call("POST", "/content", {"title": "By a script"}).json
    assert silent["origin"] is None
    editor.call("PATCH", generated, {"body": "By a tool, and me."}, If_Match="*")
    assert origin_of(editor, generated) == ("assisted", None)
    agent.call("PATCH", f"/content/{mine['id']}", {"body": "A tool went over it."})
    assert origin_of(editor, f"/content/{mine['id']}") == ("assisted", None)


def test_what_is_said_counts_and_makes_a_version_by_itself(editor: Caller, app: ImprintApp) -> None:
    said = {"title": "Text", "origin": "generated", "tool": "writer 3"}
    made = editor.call("POST", "/content", said).json
    item = f"/content/{made['id']}"
    assert (made["origin"], made["tool"]) == ("generated", "writer 3")
    editor.call("PATCH", item, {"slug": "another-address"}, If_Match="*")
    assert origin_of(editor, item) == ("generated", "writer 3"), "its text is the same"
    editor.call("PATCH", item, {"body": "I have added this."}, If_Match="*")
    assert origin_of(editor, item) == ("assisted", "writer 3")
    changed = editor.call("PATCH", item, {"origin": "human"}, If_Match="*").json
    assert (changed["version"], changed["origin"], changed["tool"]) == (4, "human", None)
    same = editor.call("PATCH", item, {"origin": "human"}, If_Match="*").json
    assert same["version"] == 4
    listed = editor.call("GET", f"{item}/versions").json["items"]
    assert [line["origin"] for line in listed] == ["human", "assisted", "generated", "generated"]
    restored = editor.call("POST", f"{item}/versions/1/restore", If_Match="*").json
    assert (restored["origin"], restored["tool"]) == ("generated", "writer 3")
    with app.context.sessions() as session:  # type: ignore[union-attr]
        newest = select(ActivityLog.changes).where(ActivityLog.action == "content.restore")
        assert session.scalars(newest).one()["origin"] == {"old": "human", "new": "generated"}


def test_a_tool_cannot_call_its_text_human(editor: Caller, agent: Agent) -> None:
    named = {"If_Match": "*", "Agent_Session": "run-7"}
    human = {"origin": "human", "body": "By a tool."}
    assert (
        agent.caller.call("POST", "/content", {"title": "x", **human}, **named).status_code == 422
    )
    generated = agent.write(body="By a tool.")
    people_s = f"/content/{editor.call('POST', '/content', {'title': 'Mine'}).json['id']}"
    for item, said in ((generated, {"origin": "human"}), (people_s, human)):
        answer = agent.caller.call("PATCH", item, said, **named)
        assert answer.status_code == 422
        assert answer.json["errors"][0]["field"] == "body.origin"
        typed = {"base_version": 1, "changes": said}
        assert agent.caller.call("PUT", f"{item}/autosave", typed, **named).status_code == 422
    assert origin_of(editor, generated) == ("generated", None)
    # Who sends back what is said already, and restores what people wrote, claims nothing.
    agent.call("PATCH", people_s, {"origin": "human", "slug": "other"})
    agent.call("PATCH", people_s, {"body": "A tool went over it."})
    agent.call("POST", f"{people_s}/versions/1/restore")
    assert origin_of(editor, people_s) == ("human", None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "robot"},
        {"tool": "writer 3"},
        {"origin": "human", "tool": "writer 3"},
        {"origin": "generated", "tool": "x" * 101},
        {"origin": "generated", "tool": "two\nlines"},
    ],
)
def test_a_wrong_origin_is_refused(editor: Caller, wrong: dict[str, str]) -> None:
    answer = editor.call("POST", "/content", {"title": "Text", **wrong})
    assert answer.status_code == 422
    item = f"/content/{editor.call('POST', '/content', {'title': 'Text'}).json['id']}"
    assert editor.call("PATCH", item, wrong, If_Match="*").status_code == 422


def test_what_a_tool_types_is_not_taken_for_what_a_person_wrote(
    editor: Caller, agent: Agent, app: ImprintApp, worker: WorkerContext
) -> None:
    item = f"/content/{editor.call('POST', '/content', {'title': 'Text'}).json['id']}"
    typed = {"base_version": 1, "changes": {"body": "Typed by a tool."}}
    assert agent.call("PUT", f"{item}/autosave", typed)["changes"]["origin"] == "assisted"
    with app.context.sessions.begin() as session:  # type: ignore[union-attr]
        session.execute(text("UPDATE autosaves SET updated_at = now() - interval '1 hour'"))
        session.execute(text("UPDATE jobs SET run_at = now()"))
    run_ready_jobs(worker, kinds={"autosave.keep"})
    read = editor.call("GET", item).json
    assert (read["body"], read["origin"]) == ("Typed by a tool.", "assisted")


def test_a_list_finds_what_a_tool_wrote_and_nobody_has_reviewed(
    author: Caller, editor: Caller
) -> None:
    said = [("generated", True), ("generated", False), ("human", False)]
    made = []
    for number, (origin, is_reviewed) in enumerate(said):
        body = {"title": f"Text {number}", "origin": origin}
        made.append(author.call("POST", "/content", body).json["id"])
        if is_reviewed:
            approve(author, editor, f"/content/{made[-1]}")

    def found(query: str) -> list[int]:
        return [one["id"] for one in editor.call("GET", f"/content?{query}").json["items"]]

    assert found("origin=generated&reviewed=false") == [made[1]]
    assert found("origin=generated&reviewed=true") == [made[0]]
    assert found("origin=generated&limit=1") == [made[1]]
    assert found("reviewed=false") == [made[2], made[1]]
    assert editor.call("GET", "/content?origin=robot").status_code == 422
    author.call("PATCH", f"/content/{made[0]}", {"body": "Other words."}, If_Match="*")
    assert found("reviewed=true") == [], "the approval was of another version"


def test_the_public_learns_of_it_and_whether_somebody_reviewed_it(
    author: Caller, editor: Caller, app: ImprintApp
) -> None:
    body = {"title": "Text", "origin": "generated", "tool": "a secret tool"}
    item = f"/content/{author.call('POST', '/content', body).json['id']}"
    slug = editor.call("POST", f"{item}/publish", {}, If_Match="*").json["slug"]
    public = f"/published/{slug}"
    assert author.call("GET", public).json["origin"] == {"kind": "generated", "reviewed": False}
    before = author.call("GET", public).headers["ETag"]

    review = approve(author, editor, item)
    read = author.call("GET", public)
    assert read.json["origin"] == {"kind": "generated", "reviewed": True}
    assert read.headers["ETag"] != before
    assert "secret" not in read.get_data(as_text=True)
    (line,) = editor.call("GET", f"{item}/versions").json["items"]
    assert [(one["step"], one["user_id"]) for one in line["reviewed_by"]] == [("review", editor.id)]
    whole = editor.call("GET", f"{item}/versions/1").json
    assert whole["reviewed_by"] == line["reviewed_by"]

    decision = {"decision": "reject", "version": 1, "comment": "No."}
    editor.call("POST", f"{item}/reviews/{review['id']}/decisions", decision)
    assert author.call("GET", public).json["origin"]["reviewed"] is False
    for query, number in (("origin=generated", 1), ("origin=human", 0)):
        assert len(author.call("GET", f"/published?{query}").json["items"]) == number


def test_a_document_of_which_nobody_said_it_is_as_it_was(
    editor: Caller, agent: Agent, app: ImprintApp
) -> None:
    made = agent.caller.call("POST", "/content", {"title": "By a script"}).json
    editor.call("POST", f"/content/{made['id']}/publish", {}, If_Match="*")
    read = editor.call("GET", f"/published/{made['slug']}").json
    assert "origin" not in read
    with app.context.sessions() as session:  # type: ignore[union-attr]
        assert session.scalar(select(Publication.origin)) is None


def test_who_comes_too_late_is_offered_the_origin_as_well(editor: Caller) -> None:
    made = editor.call("POST", "/content", {"title": "Text", "body": "One two three."}).json
    item = f"/content/{made['id']}"
    editor.call("PATCH", item, {"title": "Another"}, If_Match="*")
    mine = {"body": "One two four.", "origin": "generated", "tool": "writer", "base_version": 1}
    late = editor.call("PATCH", item, mine, If_Match='"1"')
    assert late.status_code == 412
    offered = late.json["newer"]["merge"]
    assert offered["conflicts"] == []
    assert offered["changes"] == {
        "body": "One two four.", "origin": "generated", "tool": "writer"
    }  # fmt: skip
