"""Promise: the role that serves reads and writes rows, also of later tables, and can do no more."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import NullPool, create_engine, func, insert, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import sessionmaker

from dev.postgres import PostgresServer
from tests.activity_chain import seal_all
from tests.deploy.database_roles import APP_ROLE, as_role, make_app_role
from tests.migrations.commands import run
from webapp.adapters.database import make_engine
from webapp.models import ActivityLog, Base
from webapp.services import activity_erasure
from webapp.services.operations import activity_chain, suitability
from webapp.settings import Settings

PASSWORD, NEW_PASSWORD = "it's one", "another"
OWNER = "imprint_owner"
OLD_LINE = {
    "actor_id": 7,
    "action": "thing.do",
    "subject_kind": "thing",
    "created_at": datetime(2020, 1, 1, tzinfo=UTC),
}
REFUSED = (
    "CREATE TABLE mine (id int)",
    "CREATE TEMPORARY TABLE mine (id int)",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql RETURN 1",
    "CREATE INDEX ON users (bio)",
    "CREATE ROLE mine",
    "DROP TABLE users",
    "DROP SCHEMA public CASCADE",
    "ALTER TABLE users ADD COLUMN mine int",
    "ALTER TABLE users DISABLE TRIGGER ALL",
    "TRUNCATE users CASCADE",
    "SELECT pg_read_file('/etc/passwd')",
    "COPY users TO PROGRAM 'cat'",
)


@pytest.fixture
def owner_url(postgres: PostgresServer) -> Iterator[str]:
    """An empty database whose owner is no superuser, but may make roles."""
    name = f"roles_{uuid4().hex}"
    postgres.create_database(name)
    with psycopg.connect(postgres.url(name), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE PASSWORD 'secret'")
        connection.execute(
            sql.SQL("ALTER DATABASE {} OWNER TO {}").format(
                sql.Identifier(name), sql.Identifier(OWNER)
            )
        )
    yield as_role(postgres.url(name), OWNER, "secret")
    postgres.drop_database(name)
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP ROLE IF EXISTS {APP_ROLE}")
        connection.execute(f"DROP ROLE {OWNER}")


def migrate(url: str) -> None:
    migrated = run(["flask", "db", "upgrade"], url)
    assert migrated.returncode == 0, migrated.stderr


@pytest.mark.parametrize("is_new", [True, False], ids=["new database", "database with tables"])
def test_the_role_that_serves_may_do_rows_and_nothing_else(owner_url: str, is_new: bool) -> None:
    if not is_new:
        migrate(owner_url)
    app_url = make_app_role(owner_url, "secret")
    if is_new:
        migrate(owner_url)
    engine = create_engine(app_url.replace("://", "+psycopg://", 1), poolclass=NullPool)
    with engine.connect() as connection:
        facts = suitability.read_facts(connection, Base.metadata.tables)
        assert suitability.judge(facts, is_migrating=False).faults == []
    with psycopg.connect(app_url, autocommit=True) as connection:
        for statement in REFUSED:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
        # A sequence is asked for the next number, also one that a later step makes.
        with psycopg.connect(owner_url, autocommit=True) as owner:
            owner.execute("CREATE TABLE later (id bigserial, note text)")
        connection.execute("INSERT INTO later (note) VALUES ('one')")
        connection.execute("UPDATE later SET note = 'two'")
        assert connection.execute("SELECT id, note FROM later").fetchall() == [(1, "two")]
        connection.execute("DELETE FROM later")


def test_the_role_that_serves_may_only_add_to_the_activity_log(owner_url: str) -> None:
    migrate(owner_url)
    app_url = make_app_role(owner_url, "secret")
    settings = Settings(_env_file=None, database_url=app_url)
    engine = make_engine(settings, application_name="imprint-tests")
    sessions = sessionmaker(engine)
    with sessions.begin() as session:
        facts = suitability.read_facts(session, Base.metadata.tables)
        assert suitability.judge(facts, is_migrating=False).faults == []
        session.execute(insert(ActivityLog).values(OLD_LINE))
    assert seal_all(sessions) == 1
    for statement in (
        "UPDATE activity_logs SET action = 'thing.undo'",
        "UPDATE activity_blocks SET row_count = 0",
        "DELETE FROM activity_blocks",
        "TRUNCATE activity_logs",
    ):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            sessions.begin() as session,
        ):
            session.execute(text(statement))
    with sessions.begin() as session:
        assert activity_erasure.erase(session, 7) == 1
        activity_chain.prune_blocks(session, 10)
        assert session.scalar(select(func.count()).select_from(ActivityLog)) == 0
    engine.dispose()


def test_the_roles_are_made_again_with_another_password(owner_url: str) -> None:
    make_app_role(owner_url, PASSWORD)
    make_app_role(owner_url, NEW_PASSWORD)
    psycopg.connect(as_role(owner_url, APP_ROLE, NEW_PASSWORD)).close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(as_role(owner_url, APP_ROLE, "secret"))
