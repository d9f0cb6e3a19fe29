"""`flask db check`: what Alembic compares, and then all that it does not."""

import click
import flask_migrate
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import g
from flask.cli import with_appcontext
from sqlalchemy import Connection
from sqlalchemy.exc import ProgrammingError

from webapp.adapters.database import make_migration_engine
from webapp.adapters.database_errors import DATABASE_ERRORS, sqlstate_of
from webapp.cli.database import command_settings, say_what_failed
from webapp.cli.migrations import CONFIGURATION
from webapp.models import Base
from webapp.models.rules import MADE_BY_MIGRATIONS
from webapp.services.operations.migrations.schema_differences import Difference, find_differences

INSUFFICIENT_PRIVILEGE = "42501"
# A table that somebody holds locked cannot be told of; this is how long it is waited for.
LIMITS = "SET lock_timeout = '5s'; SET statement_timeout = '60s'"
NO_RIGHT = (
    "The models are compared as temporary tables, and the account lacks the right to make them:"
    " GRANT TEMPORARY ON DATABASE … TO …"
)


@click.command()
@click.option("-d", "--directory", default=None, help="Where the steps are.")
@with_appcontext
def check(directory: str | None) -> None:
    """Compare the database with the models.

    Ends with 1 where a step is missing, or where the two differ in what PostgreSQL tells of them.
    """
    failure = None
    try:
        flask_migrate.check(directory=directory or g.directory)
    except SystemExit as end:
        # A sentence of alembic/env.py: nothing was compared.
        if isinstance(end.code, str):
            raise
        failure = end
    differences = _find_differences()
    if differences:
        lines = "\n".join(map(str, differences))
        raise click.ClickException(f"The database is not what the models say.\n{lines}")
    if failure is not None:
        raise failure


def _find_differences() -> list[Difference]:
    """Return what differs; a database that lacks steps is not looked at."""
    url = command_settings().direct_database()
    if url is None:
        return []
    engine = make_migration_engine(url)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(LIMITS)
            is_at_head = _is_at_head(connection)
            found = _compare(connection) if is_at_head else []
            connection.rollback()
            return found
    except ProgrammingError as error:
        if sqlstate_of(error.orig) == INSUFFICIENT_PRIVILEGE:
            raise click.ClickException(NO_RIGHT) from error
        raise click.ClickException(say_what_failed(error)) from error
    except DATABASE_ERRORS as error:
        raise click.ClickException(say_what_failed(error)) from error


def _compare(connection: Connection) -> list[Difference]:
    return find_differences(connection, Base.metadata, MADE_BY_MIGRATIONS)


def _is_at_head(connection: Connection) -> bool:
    script = ScriptDirectory.from_config(Config(str(CONFIGURATION)))
    current = MigrationContext.configure(connection).get_current_heads()
    return set(current) == set(script.get_heads())
