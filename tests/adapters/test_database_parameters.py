"""Promises about how each part of Imprint connects: all alike, and as the operator says."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as some
from psycopg import sql
from sqlalchemy import Engine, event, text

from dev.postgres import PostgresServer
from tests.migrations.commands import run
from webapp.adapters.database import make_engine, make_migration_engine, plan_listener
from webapp.adapters.database_connections import open_connection
from webapp.adapters.database_parameters import plan_connection
from webapp.adapters.readers import ReaderConnections
from webapp.kit.database_url import PARAMETERS, ports_of
from webapp.settings import Settings

# What differs between the connections on purpose.
OF_EACH = {"application_name", "options"}
PASSWORDS = ["100%sure", "p@ss/w?r#d", "a b", "ü:%&=+", "'\\\""]
# What looks like an escape is one, so these have to be encoded.
ESCAPES = ["%41", "a%20"]
SHOWN = (
    "SELECT current_setting('search_path'), current_setting('statement_timeout'),"
    " current_setting('TimeZone'), current_setting('DateStyle'), current_setting('IntervalStyle'),"
    " current_setting('client_encoding'), current_setting('transaction_isolation')"
)
RELIED_ON = ("UTC", "ISO, MDY", "postgres", "UTF8", "read committed")


class ReadParametersError(Exception):
    """Keeps an engine from connecting."""


def parameters_of(engine: Engine) -> dict[str, str]:
    """Return what an engine would call the driver with."""
    found: dict[str, str] = {}

    @event.listens_for(engine, "do_connect")
    def keep(_dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, str]) -> None:
        found.update(parameters)
        raise ReadParametersError

    with suppress(ReadParametersError):
        engine.connect()
    return found


@effort(deadline=None, max_examples=60)
@given(
    some.text(some.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12),
    some.lists(some.tuples(some.sampled_from(["a", "b.example", "::1", "/run/pg"]),
                           some.integers(1, 65_535)), min_size=1, max_size=3),
)  # fmt: skip
def test_every_connection_is_opened_with_the_same_parameters(
    password: str, hosts: list[tuple[str, int]]
) -> None:
    names = quote(",".join(host for host, _ in hosts), safe="")
    ports = quote(",".join(str(port) for _, port in hosts), safe="")
    url = f"postgresql://me:{quote(password, safe='')}@/it?host={names}&port={ports}&sslmode=prefer"
    settings = Settings(_env_file=None, database_url=url)
    listener = plan_listener(settings)
    assert listener is not None
    reader = plan_connection(settings, application_name="reader", session={})
    each = [
        parameters_of(make_engine(settings, application_name="web")),
        parameters_of(make_migration_engine(settings.database())),
        dict(listener.parameters),
        dict(reader.parameters),
    ]
    common = [{key: one[key] for key in (one.keys() & PARAMETERS) - OF_EACH} for one in each]
    assert common[0]["password"] == password
    assert all(one == common[0] for one in common)


@pytest.fixture
def role(postgres: PostgresServer, database_url: str) -> Iterator[tuple[str, str]]:
    """A role that may read everything, and the part of its URL behind the credentials."""
    name = f"role_{uuid4().hex}"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN SUPERUSER").format(sql.Identifier(name)))
        yield name, database_url.partition("@")[2]
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.mark.parametrize(
    ("password", "is_encoded"),
    # What looks like an escape is one, so these two have to be encoded.
    [
        *((each, False) for each in PASSWORDS),
        *((each, True) for each in (*PASSWORDS, "%41", "a%20")),
    ],
)
def test_a_password_of_any_characters_opens_every_door(
    database_url: str, role: tuple[str, str], password: str, is_encoded: bool
) -> None:
    name, place = role
    with psycopg.connect(database_url, autocommit=True) as connection:
        statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Literal(password)))
    written = quote(password, safe="") if is_encoded else password
    settings = Settings(_env_file=None, database_url=f"postgresql://{name}:{written}@{place}")
    assert_all_connect(settings)


def assert_all_connect(settings: Settings) -> None:
    for engine in (
        make_engine(settings, application_name="web"),
        make_migration_engine(settings.database()),
    ):
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT 1")) == 1
        engine.dispose()
    readers = ReaderConnections(settings)
    assert readers.run(lambda reader: reader.execute("SELECT 1").fetchone()) == (1,)
    readers.close()
    listener = plan_listener(settings)
    assert listener is not None
    open_connection(listener).close()


def shown_to_all(settings: Settings) -> list[tuple[Any, ...]]:
    """Return what the engine, the readers and migrations are shown of their sessions."""
    shown = []
    for engine in (
        make_engine(settings, application_name="web"),
        make_migration_engine(settings.database()),
    ):
        with engine.connect() as connection:
            shown.append(tuple(connection.exec_driver_sql(SHOWN).one()))
        engine.dispose()
    readers = ReaderConnections(settings)
    shown += readers.run(lambda reader: reader.execute(SHOWN).fetchall())
    readers.close()
    return shown


def test_the_operator_s_options_are_added_and_win_everywhere(database_url: str) -> None:
    options = quote("-csearch_path=app,public -c statement_timeout=7s", safe="")
    settings = Settings(_env_file=None, database_url=f"{database_url}?options={options}")
    expected = ("app,public", "7s", *RELIED_ON)
    assert shown_to_all(settings) == [expected] * 3


@pytest.mark.parametrize(
    "variables",
    [
        {"PGDATESTYLE": "German", "PGTZ": "Asia/Tokyo"},
        {"PGOPTIONS": r"-c datestyle=German -c timezone=Asia/Tokyo -c intervalstyle=iso_8601"
                      r" -c default_transaction_isolation=repeatable\ read"},
    ],
)  # fmt: skip
def test_what_the_code_relies_on_is_nobody_s_to_set(
    database_url: str, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = Settings(_env_file=None, database_url=database_url)
    assert [shown[2:] for shown in shown_to_all(settings)] == [RELIED_ON] * 3


def test_the_readers_stay_read_only_whatever_the_options_say(database_url: str) -> None:
    options = quote("-c default_transaction_read_only=off", safe="")
    readers = ReaderConnections(
        Settings(_env_file=None, database_url=f"{database_url}?options={options}")
    )
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        readers.run(lambda reader: reader.execute("CREATE TABLE harm ()"))
    readers.close()


def test_what_the_url_says_wins_over_the_defaults(database_url: str) -> None:
    url = f"{database_url}?connect_timeout=9&application_name=mine&keepalives_idle=7"
    settings = Settings(_env_file=None, database_url=url)
    found = plan_connection(settings, application_name="imprint", session={}).parameters
    kept = ("connect_timeout", "application_name", "keepalives_idle", "keepalives_count")
    assert [found[name] for name in kept] == ["9", "mine", "7", "3"]


@pytest.mark.parametrize(("place", "ports"), [("h", {6543}), ("h:1,g", {1, 5432}), ("h:1", {1})])
def test_a_port_from_libpq_s_environment_is_known_to_who_looks_on(
    monkeypatch: pytest.MonkeyPatch, place: str, ports: set[int]
) -> None:
    monkeypatch.setenv("PGPORT", "6543")
    listener = plan_listener(Settings(_env_file=None, database_url=f"postgresql://u@{place}/d"))
    assert listener is not None
    assert ports_of(listener.parameters) == ports


def test_a_service_file_is_the_operator_s_word_too(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Settings(_env_file=None, database_url=database_url).database().parameters
    lines = [f"{name}={value}" for name, value in found.items()]
    lines += ["options=-c search_path=app -c statement_timeout=7s", "connect_timeout=9"]
    file = tmp_path / "services.conf"
    file.write_text("\n".join(["[imprint]", *lines, ""]))
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    settings = Settings(_env_file=None, database_url="postgresql:///?service=imprint")
    assert {shown[:2] for shown in shown_to_all(settings)} == {("app", "7s")}
    assert_all_connect(settings)
    plan = plan_connection(settings, application_name="imprint", session={})
    assert plan.parameters["connect_timeout"] == "9"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("service=hidden", "names a service that no service file defines"),
        ("ssl_min_protocol_version=hidden", "does not take: ssl_min_protocol_version"),
    ],
)
def test_what_libpq_does_not_take_is_said_at_the_start(query: str, reason: str) -> None:
    settings = Settings(_env_file=None, database_url=f"postgresql://u:hidden@h/d?{query}")
    with pytest.raises(SystemExit, match=reason) as ended:
        make_engine(settings, application_name="web")
    assert "\nDATABASE_URL: " in str(ended.value)
    assert "hidden" not in str(ended.value)
    direct = settings.model_copy(
        update={
            "database_url": "postgresql://u@h/d",
            "database_direct_url": settings.database_url,
            "database_pooler": "transaction",
        }
    )
    with pytest.raises(SystemExit, match="\nIMPRINT_DATABASE_DIRECT_URL: .*" + reason):
        plan_listener(direct)


def test_the_schema_of_the_options_is_migrated_and_served(postgres: PostgresServer) -> None:
    name = f"test_{uuid4().hex}"
    postgres.create_database(name)
    try:
        with psycopg.connect(postgres.url(name), autocommit=True) as connection:
            connection.execute("CREATE SCHEMA app")
            connection.execute(
                sql.SQL("ALTER DATABASE {} SET datestyle = 'SQL, DMY'").format(sql.Identifier(name))
            )
        url = f"{postgres.url(name)}?options=-csearch_path%3Dapp"
        assert run(["flask", "db", "upgrade"], url).returncode == 0
        listed = run(["flask", "jobs", "list"], url)
        assert (listed.returncode, listed.stdout) == (0, "No jobs.\n")
        with psycopg.connect(postgres.url(name)) as connection:
            row = connection.execute("SELECT to_regclass('app.jobs'), to_regclass('public.jobs')")
            assert row.fetchone() == ("app.jobs", None)
    finally:
        postgres.drop_database(name)


@pytest.mark.parametrize("rest", ["h1:1,h2:2,h3:x/d", "u:hidden@127.0.0.1:99999/d"])
def test_a_url_that_cannot_be_is_one_sentence_for_the_migrations(rest: str) -> None:
    refused = run(["flask", "db", "current"], f"postgresql://{rest}")
    assert refused.returncode == 1
    assert "DATABASE_URL: " in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "hidden" not in refused.stderr
