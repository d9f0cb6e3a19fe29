"""Promises of `flask content verify`: it looks at every version, and names the damaged ones."""

import json

from flask.testing import FlaskCliRunner
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from tests.services.content.versions_in_numbers import make_versions, seal_all, switch_on
from webapp.models import ContentVersion


def test_whole_packed_and_damaged_versions_are_told_apart(
    commands: FlaskCliRunner, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        packed, _ = make_versions(session, 60, words=30)
        switch_on(session)
        seal_all(session, packed)
        whole, _ = make_versions(session, 3, words=30)

    result = commands.invoke(args=["content", "verify"])
    assert (result.exit_code, result.output) == (
        0, "63 versions, 60 of them packed: all are what was saved.\n"
    )  # fmt: skip

    with sessions.begin() as session:
        last = (ContentVersion.content_id == packed, ContentVersion.number == 60)
        session.execute(update(ContentVersion).where(*last).values(packed=b"nothing"))
        second = (ContentVersion.content_id == whole, ContentVersion.number == 2)
        session.execute(update(ContentVersion).where(*second).values(body="not what was saved"))
    result = commands.invoke(args=["content", "verify"])
    assert result.exit_code == 3
    assert result.output == (
        f"Version 60 of item {packed} (packed) is damaged.\n"
        f"Version 2 of item {whole} (whole) is damaged.\n"
        "63 versions, 60 of them packed: 2 are damaged.\n"
    )
    told = json.loads(commands.invoke(args=["content", "verify", "--json"]).output)
    assert told == {
        "checked": 63,
        "packed": 60,
        "damaged": [{"content_id": packed, "number": 60}, {"content_id": whole, "number": 2}],
    }
