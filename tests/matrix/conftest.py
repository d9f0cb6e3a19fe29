"""One world for all cells: nothing in them changes it."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy.orm import Session, sessionmaker

from dev.mail_sink import MailSink
from dev.postgres import PostgresServer
from dev.redis import RedisServer
from tests.factories import run_ready_jobs
from tests.matrix.world import World, running_world
from webapp.adapters.database import make_engine
from webapp.adapters.mail import Mailer
from webapp.settings import Settings
from workers.context import WorkerContext


@pytest.fixture(scope="package")
def mails(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailSink]:
    """Where the mails of the world go."""
    with MailSink(tmp_path_factory.mktemp("mail")) as sink:
        yield sink


@pytest.fixture(scope="package")
def world_settings(
    postgres: PostgresServer, template: str, redis: RedisServer, mails: MailSink
) -> Iterator[Settings]:
    """Settings for a database of the world's own."""
    name = f"matrix_{uuid4().hex}"
    postgres.create_database(name, template=template)
    yield Settings(
        _env_file=None,
        environment="development",
        database_url=postgres.url(name),
        redis_url=redis.url,
        smtp_url=mails.url,
        secret_key=SecretStr("a secret key for tests, long enough for production"),
        log_level="WARNING",
    )
    postgres.drop_database(name)


@pytest.fixture(scope="package")
def world(
    world_settings: Settings, tmp_path_factory: pytest.TempPathFactory, mails: MailSink
) -> Iterator[World]:
    """The world, in which a reader follows the owner and all jobs have run."""
    engine = make_engine(world_settings, application_name="imprint-tests")
    sessions = sessionmaker(engine, expire_on_commit=False)
    with running_world(world_settings, sessions, tmp_path_factory.mktemp("web")) as world:
        _run_jobs(world_settings, sessions, mails)
        yield world
    engine.dispose()


def _run_jobs(settings: Settings, sessions: sessionmaker[Session], mails: MailSink) -> None:
    with Mailer(mails.url, 5) as for_accounts, Mailer(mails.url, 5) as for_events:
        run_ready_jobs(WorkerContext(settings, sessions, for_accounts, for_events))
