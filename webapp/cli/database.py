"""Settings and database sessions for commands."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import current_app
from sqlalchemy.orm import Session, sessionmaker

from webapp.adapters.database import make_engine
from webapp.adapters.database_errors import (
    DATABASE_ERRORS,
    UNDEFINED_TABLE,
    DatabaseError,
    describe,
    is_passing,
    sqlstate_of,
)
from webapp.adapters.rendering import configure_rendering
from webapp.bootstrap import make_sessions
from webapp.cli.operators import operator_name
from webapp.cli.preparation import SETTINGS
from webapp.services import origins
from webapp.services.errors import ServiceError
from webapp.services.origins import Origin
from webapp.settings import MissingSettingError, Settings

SESSIONS = "imprint.sessions"


def command_settings() -> Settings:
    """Return the settings, or end the command where they name no database."""
    settings: Settings = current_app.config[SETTINGS]
    try:
        settings.database()
    except MissingSettingError as error:
        raise click.ClickException(str(error)) from error
    return settings


def command_sessions() -> sessionmaker[Session]:
    """Return what makes the sessions of this process's commands."""
    settings, extensions = command_settings(), current_app.extensions
    if SESSIONS not in extensions:
        configure_rendering(settings)
        engine = make_engine(settings, application_name="imprint-command")
        extensions[SESSIONS] = make_sessions(engine, settings.search_language)
    made: sessionmaker[Session] = extensions[SESSIONS]
    return made


@contextmanager
def command_session() -> Iterator[Session]:
    """Open one transaction for a command; what goes wrong ends the command with one sentence.

    What the activity log gets of it names the operator.
    """
    origins.enter(Origin(operator=operator_name()))
    try:
        with command_sessions().begin() as session:
            yield session
    except ServiceError as error:
        raise click.ClickException(str(error)) from error
    except DATABASE_ERRORS as error:
        raise click.ClickException(say_what_failed(error)) from error
    finally:
        origins.leave()


def say_what_failed(error: DatabaseError) -> str:
    """Return a sentence about an error of the database, without the values of a row."""
    reason = describe(error)
    if sqlstate_of(getattr(error, "orig", error)) == UNDEFINED_TABLE:
        return f"The database has not been migrated: {reason}. Run `flask db upgrade`."
    if is_passing(error):
        return f"The database does not answer as it should: {reason}"
    return f"The database refused: {reason}"
