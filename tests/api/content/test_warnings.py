"""What checks find is told where people save and publish, and may be in the way."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from tests.agents import ALL, Agent, by_hand, reasons, undo
from tests.factories import Caller
from webapp.api.content import warnings
from webapp.app import create_app
from webapp.kit.roles import RoleName
from webapp.models import Publication, Rendering, Review, Schedule
from webapp.services.content import checks
from webapp.settings import Settings

BAD = {"title": "Title", "body": "#### Deep\n\n<img src='a.png'>\n\nSome words."}
FOUND = ["image.alt_missing", "heading.level_skipped"]
SOON = {"at": "2099-01-01T00:00:00Z"}


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    return Caller(client, RoleName.EDITOR)


def rules(answer: Any) -> list[str] | None:
    assert answer.status_code in (200, 201), answer.get_json()
    found = answer.get_json()["warnings"]
    return None if found is None else [finding["rule"] for finding in found]


def make(caller: Caller, **fields: Any) -> str:
    return f"/content/{by_hand(caller, 'POST', '/content', {**BAD, **fields})['id']}"


def test_a_save_is_checked_where_it_is_asked_for(
    editor: Caller, sessions: sessionmaker[Session]
) -> None:
    plain = editor.call("POST", "/content", BAD)
    assert rules(plain) is None
    path = f"/content/{plain.get_json()['id']}"
    assert rules(editor.call("PATCH", path, {"title": "Other"}, If_Match="*")) is None
    with sessions() as session:
        assert session.scalars(select(Rendering.version_id)).all() == [], "nothing was rendered"
    assert rules(editor.call("POST", "/content?checks=true", BAD)) == FOUND
    asked = editor.call("PATCH", f"{path}?checks=true", {"title": "Third"}, If_Match="*")
    assert rules(asked) == FOUND
    told = asked.get_json()["warnings"][0]
    assert told == {
        "rule": "image.alt_missing", "level": "error", "place": "a.png",
        "message": 'Say in alt what the image shows, or alt="" where it is an ornament.',
    }  # fmt: skip
    assert rules(editor.call("GET", path)) is None
    assert editor.call("POST", "/content?check=true", BAD).status_code == 422


def test_what_goes_out_is_always_checked(editor: Caller) -> None:
    path = make(editor)
    by_hand(editor, "PATCH", path, {"body": "Good words."})
    for step, body in (("schedule", SOON), ("publish", {}), ("correct", {"note": "A note."})):
        good = editor.call("POST", f"{path}/{step}", body, If_Match="*")
        assert rules(good) == [], step
        if step == "schedule":
            by_hand(editor, "DELETE", f"/schedule/{good.get_json()['id']}")
        # It is asked of the version that goes out, and not of the newest.
        bad = editor.call("POST", f"{path}/{step}", {**body, "version": 1}, If_Match="*")
        assert rules(bad) == FOUND, step
    by_hand(editor, "PATCH", path, BAD)
    assert rules(editor.call("POST", f"{path}/reviews", {}, If_Match="*")) == FOUND
    unpublish = {"action": "unpublish", **SOON}
    assert rules(editor.call("POST", f"{path}/schedule", unpublish, If_Match="*")) is None


def test_no_answer_is_flooded(editor: Caller) -> None:
    body = "\n\n".join(f"<img src='{number}.png'>" for number in range(80))
    found = rules(editor.call("POST", "/content?checks=true", {**BAD, "body": body}))
    assert found == ["image.alt_missing"] * checks.MOST_WARNINGS
    assert f"at most {checks.MOST_WARNINGS}" in str(warnings.Warnings)


def test_what_cannot_be_rendered_is_kept_all_the_same_and_told(editor: Caller) -> None:
    deep = {"title": "Deep", "body": "> " * 300 + "x"}
    made = editor.call("POST", "/content?checks=true", deep)
    assert rules(made) == ["body.unrenderable"]
    path = f"/content/{made.get_json()['id']}"
    assert by_hand(editor, "GET", path)["body"] == deep["body"]


def test_errors_are_in_the_way_where_the_settings_say_so(
    settings: Settings, sessions: sessionmaker[Session]
) -> None:
    app = create_app(settings.model_copy(update={"checks_refuse": True}))
    editor = Caller(app.test_client(), RoleName.EDITOR)
    path = make(editor)
    for step, body in (("reviews", {}), ("schedule", SOON), ("publish", {})):
        refused = editor.call("POST", f"{path}/{step}", body, If_Match="*")
        assert (refused.status_code, refused.content_type) == (422, "application/problem+json")
        (finding,) = refused.get_json()["findings"]
        assert (finding["rule"], finding["level"]) == ("image.alt_missing", "error")
    with sessions() as session:
        for model in (Review, Schedule, Publication):
            assert session.scalars(select(model)).all() == []
    # What a check only warns of goes out, and a save is never refused.
    saved = editor.call(
        "PATCH", f"{path}?checks=true", {"body": "#### Deep\n\nWords."}, If_Match="*"
    )
    assert rules(saved) == FOUND[1:]
    assert rules(editor.call("POST", f"{path}/publish", {}, If_Match="*")) == FOUND[1:]
    refused = editor.call(
        "POST", f"{path}/correct", {"note": "A note.", "version": 1}, If_Match="*"
    )
    assert refused.status_code == 422


def test_an_undo_leaves_what_the_checks_keep_back_and_puts_the_rest_back(
    client: FlaskClient, settings: Settings
) -> None:
    manager = Caller(client, RoleName.MANAGER)
    agent = Agent(manager, *ALL)
    planned, edited = make(manager), make(manager)
    made = by_hand(manager, "POST", f"{planned}/schedule", SOON)
    agent.call("DELETE", f"/schedule/{made['id']}")
    agent.call("PATCH", edited, {"title": "By the agent"})
    bound = create_app(settings.model_copy(update={"checks_refuse": True}))
    manager.client = bound.test_client()
    report = undo(manager)
    assert reasons(report) == {"content": "conflict"}
    assert by_hand(manager, "GET", edited)["title"] == BAD["title"]
