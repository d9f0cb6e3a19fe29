"""Promises of `flask accounts`: what operators do to accounts works at once and names them."""

import json
from typing import Any

import pytest
from click.testing import Result
from flask.testing import FlaskClient, FlaskCliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from dev.mail_sink import MailSink
from tests.factories import PASSWORD, Caller, run_ready_jobs
from tests.second_factors import Telephone
from webapp.cli.operators import operator_name
from webapp.kit.roles import RoleName
from webapp.models import ActivityLog
from webapp.services.accounts import freezes
from workers.context import WorkerContext


@pytest.fixture
def reader(client: FlaskClient) -> Caller:
    """An account that is logged in."""
    return Caller(client, RoleName.READER)


def run(commands: FlaskCliRunner, *args: str, **options: Any) -> Result:
    """Run `flask accounts …`."""
    return commands.invoke(args=["accounts", *args], catch_exceptions=False, **options)


def lines_about(sessions: sessionmaker[Session], user_id: int) -> dict[str, ActivityLog]:
    """Return the newest line of each action about an account."""
    with sessions() as session:
        found = select(ActivityLog).where(ActivityLog.subject_id == user_id)
        return {line.action: line for line in session.scalars(found.order_by(ActivityLog.id))}


def log_in(caller: Caller, password: str = PASSWORD) -> int:
    """Return the status with which a login is answered."""
    credentials = {"login": caller.login, "password": password}
    return caller.client.post("/api/v1/auth/token", json=credentials).status_code


def test_an_account_is_switched_off_at_once_and_on_again(
    commands: FlaskCliRunner, sessions: sessionmaker[Session], reader: Caller
) -> None:
    off = run(commands, "disable", reader.login.upper(), "--reason", "spam", "--yes")
    assert (off.exit_code, off.output) == (0, f"{reader.login} is off now.\n")
    assert (reader.call("GET", "/accounts/me").status_code, log_in(reader)) == (401, 401)
    again = run(commands, "disable", str(reader.id), "--reason", "spam", "--yes")
    assert "was off already" in again.output
    on = json.loads(run(commands, "enable", reader.login, "--json").output)
    assert (on["id"], on["disabled_at"]) == (reader.id, None)
    assert (reader.call("GET", "/accounts/me").status_code, log_in(reader)) == (401, 200)
    line = lines_about(sessions, reader.id)["account.disable"]
    assert line.actor_id is None
    assert (line.details["operator"], line.details["reason"]) == (operator_name(), "spam")


def test_an_account_that_its_owner_froze_is_shown_so_and_thawed(
    commands: FlaskCliRunner, sessions: sessionmaker[Session], reader: Caller
) -> None:
    with sessions.begin() as session:
        freezes.freeze(session, freezes.mint(session, reader.id))
    assert "  frozen  " in run(commands, "list", "--disabled").output
    assert json.loads(run(commands, "show", reader.login, "--json").output)["frozen_at"]
    assert log_in(reader) == 401
    on = json.loads(run(commands, "enable", reader.login, "--json").output)
    assert (on["id"], on["frozen_at"], log_in(reader)) == (reader.id, None, 200)


def test_what_ends_something_is_asked_for_first(commands: FlaskCliRunner, reader: Caller) -> None:
    for args in (("disable", "--reason", "x"), ("revoke-sessions",), ("reset-password",)):
        refused = run(commands, args[0], reader.login, *args[1:], input="n\n")
        assert refused.exit_code == 1, refused.output
        assert reader.login in refused.output
    assert reader.call("GET", "/accounts/me").status_code == 200
    assert run(commands, "revoke-sessions", reader.login, input="y\n").exit_code == 0
    assert reader.call("GET", "/accounts/me").status_code == 401
    assert log_in(reader) == 200


def test_a_password_is_made_useless_and_a_link_is_mailed(
    commands: FlaskCliRunner, worker: WorkerContext, mail_sink: MailSink, reader: Caller
) -> None:
    assert run(commands, "reset-password", reader.login, "--yes").exit_code == 0
    assert (reader.call("GET", "/accounts/me").status_code, log_in(reader)) == (401, 401)
    run_ready_jobs(worker)
    (message,) = mail_sink.messages()
    assert message["To"] == reader.email


