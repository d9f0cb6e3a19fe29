"""Databases for the tests of the migrations, and the commands of Alembic in this process."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from alembic.config import Config
from sqlalchemy import Engine, NullPool, create_engine

from dev.postgres import PostgresServer
from tests.migrations.commands import INI, Migrations


@pytest.fixture
def database_url(postgres: PostgresServer) -> Iterator[str]:
    """The URL of an empty database of this test."""
    name = f"migrations_{uuid4().hex}"
    postgres.create_database(name)
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture
def database_url_at_head(postgres: PostgresServer, template: str) -> Iterator[str]:
    """The URL of a database of this test to which every step was applied."""
    name = f"migrations_{uuid4().hex}"
    postgres.create_database(name, template=template)
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on the test's database; a connection of it ends when it is closed."""
    url = database_url.replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(url, poolclass=NullPool)
    yield engine
    engine.dispose()


@pytest.fixture
def migrations(engine: Engine) -> Migrations:
    """Alembic's commands on the test's database."""
    return Migrations(engine)


@pytest.fixture
def alembic_config() -> Config:
    """What pytest-alembic reads."""
    return Config(str(INI))


@pytest.fixture
def alembic_engine(engine: Engine) -> Engine:
    """Where pytest-alembic works."""
    return engine
