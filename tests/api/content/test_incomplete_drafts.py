"""A draft may lack anything; what goes out lacks nothing that it has to have."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from tests.agents import ALL, Agent, by_hand, undo
from tests.factories import Caller, run_ready_jobs
from webapp.app import create_app
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.models import Content, ContentVersion, Schedule
from webapp.services.publishing import handing_over
from webapp.settings import Settings
from workers.context import WorkerContext

SOON = {"at": "2099-01-01T00:00:00Z"}
NO_TITLE = {"field": "title", "reason": "it has to have a title before it goes out"}


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    return Caller(client, RoleName.EDITOR)


def make(caller: Caller, **fields: Any) -> str:
    return f"/content/{by_hand(caller, 'POST', '/content', fields)['id']}"


def lacking(answer: Any) -> list[str]:
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    return [error["field"] for error in answer.get_json()["errors"]]


def releases(caller: Caller, path: str) -> list[Any]:
    """Ask for all that wants a version to be complete."""
    return [
        caller.call("POST", f"{path}/{step}", body, If_Match="*")
        for step, body in (("reviews", {}), ("schedule", SOON), ("publish", {}))
    ]


def test_a_draft_may_lack_everything_and_goes_nowhere(client: FlaskClient, editor: Caller) -> None:
    made = editor.call("POST", "/content", {})
    assert made.status_code == 201
    item = made.get_json()
    assert (item["title"], item["slug"], item["body"], item["version"]) == ("", "", "", 1)
    path = f"/content/{item['id']}"
    before = by_hand(editor, "GET", path)
    for refused in releases(editor, path):
        assert lacking(refused) == ["title"]
        assert refused.get_json()["errors"] == [NO_TITLE]
        assert refused.get_json()["detail"] == "Version 1 is not complete; it lacks: title."
    assert by_hand(editor, "GET", path) == before
    (listed,) = by_hand(editor, "GET", "/content")["items"]
    assert (listed["id"], listed["title"], listed["slug"]) == (item["id"], "", "")
    assert client.get("/api/v1/published").get_json()["items"] == []
    assert client.get("/api/v1/published/untitled").status_code == 404
    for step in ("trash", "untrash", "archive", "unarchive"):
        by_hand(editor, "POST", f"{path}/{step}")


@pytest.mark.parametrize("blank", [{}, {"title": ""}, {"title": " \t\n"}])
def test_the_slug_is_made_when_the_title_comes(editor: Caller, blank: dict[str, str]) -> None:
    by_hand(editor, "POST", f"{make(editor, title='First words')}/publish", {})
    path = make(editor, **blank)
    edited = by_hand(editor, "PATCH", path, {"body": "Words."})
    assert (edited["title"], edited["slug"]) == ("", "")
    titled = by_hand(editor, "PATCH", path, {"title": "First words"})
    assert titled["slug"] == "first-words-2"
    # From then on it is the item's own, as that of any other draft.
    assert by_hand(editor, "PATCH", path, {"title": "Others"})["slug"] == "first-words-2"
    assert by_hand(editor, "PATCH", path, {"title": ""})["slug"] == "first-words-2"
    assert [lacking(refused) for refused in releases(editor, path)] == [["title"]] * 3


def test_a_slug_that_was_chosen_stays(editor: Caller) -> None:
    path = make(editor, slug="chosen")
    assert by_hand(editor, "PATCH", path, {"title": "Words"})["slug"] == "chosen"
    path = make(editor)
    edited = by_hand(editor, "PATCH", path, {"title": "Words", "slug": "chosen-as-well"})
    assert edited["slug"] == "chosen-as-well"
    assert editor.call("PATCH", path, {"slug": ""}, If_Match="*").status_code == 422


def test_many_drafts_without_a_name_keep_apart(editor: Caller) -> None:
    paths = [make(editor) for _ in range(3)]
    named = [by_hand(editor, "PATCH", path, {"title": "Same"}) for path in paths]
    assert [item["slug"] for item in named] == ["same"] * 3
    published = [by_hand(editor, "POST", f"{path}/publish", {}) for path in paths]
    assert sorted(item["slug"] for item in published) == ["same", "same-2", "same-3"]


def test_versions_without_a_title_are_kept_compared_shown_and_restored(
    client: FlaskClient, editor: Caller
) -> None:
    path = make(editor)
    by_hand(editor, "PATCH", path, {"title": "Title", "body": "Words."})
    found = by_hand(editor, "GET", f"{path}/versions/2/comparison?former=1")
    assert "title" in str(found["fields"])
    assert by_hand(editor, "GET", f"{path}/versions/1")["title"] == ""
    assert by_hand(editor, "GET", f"{path}/versions/1/checks")["version"] == 1
    token = by_hand(editor, "POST", f"{path}/versions/1/previews", {})["token"]
    page = client.get("/preview", query_string={"token": token})
    assert "<h1>Without a title</h1>" in page.text
    restored = by_hand(editor, "POST", f"{path}/versions/1/restore")
    assert (restored["title"], restored["slug"]) == ("", "")
    by_hand(editor, "POST", f"{path}/versions/2/restore")
    by_hand(editor, "POST", f"{path}/publish", {})
    # What is public keeps its name, whatever is restored.
    restored = by_hand(editor, "POST", f"{path}/versions/1/restore")
    assert (restored["title"], restored["slug"]) == ("", "title")
    refused = editor.call("POST", f"{path}/publish", {"version": 1}, If_Match="*")
    assert lacking(refused) == ["title"]
    assert client.get("/api/v1/published/title").status_code == 200


def test_what_is_typed_before_a_title_is_kept(editor: Caller) -> None:
    path = make(editor)
    typed = {"base_version": 1, "changes": {"title": "", "body": "Words."}}
    by_hand(editor, "PUT", f"{path}/autosave", typed)
    saved = by_hand(editor, "POST", f"{path}/autosave/save")
    assert (saved["title"], saved["body"], saved["slug"]) == ("", "Words.", "")


def test_an_agents_title_is_taken_back(client: FlaskClient) -> None:
    manager = Caller(client, RoleName.MANAGER)
    agent, path = Agent(manager, *ALL), make(manager)
    agent.call("PATCH", path, {"title": "Made up"})
    assert undo(manager)["left"] == []
    item = by_hand(manager, "GET", path)
    assert (item["title"], item["slug"]) == ("", "")


def test_all_that_the_settings_want_is_told_at_once(settings: Settings) -> None:
    wanted = "category, excerpt, body, tags"
    app = create_app(settings.model_copy(update={"required_fields": wanted}))
    editor = Caller(app.test_client(), RoleName.MANAGER)
    path = make(editor, body=" ")
    for refused in releases(editor, path):
        assert lacking(refused) == ["title", "body", "excerpt", "category_id", "tags"]
    shelf = by_hand(editor, "POST", "/categories", {"name": "Shelf"})["id"]
    by_hand(editor, "PATCH", path, {"title": "T", "body": "B.", "tags": ["one"]})
    assert [lacking(refused) for refused in releases(editor, path)] == [
        ["excerpt", "category_id"]
    ] * 3
    by_hand(editor, "PATCH", path, {"excerpt": "E.", "category_id": shelf})
    assert [answer.status_code for answer in releases(editor, path)] == [201, 201, 200]
    # It is asked of the very version that goes out.
    for step, body in (("publish", {}), ("correct", {"note": "A note."}), ("schedule", SOON)):
        refused = editor.call("POST", f"{path}/{step}", {**body, "version": 2}, If_Match="*")
        assert lacking(refused) == ["excerpt", "category_id"]


def test_a_schedule_takes_no_version_that_is_not_complete(editor: Caller) -> None:
    path = make(editor)
    by_hand(editor, "PATCH", path, {"title": "Title"})
    planned = by_hand(editor, "POST", f"{path}/schedule", SOON)["id"]
    refused = editor.call("PATCH", f"/schedule/{planned}", {"version": 1}, If_Match="*")
    assert lacking(refused) == ["title"]
    assert by_hand(editor, "GET", f"/schedule/{planned}")["version"] == 2


def test_an_unknown_field_cannot_be_required() -> None:
    with pytest.raises(ValueError, match="colour: must be names of fields, of title, body"):
        Settings(_env_file=None, required_fields="colour")


def test_what_the_release_before_makes_of_a_draft_without_a_name_never_goes_public(
    client: FlaskClient, editor: Caller, sessions: sessionmaker[Session], worker: WorkerContext
) -> None:
    path = make(editor)
    with sessions.begin() as session:
        # It gives a title and makes no slug of it, and would schedule that.
        item = session.scalars(select(Content)).one()
        session.execute(update(Content).values(title="Title"))
        version = by_hand(editor, "GET", f"{path}/versions/1")
        assert (item.slug, version["slug"]) == ("", "")
    with sessions.begin() as session:
        schedule = _schedule_as_it_did(session, int(path.rpartition("/")[2]))
    with worker.transaction() as session:
        handing_over.hand_over_due(session)
    run_ready_jobs(worker, kinds={"schedules.fire"})
    assert by_hand(editor, "GET", f"/schedule/{schedule}")["state"] == "failed"
    assert client.get("/api/v1/published").get_json()["items"] == []
    # The next save here makes what is missing.
    assert by_hand(editor, "PATCH", path, {"body": "Words."})["slug"] == "title"


def _schedule_as_it_did(session: Session, content_id: int) -> int:
    version = select(ContentVersion.id).where(ContentVersion.content_id == content_id)
    schedule = Schedule(
        content_id=content_id,
        version_id=session.scalars(version).one(),
        action="publish",
        due_at=utc_now(),
    )
    session.add(schedule)
    session.flush()
    return schedule.id