def test_a_link_is_printed_once_and_works_once(
    commands: FlaskCliRunner, client: FlaskClient, sessions: sessionmaker[Session], reader: Caller
) -> None:
    printed = run(commands, "reset-password", reader.login, "--print-link", "--yes", "--json")
    token = json.loads(printed.output)["link"].partition("?token=")[2]
    assert log_in(reader) == 401
    new = {"token": token, "password": "another password for tests"}
    confirmed = [
        client.post("/api/v1/auth/password-reset/confirm", json=new).status_code for _ in range(2)
    ]
    assert confirmed == [204, 401]
    assert log_in(reader, "another password for tests") == 200
    with sessions() as session:
        told = session.scalars(select(ActivityLog.details)).all()
    assert token not in str(told)


def test_accounts_are_listed_page_by_page_and_shown(
    commands: FlaskCliRunner, client: FlaskClient, reader: Caller
) -> None:
    admin = Caller(client, RoleName.ADMIN)
    run(commands, "disable", reader.login, "--reason", "spam", "--yes")
    first = run(commands, "list", "--limit", "1")
    assert f"More with --after {reader.id}." in first.output
    rest = run(commands, "list", "--after", str(reader.id), "--json")
    assert [json.loads(line)["login"] for line in rest.output.splitlines()] == [admin.login]
    off = run(commands, "list", "--disabled", "--json").output
    assert [json.loads(line)["login"] for line in off.splitlines()] == [reader.login]
    assert run(commands, "list", "--role", "author").output == "No accounts.\n"
    shown = json.loads(run(commands, "show", admin.login, "--json").output)
    assert (shown["role"], shown["live_sessions"]) == ("admin", 1)
    assert "password" not in str(shown)


def test_what_cannot_be_done_is_one_sentence_and_exit_code_1(
    commands: FlaskCliRunner, client: FlaskClient
) -> None:
    missing = run(commands, "show", "nobody")
    assert (missing.exit_code, missing.output) == (1, "Error: There is no account nobody.\n")
    admin = Caller(client, RoleName.ADMIN)
    last = run(commands, "disable", admin.login, "--reason", "x", "--yes")
    assert (last.exit_code, "last admin" in last.output) == (1, True)
    assert run(commands, "disable", admin.login, "--yes", "--reason").exit_code == 2


def test_an_admin_who_is_made_is_told_as_json_without_the_password(
    commands: FlaskCliRunner,
) -> None:
    asked = ["create-admin", "--login", "root", "--email", "root@localhost.test", "--json"]
    made = run(commands, *asked, "--password", PASSWORD)
    assert json.loads(made.output)["role"] == "admin"
    assert PASSWORD not in made.output


def test_lost_factors_are_taken_away_and_told(
    commands: FlaskCliRunner,
    sessions: sessionmaker[Session],
    worker: WorkerContext,
    mail_sink: MailSink,
    reader: Caller,
) -> None:
    Telephone(reader, sessions)
    shown = json.loads(run(commands, "show", reader.login, "--json").output)
    assert shown["second_factors"] == ["totp", "recovery_code"]
    assert log_in(reader) == 202
    refused = run(commands, "reset-factors", reader.login, input="n\n")
    assert (refused.exit_code, log_in(reader)) == (1, 202)
    done = json.loads(run(commands, "reset-factors", reader.login, "--yes", "--json").output)
    assert (done["login"], done["removed_factors"]) == (reader.login, ["totp", "recovery_code"])
    assert log_in(reader) == 200
    assert "second_factors   -" in run(commands, "show", reader.login).output
    again = run(commands, "reset-factors", str(reader.id), input="y\n")
    assert (again.exit_code, "had no second factor" in again.output) == (0, True)
    assert run(commands, "reset-factors", "nobody", "--yes").exit_code == 1
    line = lines_about(sessions, reader.id)["second_factor.all_removed"]
    assert (line.actor_id, line.details["operator"]) == (None, operator_name())
    run_ready_jobs(worker)
    assert "removed by those who run" in mail_sink.messages()[-1].as_string().replace("=\n", "")
