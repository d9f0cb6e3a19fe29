"""Promises about versions that cannot be read: the answer names them, and nothing else breaks."""

from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import Caller
from tests.services.content.versions_in_numbers import make_versions, seal_all, switch_on
from webapp.kit.roles import RoleName


def test_a_damaged_version_is_named_and_the_others_are_served(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    editor = Caller(client, RoleName.EDITOR)
    with sessions.begin() as session:
        content_id, bodies = make_versions(session, 3)
        switch_on(session)
        seal_all(session, content_id)
        session.execute(text("UPDATE content_versions SET packed = 'no' WHERE number = 2"))
    path = f"/content/{content_id}/versions"
    asked = {"at": "2100-01-01T00:00:00Z", "action": "publish", "version": 2}
    for answer in (
        editor.call("GET", f"{path}/2"),
        editor.call("POST", f"{path}/2/restore", If_Match="*"),
        editor.call("POST", f"/content/{content_id}/publish", {"version": 2}, If_Match="*"),
        editor.call("POST", f"/content/{content_id}/schedule", asked, If_Match="*"),
    ):
        assert answer.status_code == 503, answer.get_json()
        assert answer.content_type == "application/problem+json"
        assert f"Version 2 of item {content_id} is damaged" in answer.get_json()["detail"]
    for number in (1, 3):
        assert editor.call("GET", f"{path}/{number}").get_json()["body"] == bodies[number - 1]
    listed = editor.call("GET", path).get_json()["items"]
    assert [line["number"] for line in listed] == [3, 2, 1]
    assert editor.call("GET", f"/content/{content_id}").get_json()["body"] == bodies[2]
