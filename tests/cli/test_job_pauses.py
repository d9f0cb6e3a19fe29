"""Promises of `flask jobs pause` and `resume`, as operators meet them."""

import json
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from webapp.jobs.messages import SealVersion
from webapp.jobs.outbox import enqueue
from webapp.models import Job, JobPause

WHY = ["--reason", "the mail server is away", "--by", "ada"]


def test_a_queue_is_paused_until_a_moment_and_resumed_before(commands: FlaskCliRunner) -> None:
    pause = ["jobs", "pause", "--queue", "mail", "--until", "2199-05-17T09:00:00+02:00", *WHY]
    paused = commands.invoke(args=pause)
    told = "queue mail, until 2199-05-17T07:00:00Z, by ada: the mail server is away\n"
    assert (paused.exit_code, paused.stdout) == (0, f"Paused: {told}"), paused.output
    assert paused.stderr == ""
    listed = commands.invoke(args=["jobs", "list"])
    assert listed.stderr == f"Paused: {told}"
    again = commands.invoke(args=["jobs", "pause", "--queue", "mail", *WHY])
    assert again.stdout.startswith("It was paused already; now: queue mail, until it is resumed, ")
    resumed = commands.invoke(args=["jobs", "resume", "--queue", "mail"])
    assert (resumed.exit_code, resumed.stdout[:20]) == (0, "Resumed: queue mail.")
    assert commands.invoke(args=["jobs", "list"]).stderr == ""
    nothing = commands.invoke(args=["jobs", "resume", "--queue", "mail"])
    assert (nothing.exit_code, nothing.stderr) == (1, "Error: Queue mail is not paused.\n")


def test_machines_are_answered_in_json(
    commands: FlaskCliRunner, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        job_id = enqueue(session, SealVersion(version_id=1))
    target = ["--kind", "version.seal"]
    paused = commands.invoke(args=["jobs", "pause", *target, *WHY, "--json"])
    told = json.loads(paused.stdout)
    assert datetime.fromisoformat(told.pop("created_at")) <= datetime.now(UTC)
    assert told == {
        "outcome": "set",
        "scope": "kind",
        "target": "version.seal",
        "reason": "the mail server is away",
        "paused_by": "ada",
        "ends_at": None,
    }
    line = json.loads(commands.invoke(args=["jobs", "list", "--json"]).stdout)
    assert (line["id"], line["held_by"]) == (job_id, "kind version.seal")
    resumed = commands.invoke(args=["jobs", "resume", *target, "--json"])
    assert json.loads(resumed.stdout)["outcome"] == "lifted"
    line = json.loads(commands.invoke(args=["jobs", "list", "--json"]).stdout)
    assert line["held_by"] is None


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["--queue", "post"], 2, "'post' is not one of 'accounts', 'publishing', 'versions'"),
        (
            ["--kind", "mail.send"],
            2,
            "'mail.send' is not one of 'account.delete', 'account.erase', 'account_deletion.send'",
        ),
        (["--event", "17"], 1, "There is no event 17."),
        (["--event", "0"], 2, "0 is not in the range"),
        (["--event", str(2**63)], 2, "is not in the range"),
        ([], 2, "Give one of --queue, --kind and --event."),
        (["--queue", "mail", "--event", "1"], 2, "Give one of --queue, --kind and --event."),
        (["--queue", "mail", "--until", "2020-01-01T00:00:00Z"], 1, "until: lies in the past"),
        (["--queue", "mail", "--until", "2199-01-01T00:00:00"], 2, "as RFC 3339 writes it"),
        (["--queue", "mail", "--until", "2199-02-30T00:00:00Z"], 2, "that no calendar has"),
        (["--queue", "mail", "--until", "9999-12-31T23:59:59Z"], 2, "between the years"),
        (["--queue", "mail", "--reason", " "], 2, "is blank"),
        (["--queue", "mail", "--reason", "a\nb"], 2, "breaks the line"),
        (["--queue", "mail", "--reason", "a" * 501], 2, "more than 500 characters"),
        (["--queue", "mail", "--by", "a" * 101], 2, "more than 100 characters"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    commands: FlaskCliRunner,
    sessions: sessionmaker[Session],
    arguments: list[str],
    status: int,
    sentence: str,
) -> None:
    result = commands.invoke(args=["jobs", "pause", *WHY, *arguments])
    assert (result.exit_code, sentence in result.stderr) == (status, True), result.stderr
    with sessions() as session:
        assert session.scalars(select(JobPause)).all() == []


def test_a_reason_has_to_be_given(commands: FlaskCliRunner) -> None:
    result = commands.invoke(args=["jobs", "pause", "--queue", "mail"])
    assert (result.exit_code, "Missing option '--reason'" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "warning"),
    [
        (["--queue", "accounts"], "Mind: Nobody gets a password mail meanwhile."),
        (["--kind", "password_reset.send"], "Mind: Nobody gets a password mail meanwhile."),
        (["--queue", "publishing"], "are then more than 3600 s late are skipped."),
        (["--kind", "schedules.fire"], "Mind: Schedules stay pending meanwhile"),
    ],
)
def test_a_pause_that_people_wait_behind_is_set_with_a_warning(
    commands: FlaskCliRunner, arguments: list[str], warning: str
) -> None:
    paused = commands.invoke(args=["jobs", "pause", *arguments, *WHY])
    assert (paused.exit_code, warning in paused.stderr) == (0, True)


def test_a_job_that_is_held_can_be_discarded(
    commands: FlaskCliRunner, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        job_id = enqueue(session, SealVersion(version_id=1))
        session.get_one(Job, job_id).state = "held"
    assert commands.invoke(args=["jobs", "list", "--state", "held"]).stdout != "No jobs.\n"
    assert commands.invoke(args=["jobs", "discard", str(job_id)]).exit_code == 0
