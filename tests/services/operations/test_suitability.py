"""Promises about databases that cannot carry Imprint: one sentence each, before anything fails."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from dev.postgres import PostgresServer
from tests.migrations.commands import run
from webapp.app import create_app
from webapp.services.operations.suitability import DatabaseFacts, judge
from webapp.settings import Settings
from workers.startup import check_database

Make = Callable[[str], AbstractContextManager[str]]
OTHER_ENCODINGS = {
    "SQL_ASCII": "ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0",
    "LATIN1": "ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0",
}


@pytest.fixture
def make(postgres: PostgresServer) -> Make:
    """Make a database for as long as a block lasts, and give its URL."""

    @contextmanager
    def make_database(how: str) -> Iterator[str]:
        name = f"test_{uuid4().hex}"
        with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} {how}".encode())
        try:
            yield postgres.url(name)
        finally:
            postgres.drop_database(name)

    return make_database


@pytest.mark.parametrize("encoding", OTHER_ENCODINGS)
def test_a_database_that_cannot_hold_every_letter_is_refused_everywhere(
    make: Make, settings: Settings, encoding: str
) -> None:
    with make(OTHER_ENCODINGS[encoding]) as url:
        for command in (["flask", "db", "upgrade"], ["flask", "db", "preflight"]):
            refused = run(command, url)
            assert refused.returncode == 1, command
            assert f"The encoding of the database is {encoding}" in refused.stderr
            assert "Traceback" not in refused.stderr
        there = settings.model_copy(update={"database_url": url})
        with pytest.raises(SystemExit, match="needs UTF8"):
            check_database(there)
        app = create_app(there)
        answer = app.test_client().get("/ready")
        assert answer.status_code == 503
        assert encoding in answer.get_json()["faults"][0]
        assert app.context is not None
        app.context.engine.dispose()


def test_an_upgrade_names_the_rights_that_it_lacks(make: Make, postgres: PostgresServer) -> None:
    role, password = f"role_{uuid4().hex}", "secret"
    with make("TEMPLATE template0") as url, psycopg.connect(url, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                sql.Identifier(role), sql.Literal(password)
            )
        )
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
        connection.execute(
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, sql.Identifier(role))
        )
        try:
            place = url.partition("@")[2]
            refused = run(["flask", "db", "upgrade"], f"postgresql://{role}:{password}@{place}")
        finally:
            connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
    assert refused.returncode == 1
    assert "lacks the right TEMPORARY" in refused.stderr
    assert "GRANT CREATE ON SCHEMA" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_ready_names_the_tables_that_the_account_may_not_write(
    database_url: str, settings: Settings
) -> None:
    role = f"role_{uuid4().hex}"
    with psycopg.connect(database_url, autocommit=True) as connection:
        name = sql.Identifier(role)
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'secret'").format(name))
        connection.execute(sql.SQL("GRANT ALL ON ALL TABLES IN SCHEMA public TO {}").format(name))
        connection.execute(sql.SQL("REVOKE UPDATE ON jobs FROM {}").format(name))
        url = f"postgresql://{role}:secret@{database_url.partition('@')[2]}"
        app = create_app(settings.model_copy(update={"database_url": url}))
        answer = app.test_client().get("/ready")
        assert app.context is not None
        app.context.engine.dispose()
        connection.execute(sql.SQL("DROP OWNED BY {}").format(name))
        connection.execute(sql.SQL("DROP ROLE {}").format(name))
    assert answer.status_code == 503
    assert [fault for fault in answer.get_json()["faults"] if fault.endswith("DELETE on jobs.")]


@pytest.mark.parametrize(
    ("facts", "lasting", "passing", "warnings"),
    [
        (DatabaseFacts(), 0, 0, 0),
        (DatabaseFacts(version=15), 0, 0, 0),
        (DatabaseFacts(version=14), 1, 0, 0),
        (DatabaseFacts(version=19), 0, 0, 1),
        (DatabaseFacts(has_schema=False), 1, 0, 0),
        (DatabaseFacts(is_standby=True, is_read_only=True), 0, 1, 0),
        (DatabaseFacts(is_read_only=True), 0, 1, 0),
        (DatabaseFacts(refused_tables=list("abcdefg")), 0, 1, 0),
    ],
)
def test_each_fault_is_one_sentence(
    facts: DatabaseFacts, lasting: int, passing: int, warnings: int
) -> None:
    found = judge(facts, is_migrating=False)
    told = (found.lasting_faults, found.passing_faults, found.warnings)
    assert tuple(map(len, told)) == (lasting, passing, warnings)
    assert all(sentence.rstrip("…").strip() and "\n" not in sentence for sentence in found.faults)
