"""The watch that holds every query of the application against the indexes finds what lacks one."""

from collections.abc import Iterator

import psycopg
import pytest

from dev.postgres import PostgresServer
from tests.index_watch import ROOT, IndexWatch, read_indexes, tables_read_whole

Connection = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def connection(postgres: PostgresServer, template: str) -> Iterator[Connection]:
    """A connection to a migrated database of this test."""
    postgres.create_database("indexes", template=template)
    with psycopg.connect(postgres.url("indexes"), autocommit=True) as connection:
        yield connection
    postgres.drop_database("indexes")


def found(connection: Connection, statement: str, *parameters: object) -> set[str]:
    """Return the tables that a statement reads whole with the present indexes."""
    return tables_read_whole(connection, read_indexes(connection), statement, parameters)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT title FROM content WHERE id = %s",
        "SELECT id FROM content WHERE author_id = %s ORDER BY id DESC LIMIT 20",
        "SELECT id FROM content WHERE id < %s ORDER BY id DESC",
        "SELECT max(id) FROM content WHERE author_id = %s",
        "SELECT id FROM content ORDER BY id LIMIT 5 + %s",
        "SELECT login FROM users JOIN content ON author_id = users.id WHERE content.id = %s",
        "UPDATE users SET bio = '' WHERE id = %s",
        "DELETE FROM access_tokens WHERE user_id = %s",
        "INSERT INTO tags (name, slug) SELECT title, slug FROM content WHERE author_id = %s",
    ],
)
def test_what_an_index_serves_passes(connection: Connection, statement: str) -> None:
    assert found(connection, statement, 1) == set()


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("SELECT id FROM content WHERE title = %s", "content"),
        ("SELECT id FROM content WHERE excerpt = %s ORDER BY id", "content"),
        ("SELECT id FROM content ORDER BY title, %s::text LIMIT 5", "content"),
        ("SELECT count(*) FROM users WHERE %s <> ''", "users"),
        ("SELECT tag_id, count(*) FROM content_tags GROUP BY 1 ORDER BY 2, %s::text LIMIT 5",
         "content_tags"),
        ("SELECT login FROM users JOIN content ON title = login WHERE users.id = %s::bigint",
         "content"),
        ("UPDATE users SET bio = '' WHERE display_name = %s", "users"),
        ("DELETE FROM activity_logs WHERE user_agent = %s", "activity_logs"),
    ],
)  # fmt: skip
def test_what_reads_a_table_from_end_to_end_is_found(
    connection: Connection, statement: str, table: str
) -> None:
    assert found(connection, statement, "1") == {table}


def test_an_index_that_is_gone_is_missed(connection: Connection) -> None:
    statement = "SELECT id FROM content WHERE author_id = %s AND id < 9 ORDER BY id DESC"
    assert found(connection, statement, 1) == set()
    connection.execute("ALTER TABLE content DROP CONSTRAINT pk_content CASCADE")
    connection.execute("DROP INDEX ix_content_author_id_id")
    assert found(connection, statement, 1) == {"content"}


def test_the_statements_of_the_application_are_watched_and_those_of_tests_are_not(
    connection: Connection,
) -> None:
    sent = "SELECT id FROM content WHERE excerpt = '{}'"
    watch = IndexWatch(connection)
    with watch.watching():
        connection.execute(sent.format("by a test"))
        send = compile("connection.execute(statement)", str(ROOT / "webapp" / "made_up.py"), "exec")
        exec(send, {"connection": connection, "statement": sent.format("by the application")})
    (problem,) = watch.find_problems()
    assert problem == "No index serves what this reads of content: " + sent.format(
        "by the application"
    )
    assert watch.find_problems() == []
