"""Promises of `flask content origins`: what is public, who wrote it, and who reviewed that."""

import csv

from flask.testing import FlaskCliRunner
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor, make_content
from webapp.kit.roles import RoleName
from webapp.kit.text_origins import TextOrigin
from webapp.services.content import content
from webapp.services.publishing import publishing, reviews
from webapp.services.publishing.reviews import Decision


def test_the_report_names_who_reviewed_the_very_version_that_is_public(
    commands: FlaskCliRunner, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        author, editor = make_actor(session, RoleName.AUTHOR), make_actor(session, RoleName.EDITOR)
        said = {"origin": TextOrigin.GENERATED, "tool": "writer, 3"}
        reviewed, bare = (make_content(session, author, slug=slug, **said) for slug in "ab")
        review_id = reviews.submit(session, author, reviewed, None)
        reviews.decide(session, editor, reviewed, review_id, Decision("approve", number=1))
        by_hand = make_content(session, author, slug="c")
        draft = make_content(session, author, slug="d", **said)
        for content_id in (reviewed, bare, by_hand):
            publishing.publish(session, editor, content_id, None, notify=False)
        content.edit(session, author, bare, None, {"body": "Not public yet."})

    output = commands.invoke(args=["content", "origins"]).stdout
    lines = list(csv.DictReader(output.splitlines()))
    told = [
        (line["content_id"], line["version"], line["origin"], line["tool"], line["reviewer"])
        for line in lines
    ]
    assert told == [
        (str(reviewed), "1", "generated", "writer, 3", editor.login),
        (str(bare), "1", "generated", "writer, 3", ""),
        (str(by_hand), "1", "human", "", ""),
    ]
    assert lines[0]["reviewed_at"]
    assert str(draft) not in {line["content_id"] for line in lines}
    asked = ["content", "origins", "--origin", "generated", "--unreviewed"]
    left = list(csv.DictReader(commands.invoke(args=asked).stdout.splitlines()))
    assert [line["content_id"] for line in left] == [str(bare)]
