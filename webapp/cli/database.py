"""Settings and database sessions for commands."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import current_app
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from webapp.adapters.database import make_engine
from webapp.adapters.rendering import configure_rendering
from webapp.bootstrap import make_sessions
from webapp.cli.app import SETTINGS
from webapp.services.errors import ServiceError
from webapp.settings import MissingSettingError, Settings

SESSIONS = "imprint.sessions"


def command_settings() -> Settings:
    """Return the settings, or end the command where they name no database."""
    settings: Settings = current_app.config[SETTINGS]
    try:
        settings.require_database_url()
    except MissingSettingError as error:
        raise click.ClickException(str(error)) from error
    return settings


def command_sessions() -> sessionmaker[Session]:
    """Return what makes the sessions of this process's commands."""
    settings, extensions = command_settings(), current_app.extensions
    if SESSIONS not in extensions:
        configure_rendering(settings)
        engine = make_engine(settings, application_name="imprint-command")
        extensions[SESSIONS] = make_sessions(engine)
    made: sessionmaker[Session] = extensions[SESSIONS]
    return made


@contextmanager
def command_session() -> Iterator[Session]:
    """Open one transaction for a command; what goes wrong ends the command with one sentence."""
    try:
        with command_sessions().begin() as session:
            yield session
    except ServiceError as error:
        raise click.ClickException(str(error)) from error
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise click.ClickException(f"The database does not answer: {reason}") from error
