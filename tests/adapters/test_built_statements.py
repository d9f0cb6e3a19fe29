"""Promises about statements that run past SQLAlchemy: the same rows, and the same errors."""

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    DateTime,
    Engine,
    LargeBinary,
    Text,
    bindparam,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError

from webapp.adapters import built_statements
from webapp.adapters.built_statements import first
from webapp.adapters.database import make_engine
from webapp.adapters.database_errors import is_passing
from webapp.models.arrays import IdArray
from webapp.settings import Settings

_ECHO = text(
    "SELECT :number + 1 AS number, :said AS said, :said || '%' AS again, :whether AS whether,"
    " :details AS details, :raw AS raw, :words AS words, :ids AS ids, :moment AS moment,"
    " CAST(NULL AS text) AS nothing"
).bindparams(
    bindparam("number", type_=BigInteger()), bindparam("said", type_=Text()),
    bindparam("whether", type_=Boolean()), bindparam("details", type_=JSONB()),
    bindparam("raw", type_=LargeBinary()), bindparam("words", type_=ARRAY(Text())),
    bindparam("ids", type_=IdArray()), bindparam("moment", type_=DateTime(timezone=True)),
)  # fmt: skip
VALUES = {
    "number": 2**40,
    "said": "„ä“ \\ ' {}",
    "whether": False,
    "details": {"a": [1, None, "ü"], "b": {}},
    "raw": b"\x00\xff\\",
    "words": ["one, two", "", 'th"ree', "NULL"],
    "ids": [3, -4],
    "moment": datetime(2031, 5, 17, 9, 30, 0, 123456, tzinfo=UTC),
}
NOTHING: dict[str, object] = dict.fromkeys(VALUES)
_WHO = text("SELECT pg_backend_pid() AS pid")
_NAMES = text("SELECT count(*) AS known FROM pg_prepared_statements")
_ROLE = text("INSERT INTO roles (name, rank) SELECT :name, max(rank) + 1 FROM roles").bindparams(
    bindparam("name", type_=Text())
)
_SLEEP = text("SELECT pg_sleep(30)")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(
        Settings(_env_file=None, database_url=database_url), application_name="test"
    )
    yield engine
    engine.dispose()


def echo(connection: Connection, values: dict[str, object]) -> object:
    return first(connection, _ECHO, values)


@pytest.mark.parametrize("values", [VALUES, NOTHING, {**VALUES, "words": [], "ids": []}])
def test_a_row_is_what_sqlalchemy_makes_of_it(engine: Engine, values: dict[str, object]) -> None:
    with engine.begin() as connection:
        through = connection.execute(_ECHO, values).one()
        assert echo(connection, values) == tuple(through)
        assert echo(connection, NOTHING) == tuple(connection.execute(_ECHO, NOTHING).one())
        row: object = echo(connection, values)
        assert getattr(row, "again", None) == through.again


def test_no_row_is_none(engine: Engine) -> None:
    with engine.begin() as connection:
        assert first(connection, text("SELECT 1 AS one WHERE false"), {}) is None
        assert first(connection, text("SET LOCAL work_mem = '4MB'"), {}) is None


def test_what_it_writes_goes_with_the_transaction(engine: Engine) -> None:
    with engine.connect() as connection:
        first(connection, _ROLE, {"name": "gone"})
        connection.rollback()
        first(connection, _ROLE, {"name": "kept"})
        connection.commit()
        names = connection.execute(text("SELECT name FROM roles WHERE name IN ('gone', 'kept')"))
        assert list(names.scalars()) == ["kept"]


def test_a_statement_is_prepared_once_whatever_is_rolled_back(engine: Engine) -> None:
    with engine.connect() as connection:
        for _ in range(3):
            echo(connection, VALUES)
        assert first(connection, _NAMES, {}).known == 2  # type: ignore[union-attr]
        with pytest.raises(IntegrityError):
            first(connection, _ROLE, {"name": "editor"})
        connection.rollback()
        assert first(connection, _NAMES, {}).known == 3  # type: ignore[union-attr]
        with connection.begin_nested() as savepoint:
            echo(connection, VALUES)
            savepoint.rollback()  # The driver then lets the server forget all statements.
        assert echo(connection, VALUES) is not None


def test_a_connection_leaves_the_pool_in_a_transaction(engine: Engine) -> None:
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        assert driver.info.transaction_status == TransactionStatus.INTRANS
        connection.commit()
        connection.execution_options(isolation_level="REPEATABLE READ")
        level = connection.exec_driver_sql("SELECT current_setting('transaction_isolation')")
        assert level.scalar_one() == "repeatable read"


def test_a_connection_that_broke_in_the_pool_is_replaced_before_it_is_used(
    engine: Engine, database_url: str
) -> None:
    with engine.connect() as connection:
        pid = first(connection, _WHO, {}).pid  # type: ignore[union-attr]
    with psycopg.connect(database_url, autocommit=True) as operator:
        operator.execute("SELECT pg_terminate_backend(%s)", (pid,))
    with engine.connect() as connection:
        assert first(connection, _WHO, {}).pid != pid  # type: ignore[union-attr]


def test_statements_that_had_to_make_room_are_prepared_anew(engine: Engine) -> None:
    with engine.begin() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        driver.prepared_max = 2
        echo(connection, VALUES)
        for number in range(9):
            driver.execute(f"SELECT {number}".encode(), prepare=True)
        assert echo(connection, VALUES) is not None


def test_errors_are_those_of_sqlalchemy_and_tell_no_parameters(engine: Engine) -> None:
    with engine.connect() as connection:
        with pytest.raises(IntegrityError) as refused:
            first(connection, _ROLE, {"name": "editor"})
        assert isinstance(refused.value.orig, psycopg.errors.UniqueViolation)
        assert "editor" not in str(refused.value).partition("\n")[0]
        assert "parameters" not in str(refused.value)
        connection.rollback()
        with pytest.raises(DataError):
            first(connection, _ROLE, {"name": "a\0b"})
        connection.rollback()
        assert echo(connection, VALUES) is not None


def test_a_connection_that_breaks_is_given_up_with_the_others(
    engine: Engine, database_url: str
) -> None:
    with engine.connect() as one:
        with engine.connect() as other:
            ended = [first(each, _WHO, {}).pid for each in (one, other)]  # type: ignore[union-attr]
        with psycopg.connect(database_url, autocommit=True) as operator:
            operator.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s) AS pid", (ended,))
        with pytest.raises(OperationalError) as lost:
            first(one, _WHO, {})
        assert lost.value.connection_invalidated
        assert is_passing(lost.value)
    assert engine.pool.checkedin() == 0  # type: ignore[attr-defined]
    with engine.connect() as fresh:
        assert first(fresh, _WHO, {}).pid not in ended  # type: ignore[union-attr]


def test_a_time_out_ends_the_statement_and_not_the_connection(engine: Engine) -> None:
    with engine.connect() as connection:
        pid = first(connection, _WHO, {}).pid  # type: ignore[union-attr]
        first(connection, text("SET LOCAL statement_timeout = 50"), {})
        with pytest.raises(DBAPIError) as ended:
            first(connection, _SLEEP, {})
        assert is_passing(ended.value)
        assert not ended.value.connection_invalidated
        connection.rollback()
        assert first(connection, _WHO, {}).pid == pid  # type: ignore[union-attr]


def test_a_large_value_is_not_kept_with_the_connection(engine: Engine) -> None:
    with engine.begin() as connection:
        echo(connection, {**VALUES, "said": "x" * 1_000_000})
        readers = connection.info[built_statements._READERS]
        assert all(reader.transformer.pgresult is None for reader in readers.values())
