"""What the public reads of what was wrong: a note with the corrected text, or why it is gone."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from tests.agents import ALL, Agent, by_hand, undo
from tests.factories import Caller, run_ready_jobs
from webapp.app import create_app
from webapp.kit.roles import RoleName
from webapp.services.publishing import corrections
from webapp.settings import Settings
from workers.context import WorkerContext


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    return Caller(client, RoleName.EDITOR)


def make(caller: Caller, *steps: str, slug: str = "news") -> str:
    made = by_hand(
        caller, "POST", "/content", {"title": "News", "slug": slug, "body": "On Monday."}
    )
    path = f"/content/{made['id']}"
    for step in steps:
        by_hand(caller, "POST", f"{path}/{step}", {"notify": False} if step == "publish" else None)
    return path


def correct(caller: Caller, path: str, note: str = "It was Tuesday.", **said: Any) -> Any:
    return by_hand(caller, "POST", f"{path}/correct", {"note": note, **said})


def retract(caller: Caller, path: str, reason: str = "It was made up.", **said: Any) -> Any:
    return by_hand(caller, "POST", f"{path}/retract", {"reason": reason, **said})


def public(client: FlaskClient, slug: str = "news") -> Any:
    return client.get(f"/api/v1/published/{slug}")


def notes(client: FlaskClient, slug: str = "news") -> list[str]:
    return [correction["note"] for correction in public(client, slug).get_json()["corrections"]]


def test_a_correction_is_read_with_the_text_for_as_long_as_that_is_public(
    client: FlaskClient, editor: Caller
) -> None:
    path = make(editor, "publish")
    first = public(client)
    assert first.get_json()["corrections"] == []
    by_hand(editor, "PATCH", path, {"body": "On Tuesday."})
    assert correct(editor, path)["status"] == "published"
    found = public(client)
    assert found.headers["ETag"] != first.headers["ETag"]
    (correction,) = found.get_json()["corrections"]
    assert correction["note"] == "It was Tuesday."
    assert correction["corrected_at"].endswith("Z")
    assert "On Tuesday." in found.get_json()["html"]
    assert found.get_json()["published_at"] == first.get_json()["published_at"]

    by_hand(editor, "PATCH", path, {"slug": "news-of-tuesday"})
    by_hand(editor, "POST", f"{path}/publish", {})
    correct(editor, path, "It was *evening*.")
    assert notes(client, "news-of-tuesday") == ["It was Tuesday.", "It was *evening*."]
    by_hand(editor, "POST", f"{path}/unpublish")
    by_hand(editor, "POST", f"{path}/publish", {})
    assert notes(client, "news-of-tuesday") == ["It was Tuesday.", "It was *evening*."]
    (line,) = client.get("/api/v1/published").get_json()["items"]
    assert "corrections" not in line


def test_a_corrections_note_is_wanted_and_bounded(client: FlaskClient, editor: Caller) -> None:
    path = make(editor, "publish")
    for wrong in ({}, {"note": ""}, {"note": "  "}, {"note": "two\nlines"}, {"note": "x" * 1001}):
        for step in ("correct", "retract"):
            said = {"reason" if step == "retract" else name: value for name, value in wrong.items()}
            refused = editor.call("POST", f"{path}/{step}", said, If_Match="*")
            assert refused.status_code == 422, said
    assert notes(client) == []
    draft = make(editor, slug="draft")
    for step, said in {"correct": {"note": "x"}, "retract": {"reason": "x"}}.items():
        refused = editor.call("POST", f"{draft}/{step}", said, If_Match="*")
        assert (refused.status_code, refused.get_json()["detail"]) == (
            409,
            "The item is not public.",
        )
        assert editor.call("POST", f"{path}/{step}", said).status_code == 428
        assert editor.call("POST", f"{path}/{step}", said, If_Match='"9"').status_code == 412


def test_an_item_has_so_many_corrections_and_no_more(
    client: FlaskClient, editor: Caller, sessions: sessionmaker[Session]
) -> None:
    path = make(editor, "publish")
    with sessions.begin() as session:
        session.execute(
            text(
                "INSERT INTO corrections (content_id, sequence, number, note)"
                " SELECT :item, -n, 1, 'Note.' FROM generate_series(1, :number) AS n"
            ),
            {"item": int(path.rpartition("/")[2]), "number": corrections.MOST_OF_ONE_ITEM},
        )
    before = public(client)
    refused = editor.call("POST", f"{path}/correct", {"note": "x"}, If_Match="*")
    assert refused.status_code == 409
    assert "100 corrections" in refused.get_json()["detail"]
    assert public(client).data == before.data
    assert len(notes(client)) == corrections.MOST_OF_ONE_ITEM


def test_an_author_corrects_by_what_was_approved(client: FlaskClient, editor: Caller) -> None:
    author = Caller(client, RoleName.AUTHOR)
    path = make(author)
    by_hand(editor, "POST", f"{path}/publish", {})
    by_hand(author, "PATCH", path, {"body": "On Tuesday."})
    refused = author.call("POST", f"{path}/correct", {"note": "x"}, If_Match="*")
    assert (refused.status_code, "no approval" in refused.get_json()["detail"]) == (403, True)
    assert author.call("POST", f"{path}/retract", {"reason": "x"}, If_Match="*").status_code == 403
    review = by_hand(author, "POST", f"{path}/reviews", {})
    yes = {"decision": "approve", "version": 2}
    by_hand(editor, "POST", f"{path}/reviews/{review['id']}/decisions", yes)
    correct(author, path)
    assert notes(client) == ["It was Tuesday."]


def test_followers_hear_of_a_correction_where_it_is_wished(
    client: FlaskClient, editor: Caller, worker: WorkerContext
) -> None:
    reader = Caller(client, RoleName.READER)
    assert reader.call("PUT", f"/follows/author/{editor.id}").status_code == 204
    path = make(editor, "publish")
    correct(editor, path, "Told to nobody.")
    run_ready_jobs(worker)
    assert reader.call("GET", "/notifications").get_json()["items"] == []
    correct(editor, path, notify=True)
    run_ready_jobs(worker)
    (told,) = reader.call("GET", "/notifications").get_json()["items"]
    assert (told["kind"], told["title"]) == ("content.corrected", "News")


def test_what_is_retracted_answers_with_the_reason_and_is_nowhere_else(
    client: FlaskClient, editor: Caller, worker: WorkerContext
) -> None:
    reader = Caller(client, RoleName.READER)
    reader.call("PUT", f"/follows/author/{editor.id}")
    path = make(editor)
    by_hand(editor, "POST", f"{path}/publish", {})
    run_ready_jobs(worker)
    by_hand(editor, "PATCH", path, {"slug": "better-news"})
    by_hand(editor, "POST", f"{path}/publish", {})
    plan = {"action": "unpublish", "at": "2099-01-01T00:00:00Z"}
    planned = by_hand(editor, "POST", f"{path}/schedule", plan)
    shown = retract(editor, path)
    assert (shown["status"], shown["is_public"]) == ("retracted", False)
    assert {"publish", "archive", "trash"} <= set(shown["moves"])
    assert not {"correct", "unpublish", "retract"} & set(shown["moves"])

    gone = public(client, "better-news")
    assert (gone.status_code, gone.content_type) == (410, "application/problem+json")
    assert gone.get_json()["detail"] == "It was made up."
    assert gone.get_json()["retracted"]["reason"] == "It was made up."
    assert "must-revalidate" in gone.headers["Cache-Control"]
    moved = public(client)
    assert (moved.status_code, moved.headers["Location"]) == (301, "/api/v1/published/better-news")
    for query in ("", "?q=Monday", "?q=News", f"?author={editor.login}"):
        assert client.get(f"/api/v1/published{query}").get_json()["items"] == []
    assert reader.call("GET", "/notifications").get_json()["items"] == []
    assert by_hand(editor, "GET", f"/schedule/{planned['id']}")["state"] == "cancelled"
    listed = by_hand(editor, "GET", "/content?status=retracted")["items"]
    assert [item["id"] for item in listed] == [shown["id"]]
    assert by_hand(editor, "GET", "/content?status=unpublished")["items"] == []
    again = editor.call("POST", f"{path}/retract", {"reason": "x"}, If_Match="*")
    assert (again.status_code, again.get_json()["detail"]) == (409, "The item is not public.")
    taken = {"title": "Other", "slug": "better-news"}
    assert editor.call("POST", "/content", taken).status_code == 409


def test_a_retraction_shows_nothing_of_a_later_text_and_ends_with_a_publication(
    client: FlaskClient, editor: Caller
) -> None:
    path = make(editor, "publish")
    retract(editor, path)
    by_hand(editor, "PATCH", path, {"title": "Secret", "slug": "secret", "body": "Secret."})
    assert "ecret" not in public(client).text
    assert public(client, "secret").status_code == 404
    by_hand(editor, "POST", f"{path}/archive")
    assert public(client).status_code == 410
    assert by_hand(editor, "POST", f"{path}/unarchive")["status"] == "retracted"
    by_hand(editor, "POST", f"{path}/trash")
    assert public(client).status_code == 404
    assert by_hand(editor, "POST", f"{path}/untrash")["status"] == "retracted"
    by_hand(editor, "POST", f"{path}/publish", {})
    assert public(client, "secret").status_code == 200
    assert public(client).headers["Location"] == "/api/v1/published/secret"
    assert by_hand(editor, "POST", f"{path}/unpublish")["status"] == "unpublished"
    assert public(client, "secret").status_code == 404


@pytest.mark.parametrize(("keep_title", "title"), [(True, "News"), (False, None)])
def test_a_stub_stands_in_its_place_where_the_settings_want_one(
    settings: Settings, keep_title: bool, title: str | None
) -> None:
    app = create_app(settings.model_copy(update={"retracted": "stub"}))
    client = app.test_client()
    editor = Caller(client, RoleName.EDITOR)
    path = make(editor, "publish")
    retract(editor, path, keep_title=keep_title)
    stub = public(client)
    assert stub.status_code == 200
    said = stub.get_json()
    assert said == {
        "id": int(path.rpartition("/")[2]), "slug": "news", "title": title,
        "retracted": {
            "reason": "It was made up.", "retracted_at": said["retracted"]["retracted_at"]
        },
    }  # fmt: skip
    seen = {"If-None-Match": stub.headers["ETag"]}
    assert client.get("/api/v1/published/news", headers=seen).status_code == 304


def test_an_agents_corrections_and_retractions_are_put_back(client: FlaskClient) -> None:
    manager = Caller(client, RoleName.MANAGER)
    agent = Agent(manager, *ALL)
    corrected, same, retracted = (
        make(manager, "publish", slug=slug) for slug in ("corrected", "same", "retracted")
    )
    correct(manager, same, "By hand.")
    before = {slug: public(client, slug).get_json() for slug in ("corrected", "same", "retracted")}
    agent.call("PATCH", corrected, {"body": "Worse."})
    agent.call("POST", f"{corrected}/correct", {"note": "Made up."})
    agent.call("POST", f"{same}/correct", {"note": "Nothing was wrong."})
    etag = public(client, "same").headers["ETag"]
    agent.call("POST", f"{retracted}/retract", {"reason": "For no reason."})
    assert undo(manager)["left"] == []
    for slug, former in before.items():
        now = public(client, slug).get_json()
        assert {**now, "updated_at": former["updated_at"]} == former
    assert public(client, "same").headers["ETag"] != etag


def test_what_an_agent_published_is_retracted_again(client: FlaskClient) -> None:
    manager = Caller(client, RoleName.MANAGER)
    path = make(manager, "publish")
    retract(manager, path)
    before = public(client).get_json()["retracted"]
    agent = Agent(manager, *ALL)
    agent.call("POST", f"{path}/publish", {"notify": False})
    agent.call("POST", f"{path}/correct", {"note": "It is right."})
    assert notes(client) == ["It is right."]
    assert undo(manager)["left"] == []
    assert public(client).get_json()["retracted"] == before
    assert by_hand(manager, "GET", path)["status"] == "retracted"
    by_hand(manager, "POST", f"{path}/publish", {})
    assert notes(client) == []


def test_all_notes_of_an_agent_are_taken_back(client: FlaskClient) -> None:
    manager = Caller(client, RoleName.MANAGER)
    path = make(manager, "publish")
    correct(manager, path, "By hand.")
    agent = Agent(manager, *ALL)
    for number in range(3):
        agent.call("POST", f"{path}/correct", {"note": f"Made up {number}."})
    assert undo(manager)["left"] == []
    assert notes(client) == ["By hand."]


@pytest.mark.parametrize("begins", ["draft", "unpublished"])
def test_a_retraction_of_what_was_not_public_before_is_taken_back(
    client: FlaskClient, begins: str
) -> None:
    manager = Caller(client, RoleName.MANAGER)
    path = make(manager, *(("publish", "unpublish") if begins == "unpublished" else ()))
    agent = Agent(manager, *ALL)
    agent.call("POST", f"{path}/publish", {"notify": False})
    agent.call("POST", f"{path}/retract", {"reason": "Made up by an agent."})
    assert public(client).status_code == 410
    assert undo(manager)["left"] == []
    assert by_hand(manager, "GET", path)["status"] == "unpublished"
    assert public(client).status_code == 404


def test_a_retraction_that_an_agent_replaced_is_there_again(client: FlaskClient) -> None:
    manager = Caller(client, RoleName.MANAGER)
    path = make(manager, "publish")
    retract(manager, path)
    before = public(client).get_json()["retracted"]
    agent = Agent(manager, *ALL)
    agent.call("POST", f"{path}/publish", {"notify": False})
    agent.call("POST", f"{path}/retract", {"reason": "Made up by an agent."})
    assert undo(manager)["left"] == []
    assert by_hand(manager, "GET", path)["status"] == "retracted"
    assert public(client).get_json()["retracted"] == before
