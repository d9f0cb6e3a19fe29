"""Promises of `flask content prune-versions`: it says what would go, and does just that."""

import json

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from tests.services.content.aged_versions import age, hours_of_one_day, numbers_of
from tests.services.content.versions_in_numbers import make_versions, seal_all, switch_on
from webapp.models import ActivityLog, ContentVersion

PRUNE = ["content", "prune-versions"]


@pytest.fixture
def items(sessions: sessionmaker[Session]) -> tuple[int, int]:
    """Two items of twenty and of ten packed versions of one day."""
    with sessions.begin() as session:
        switch_on(session)
        first, _ = make_versions(session, 20, words=30)
        second, _ = make_versions(session, 10, words=30)
        for content_id, number in ((first, 20), (second, 10)):
            seal_all(session, content_id)
            age(session, content_id, hours_of_one_day(number))
    return first, second


def test_a_dry_run_says_what_would_go_and_a_run_does_it(
    commands: FlaskCliRunner, sessions: sessionmaker[Session], items: tuple[int, int]
) -> None:
    first, second = items
    foreseen = json.loads(commands.invoke(args=[*PRUNE, "--dry-run", "--json"]).output)
    assert foreseen["versions"] == 24
    assert [(line["content_id"], line["versions"]) for line in foreseen["items"]] == [
        (first, 17), (second, 7)
    ]  # fmt: skip
    assert foreseen["bytes"] == sum(line["bytes"] for line in foreseen["items"]) > 1_000
    with sessions() as session:
        assert session.scalar(select(func.count(ContentVersion.id))) == 30

    said = commands.invoke(args=[*PRUNE, "--item", str(second)])
    assert said.exit_code == 0
    assert said.stdout.startswith(f"Item {second}: 7 versions, ")
    assert "7 versions of 1 items gone: " in said.stdout
    done = json.loads(commands.invoke(args=[*PRUNE, "--json"]).stdout)
    assert (done["versions"], done["busy"], done["damaged"]) == (17, [], [])
    # 19 and 20 hung on 17, and take a few more bytes against the first.
    assert 0 < done["bytes"] < foreseen["bytes"]
    assert done["repacked"] == 2
    with sessions() as session:
        assert numbers_of(session, first) == [1, 19, 20]
        lines = session.execute(
            select(ActivityLog.subject_id, ActivityLog.details).where(
                ActivityLog.action == "versions.prune"
            )
        ).all()
    assert {row.subject_id: row.details["versions"] for row in lines} == {first: 17, second: 7}
    assert all("operator" in row.details for row in lines)
    verified = commands.invoke(args=["content", "verify"])
    assert (verified.exit_code, verified.output) == (
        0, "6 versions, 6 of them packed: all are what was saved.\n"
    )  # fmt: skip


def test_days_may_be_said_and_a_damaged_version_is_told_loudly(
    commands: FlaskCliRunner, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        content_id, _ = make_versions(session, 10, words=30)
        seal_all(session, content_id)
        age(session, content_id, hours_of_one_day(10, days_ago=60))
    assert commands.invoke(args=[*PRUNE, "--keep-days", "1"]).exit_code == 2
    kept = json.loads(commands.invoke(args=[*PRUNE, "--keep-days", "90", "--json"]).stdout)
    assert kept["versions"] == 0
    with sessions.begin() as session:
        session.execute(
            update(ContentVersion).where(ContentVersion.number == 4).values(body="not that")
        )
    said = commands.invoke(args=[*PRUNE, "--keep-days", "2", "--daily-days", "2"])
    assert said.exit_code == 3
    assert f"Version 4 of item {content_id} is damaged: what is beside it stays." in said.stdout
    with sessions() as session:
        assert len(numbers_of(session, content_id)) == 10
