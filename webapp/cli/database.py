"""Database sessions for commands."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from webapp.api.context import WebContext
from webapp.api.edge import web_context
from webapp.services.errors import ServiceError
from webapp.settings import MissingSettingError


def command_context() -> WebContext:
    """Return the application's parts, or end the command with a sentence that says what to set."""
    try:
        return web_context()
    except MissingSettingError as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def command_session() -> Iterator[Session]:
    """Open one transaction for a command; what goes wrong ends the command with one sentence."""
    try:
        with command_context().sessions.begin() as session:
            yield session
    except ServiceError as error:
        raise click.ClickException(str(error)) from error
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise click.ClickException(f"The database does not answer: {reason}") from error
