"""Real servers for the tests: each test process starts its own and takes them down again."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.kit.loading import undisturbed

with undisturbed():
    import psycopg
    import structlog
    from alembic.config import Config
    from flask.testing import FlaskClient, FlaskCliRunner
    from pydantic import SecretStr
    from sqlalchemy import Engine, NullPool, create_engine
    from sqlalchemy.orm import Session, sessionmaker

    from alembic import command
    from dev.mail_sink import MailSink
    from dev.postgres import PostgresServer
    from dev.redis import RedisServer
    from tests.cheap_repeats import REAL_HASHER, cheap_hashes, routes_compiled_once
    from tests.databases import Databases
    from tests.factories import PASSWORD
    from tests.index_watch import IndexWatch
    from tests.memory_folders import memory_folder
    from tests.secret_watch import SecretWatch
    from webapp.adapters.mail import Mailer
    from webapp.api.edge import ImprintApp
    from webapp.app import create_app
    from webapp.cli.app import create_app as create_command_app
    from webapp.cli.database import SESSIONS
    from webapp.cli.preparation import prepare
    from webapp.kit import passwords
    from webapp.services import origins
    from webapp.settings import Settings
    from workers.context import WorkerContext

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = "imprint_template"
SECRET_KEY = "a secret key for tests, long enough for production"
# The tests that make the application send its statements from their own process.
WATCHED_FOLDERS = {"api", "cli", "jobs", "services", "workers"}
# What a caller may say of the tests themselves; docs/migrations.md and docs/promises.md tell of it.
OF_THE_TESTS = {"IMPRINT_TEST_POSTGRES_BIN", "IMPRINT_MIGRATION_TRIALS", "IMPRINT_RELEASE_JOBS"}


def pytest_xdist_auto_num_workers() -> int:
    """Run two test processes for each processor: tests wait as much as they work."""
    return 2 * (os.cpu_count() or 1)


def pytest_configure() -> None:
    """Look for no garbage while the tests are collected: there is none, and it takes a quarter."""
    gc.disable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Leave alone what was collected, and look at what the tests make."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each test process begin with its share of the long tests, and end with short ones.

    `--dist worksteal` gives each process an equal stretch of the list, and later takes from its end
    for those that are done.
    """
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    long = [item for item in items if item.get_closest_marker("long")]
    short = [item for item in items if not item.get_closest_marker("long")]
    ordered: list[pytest.Item] = []
    for number in range(processes):
        share = long[number::processes]
        # The stretches are as xdist makes them: what is left by the processes that are left.
        size = (len(items) - len(ordered)) // (processes - number) - len(share)
        ordered += share + short[:size]
        short = short[size:]
    items[:] = ordered


@pytest.fixture(scope="session", autouse=True)
def _no_configuration_from_outside() -> None:
    """Keep the settings of the machine out of the tests, so that none reaches a real server."""
    for name in [name for name in os.environ if name.startswith("IMPRINT_")]:
        if name not in OF_THE_TESTS:
            del os.environ[name]
    for name in ("DATABASE_URL", "REDIS_URL", "SMTP_URL", "SECRET_KEY", "PROMETHEUS_MULTIPROC_DIR"):
        os.environ.pop(name, None)


@pytest.fixture(scope="session", autouse=True)
def _no_secret_in_any_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Look for every secret that this run makes in all that it logs."""
    watch = SecretWatch(tmp_path_factory.mktemp("logged"), SECRET_KEY, PASSWORD)
    with watch.watching():
        yield
    assert watch.find_leaks() == []


@pytest.fixture(scope="session", autouse=True)
def _cheap_repeats() -> Iterator[None]:
    """Spare each test what costs much and is the same in all."""
    with cheap_hashes(), routes_compiled_once():
        yield


@pytest.fixture
def real_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords at the full price, for a test that looks at what it is."""
    monkeypatch.setattr(passwords, "_hasher", REAL_HASHER)


