"""Promises of `flask schedules`, as operators meet them."""

import json
from datetime import timedelta

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor, make_content
from webapp.kit.clock import utc_now
from webapp.models import Schedule
from webapp.services.operations import housekeeping
from webapp.services.publishing import schedules
from webapp.services.publishing.schedules import SchedulePlan


@pytest.fixture
def planned(sessions: sessionmaker[Session]) -> tuple[int, int]:
    """An item and a schedule to publish it in an hour."""
    with sessions.begin() as session:
        actor = make_actor(session)
        content_id = make_content(session, actor, title="A secret title")
        plan = SchedulePlan("publish", utc_now() + timedelta(hours=1))
        return content_id, schedules.create(session, actor, content_id, None, plan)


def change(sessions: sessionmaker[Session], schedule_id: int, **values: object) -> None:
    """Make a schedule look as it might after something happened."""
    with sessions.begin() as session:
        session.execute(update(Schedule).where(Schedule.id == schedule_id).values(**values))


def next_step(commands: FlaskCliRunner, schedule_id: int) -> str:
    """Return what `why` says of what comes next."""
    told = commands.invoke(args=["schedules", "why", str(schedule_id), "--json"])
    assert told.exit_code == 0, told.output
    step: str = json.loads(told.stdout)["next_step"]
    return step


def test_what_is_planned_is_listed_without_a_word_of_the_draft(
    commands: FlaskCliRunner, planned: tuple[int, int]
) -> None:
    content_id, schedule_id = planned
    listed = commands.invoke(args=["schedules", "list", "--item", str(content_id)])
    assert listed.exit_code == 0, listed.output
    assert f"{schedule_id}  pending" in listed.stdout
    assert f"item {content_id}: publish version 1" in listed.stdout
    told = commands.invoke(args=["schedules", "why", str(schedule_id)])
    assert "schedule.create" in told.stdout
    assert "secret" not in listed.stdout + told.stdout
    assert commands.invoke(args=["schedules", "list", "--state", "failed"]).stdout == (
        "No schedules.\n"
    )
    following = commands.invoke(args=["schedules", "list", "--after", str(schedule_id)])
    assert following.stdout == "No schedules.\n"


def test_why_says_what_a_schedule_waits_for(
    commands: FlaskCliRunner, sessions: sessionmaker[Session], planned: tuple[int, int]
) -> None:
    _, schedule_id = planned
    assert next_step(commands, schedule_id) == "It waits for its moment."
    change(sessions, schedule_id, due_at=utc_now() - timedelta(minutes=1))
    assert next_step(commands, schedule_id).startswith("No dispatcher is alive")
    with sessions.begin() as session:
        housekeeping.write_heartbeat(session)
    assert next_step(commands, schedule_id) == "A dispatcher hands it over now."
    pause = ["jobs", "pause", "--kind", "schedules.fire", "--reason", "a fire", "--by", "ada"]
    assert commands.invoke(args=pause).exit_code == 0
    assert next_step(commands, schedule_id).startswith("It waits for the end of a pause")
    change(sessions, schedule_id, state="handed")
    assert "takes it back within a minute" in next_step(commands, schedule_id)
    change(sessions, schedule_id, state="failed", failure="The item is archived.")
    assert f"flask schedules retry {schedule_id}" in next_step(commands, schedule_id)
    told = commands.invoke(args=["schedules", "why", str(schedule_id)]).stdout
    assert "The item is archived." in told


def test_a_schedule_that_is_not_there_is_said_to_be_so(commands: FlaskCliRunner) -> None:
    told = commands.invoke(args=["schedules", "why", "12345"])
    assert (told.exit_code, told.stderr) == (1, "Error: There is no schedule 12345.\n")


def test_what_failed_is_tried_again_unless_its_approval_is_gone(
    commands: FlaskCliRunner, sessions: sessionmaker[Session], planned: tuple[int, int]
) -> None:
    _, schedule_id = planned
    retry = ["schedules", "retry", str(schedule_id), "12345"]
    told = commands.invoke(args=retry)
    assert (told.exit_code, told.stdout) == (1, "0 of 2 schedules are tried again.\n")
    assert f"{schedule_id}: The schedule is pending; only one that failed" in told.stderr
    assert "12345: There is no schedule 12345." in told.stderr
    change(sessions, schedule_id, state="failed", failure="No.", rests_on_approval=True)
    told = commands.invoke(args=retry[:3])
    assert (told.exit_code, told.stdout) == (1, "0 of 1 schedules are tried again.\n")
    assert "approval" in told.stderr
    change(sessions, schedule_id, rests_on_approval=False)
    told = commands.invoke(args=retry[:3])
    assert (told.exit_code, told.stdout) == (0, "1 of 1 schedules are tried again.\n")
    assert next_step(commands, schedule_id) == "It waits for its moment."
