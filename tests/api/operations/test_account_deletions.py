"""Promises to an owner who asks to be deleted: told by mail, taken back, and carried out once."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from dev.mail_sink import MailSink
from tests.at_once import at_once
from tests.factories import PASSWORD, Caller, make_content, run_ready_jobs
from webapp.jobs.account_messages import DeleteAccount
from webapp.kit.roles import RoleName
from webapp.models import AccountDeletion, ActivityLog, Content, Erasure, Job, User
from webapp.services.accounts.actors import Actor
from webapp.services.errors import NotFoundError
from webapp.services.operations import account_deletions
from workers.context import WorkerContext

DELETION = "/accounts/me/deletion"
KINDS = {DeleteAccount.kind}


@pytest.fixture
def author(client: FlaskClient, sessions: sessionmaker[Session]) -> Caller:
    """An author with a draft."""
    author = Caller(client, RoleName.AUTHOR)
    with sessions.begin() as session:
        make_content(session, Actor(author.id, author.login, RoleName.AUTHOR))
    return author


def ask(caller: Caller, **fields: Any) -> Any:
    """Ask to be deleted."""
    return caller.call("POST", DELETION, {"password": PASSWORD, **fields})


def let_it_be_due(sessions: sessionmaker[Session]) -> None:
    """Let the days pass."""
    with sessions.begin() as session:
        session.execute(update(AccountDeletion).values(due_at=func.clock_timestamp()))
        session.execute(
            update(Job).where(Job.kind.in_(KINDS)).values(run_at=func.clock_timestamp())
        )


def test_an_account_works_until_its_day_and_is_then_gone_with_its_items_at_the_heir(
    client: FlaskClient, sessions: sessionmaker[Session], worker: WorkerContext,
    mail_sink: MailSink, author: Caller,
) -> None:  # fmt: skip
    heir = Caller(client, RoleName.EDITOR)
    answer = ask(author, heir=heir.login.upper())
    assert (answer.status_code, answer.get_json()["heir"]) == (202, heir.login)
    assert author.call("GET", DELETION).get_json() == answer.get_json()
    run_ready_jobs(worker)
    (mail,) = mail_sink.messages()
    assert (mail["To"], mail["Subject"]) == (author.email, "Your account will be deleted")
    assert author.call("GET", "/accounts/me").status_code == 200

    let_it_be_due(sessions)
    run_ready_jobs(worker)
    assert author.call("GET", "/accounts/me").status_code == 401
    credentials = {"login": author.login, "password": PASSWORD}
    assert client.post("/api/v1/auth/token", json=credentials).status_code == 401
    with sessions() as session:
        assert session.scalars(select(Content.author_id)).all() == [heir.id]
        assert session.get_one(Erasure, author.id).heir_id == heir.id
        assert session.scalar(select(func.count()).select_from(AccountDeletion)) == 0


def test_it_is_taken_back_by_who_signs_in_and_the_day_passes_without_harm(
    client: FlaskClient, sessions: sessionmaker[Session], worker: WorkerContext,
    mail_sink: MailSink, author: Caller,
) -> None:  # fmt: skip
    assert ask(author).status_code == 202
    token = client.post(
        "/api/v1/auth/token", json={"login": author.login, "password": PASSWORD}
    ).get_json()["access_token"]
    author.token = token
    assert author.call("DELETE", DELETION).status_code == 204
    assert author.call("GET", DELETION).status_code == 404
    assert author.call("DELETE", DELETION).status_code == 404
    let_it_be_due(sessions)
    run_ready_jobs(worker)
    assert author.call("GET", "/accounts/me").status_code == 200
    assert [mail["Subject"] for mail in mail_sink.messages()] == ["Your account stays"]
    with sessions() as session:
        actions = select(ActivityLog.action).where(ActivityLog.action.like("account.deletion.%"))
        assert session.scalars(actions.order_by(ActivityLog.id)).all() == [
            "account.deletion.ask",
            "account.deletion.cancel",
        ]


def test_who_may_not_or_not_so_is_told_why(client: FlaskClient, author: Caller) -> None:
    assert ask(author, password="wrong").status_code == 401
    for heir in ("nobody.here", author.login, Caller(client, RoleName.READER).login):
        refused = ask(author, heir=heir)
        assert (refused.status_code, refused.get_json()["errors"][0]["field"]) == (422, "body.heir")
    assert author.call("GET", DELETION).status_code == 404
    assert (ask(author).status_code, ask(author).status_code) == (202, 409)
    boss = Caller(client, RoleName.ADMIN)
    assert (ask(boss).status_code, boss.call("GET", DELETION).status_code) == (409, 404)


def test_one_who_became_the_last_admin_waits_for_another_one(
    client: FlaskClient, sessions: sessionmaker[Session], worker: WorkerContext
) -> None:
    boss, other = Caller(client, RoleName.ADMIN), Caller(client, RoleName.ADMIN)
    assert ask(boss).status_code == 202
    with sessions.begin() as session:
        session.execute(
            update(User).where(User.id == other.id).values(disabled_at=func.clock_timestamp())
        )
    let_it_be_due(sessions)
    run_ready_jobs(worker, kinds=KINDS)
    assert boss.call("GET", DELETION).status_code == 200
    with sessions.begin() as session:
        session.execute(update(User).where(User.id == other.id).values(disabled_at=None))
    let_it_be_due(sessions)
    run_ready_jobs(worker, kinds=KINDS)
    assert boss.call("GET", DELETION).status_code == 401


def test_taken_back_at_the_very_moment_it_is_done_or_it_is_not(
    client: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    """Two workers at one wish, and its owner who takes it back: one of the three gets through."""
    outcomes = set()
    for _ in range(8):
        author = Caller(client, RoleName.AUTHOR)
        assert ask(author).status_code == 202
        let_it_be_due(sessions)
        with sessions() as session:
            wish = session.scalars(select(AccountDeletion.id)).one()

        def act(turn: int, author: Caller = author, wish: int = wish) -> str:
            with sessions.begin() as session:
                if turn:
                    account_deletions.carry_out(session, wish, default_heir="")
                    return "carried out"
                try:
                    account_deletions.cancel(session, author.id)
                except NotFoundError:
                    return "too late"
                return "taken back"

        (_, _, taken_back) = at_once(act, 3)
        with sessions() as session:
            is_erased = session.get(Erasure, author.id) is not None
            lines = session.scalar(
                text("SELECT count(*) FROM activity_logs WHERE action = 'account.erase'"
                     " AND subject_id = :id"),
                {"id": author.id},
            )  # fmt: skip
        assert (taken_back == "too late") is is_erased
        assert lines == int(is_erased)
        outcomes.add(taken_back)
    assert outcomes <= {"taken back", "too late"}