@pytest.fixture(autouse=True)
def _nothing_bound_by_the_test_before() -> None:
    """Forget whose request it was: what a test binds to the log would be in rows of the next."""
    structlog.contextvars.clear_contextvars()
    origins.leave()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A throw-away PostgreSQL server of this test process.

    It is the wheel's, or the one whose `bin` folder is in IMPRINT_TEST_POSTGRES_BIN. Its data is in
    memory where there is room, and its log always among what pytest keeps.
    """
    folder = tmp_path_factory.mktemp("postgres")
    chosen = os.environ.get("IMPRINT_TEST_POSTGRES_BIN")
    programs, log = Path(chosen) if chosen else None, folder / "data.log"
    with (
        memory_folder(folder) as place,
        PostgresServer(place / "data", durable=False, programs=programs, log_path=log) as server,
    ):
        yield server


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A throw-away Redis server of this test process."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def template(postgres: PostgresServer) -> str:
    """The name of a database with all migrations, which the databases of tests are copied from."""
    postgres.create_database(TEMPLATE)
    engine = create_engine(_with_driver(postgres.url(TEMPLATE)), poolclass=NullPool)
    with engine.connect() as connection:
        config = Config(str(ROOT / "alembic.ini"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()
    return TEMPLATE


@pytest.fixture(scope="session")
def databases(postgres: PostgresServer, template: str) -> Iterator[Databases]:
    """What makes the databases of single tests."""
    databases = Databases(postgres, template)
    yield databases
    databases.close()


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """The URL of a migrated database that belongs to one test, for tests that really commit."""
    with databases.migrated() as url:
        yield url


@pytest.fixture(scope="session")
def shared_engine(postgres: PostgresServer, template: str) -> Iterator[Engine]:
    """An engine on the database in which every test is rolled back."""
    postgres.create_database("shared", template=template)
    engine = create_engine(_with_driver(postgres.url("shared")))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def index_watch(postgres: PostgresServer, template: str) -> Iterator[IndexWatch]:
    """What tells which queries lack an index, on an empty database of its own."""
    postgres.create_database("plans", template=template)
    with psycopg.connect(postgres.url("plans"), autocommit=True) as connection:
        yield IndexWatch(connection)


@pytest.fixture(autouse=True)
def _every_query_finds_its_rows_by_an_index(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hold every statement that the application sends against the indexes that there are."""
    if request.path.relative_to(ROOT / "tests").parts[0] not in WATCHED_FOLDERS:
        yield
        return
    watch: IndexWatch = request.getfixturevalue("index_watch")
    with watch.watching():
        yield
    assert watch.find_problems() == []


@pytest.fixture
def session(shared_engine: Engine) -> Iterator[Session]:
    """A session whose every commit is taken back at the end of the test."""
    with shared_engine.connect() as connection, connection.begin() as outer:
        with Session(
            connection, join_transaction_mode="create_savepoint", expire_on_commit=False
        ) as session:
            yield session
        outer.rollback()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on the test's own database; a connection that the test has ended is made anew."""
    engine = create_engine(_with_driver(database_url), pool_pre_ping=True)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    """A maker of sessions that really commit, on the test's own database."""
    return sessionmaker(engine, expire_on_commit=False)


@pytest.fixture
def mail_sink(tmp_path: Path) -> Iterator[MailSink]:
    """An SMTP server that keeps what it is given."""
    with MailSink(tmp_path / "mail") as sink:
        yield sink


@pytest.fixture
def settings(database_url: str, redis: RedisServer) -> Settings:
    """Settings for the test's own database; mail goes nowhere."""
    return Settings(
        _env_file=None,
        database_url=database_url,
        redis_url=redis.url,
        smtp_url="smtp://127.0.0.1:9",
        secret_key=SecretStr(SECRET_KEY),
        rate_limits=False,
        rendering_wait_seconds=60,
        log_level="WARNING",
    )


@pytest.fixture
def app(settings: Settings) -> Iterator[ImprintApp]:
    """The API on the test's own database."""
    app = create_app(settings)
    yield app
    if app.context is not None:
        app.context.readers.close()
        app.context.engine.dispose()


@pytest.fixture
def client(app: ImprintApp) -> FlaskClient:
    """A client of the API."""
    return app.test_client()


@pytest.fixture
def commands(settings: Settings) -> Iterator[FlaskCliRunner]:
    """A runner of `flask …` on the test's own database."""
    app = prepare(create_command_app(), settings)
    yield app.test_cli_runner()
    if SESSIONS in app.extensions:
        app.extensions[SESSIONS].kw["bind"].dispose()


@pytest.fixture
def worker(
    settings: Settings, sessions: sessionmaker[Session], mail_sink: MailSink
) -> Iterator[WorkerContext]:
    """What a worker process has at hand, in this process, with mail going to the sink."""
    with Mailer(mail_sink.url, 5) as account_mailer, Mailer(mail_sink.url, 5) as bulk_mailer:
        yield WorkerContext(settings, sessions, account_mailer, bulk_mailer)


def _with_driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
