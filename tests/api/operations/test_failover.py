"""Promises about a database that takes no writes for a while, as around a failover."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from flask.testing import FlaskClient
from psycopg import sql
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import PASSWORD, Caller, make_actor, make_content
from webapp.adapters.database import make_engine
from webapp.adapters.mail import Mailer
from webapp.api.context import READINESS_SECONDS
from webapp.bootstrap import make_sessions
from webapp.kit.roles import RoleName
from webapp.models import Job
from webapp.settings import Settings
from workers.context import WorkerContext
from workers.handlers import HANDLERS
from workers.runner import run_jobs


@contextmanager
def read_only(url: str) -> Iterator[None]:
    """Let a database refuse writes, and end the sessions that still could, as a failover does."""
    with psycopg.connect(url, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name)
        )
        end_the_others(connection)
        try:
            yield
        finally:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(
                sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(name)
            )


def end_the_others(connection: psycopg.Connection) -> None:
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def register(client: FlaskClient, login: str) -> int:
    account = {"login": login, "email": f"{login}@example.org", "password": PASSWORD}
    return client.post("/api/v1/accounts", json=account).status_code


def ready_faults(client: FlaskClient) -> list[str]:
    """Return what is wrong now; an answer of a moment ago has grown old first."""
    time.sleep(READINESS_SECONDS)
    faults: list[str] = client.get("/ready").get_json()["faults"]
    return faults


@pytest.mark.parametrize("reads_between", [0, 3])
def test_a_server_that_takes_no_writes_is_away_and_all_is_well_when_it_does(
    client: FlaskClient, database_url: str, reads_between: int
) -> None:
    assert register(client, "before") == 201
    with read_only(database_url):
        account = {"login": "during", "email": "during@example.org", "password": PASSWORD}
        answer = client.post("/api/v1/accounts", json=account)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        # These open connections, and leave them in the pool.
        for _ in range(reads_between):
            assert ready_faults(client)
            assert client.get("/metrics").status_code == 200
        faults = ready_faults(client)
        assert ["read-only" in fault for fault in faults] == [True]
        assert client.get("/api/v1/published").status_code == 200
    assert register(client, "after") == 201
    assert ready_faults(client) == []


def test_a_session_that_the_server_ends_is_one_answer_of_503_at_most(
    client: FlaskClient, database_url: str
) -> None:
    assert register(client, "before") == 201
    with psycopg.connect(database_url, autocommit=True) as connection:
        end_the_others(connection)
    assert register(client, "after") == 201
    assert client.get("/api/v1/published").status_code == 200


def test_a_worker_takes_a_server_without_writes_for_one_that_is_away(
    settings: Settings, database_url: str, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        make_content(session, make_actor(session))
        job_id = session.scalars(select(Job.id)).one()
    engine = make_engine(settings, application_name="worker")
    with Mailer(settings.smtp_url, 5) as mailer:
        worker = WorkerContext(settings, make_sessions(engine), mailer, mailer)
        with read_only(database_url):
            run_jobs(worker, HANDLERS, [job_id])
            with sessions() as session:
                assert session.get_one(Job, job_id).starts == 0
        run_jobs(worker, HANDLERS, [job_id])
    engine.dispose()
    with sessions() as session:
        done = select(func.count()).where(Job.id == job_id, Job.state == "done")
        assert session.scalar(done) == 1


def test_a_token_is_read_by_another_connection_where_the_first_was_ended(
    client: FlaskClient, database_url: str
) -> None:
    reader = Caller(client, RoleName.READER)
    assert reader.call("GET", "/accounts/me").status_code == 200
    for _ in range(3):
        with psycopg.connect(database_url, autocommit=True) as connection:
            end_the_others(connection)
        assert reader.call("GET", "/accounts/me").status_code == 200
        assert reader.call("GET", "/auth/sessions").status_code == 200
