"""Databases for the tests of the migrations, and the commands of Alembic in this process."""

from collections.abc import Iterator

import pytest
from alembic.config import Config
from sqlalchemy import Engine, NullPool, create_engine

from tests.databases import Databases
from tests.migrations.commands import INI, Migrations


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """The URL of an empty database of this test."""
    with databases.empty() as url:
        yield url


@pytest.fixture
def database_url_at_head(databases: Databases) -> Iterator[str]:
    """The URL of a database of this test to which every step was applied."""
    with databases.migrated() as url:
        yield url


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
