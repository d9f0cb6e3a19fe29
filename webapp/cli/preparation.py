"""What every command of Imprint has before its own code begins: the settings and the log lines."""

import click
from flask import Flask
from flask.cli import ScriptInfo

from webapp.adapters.logs import configure_logs
from webapp.settings import Settings

SETTINGS = "IMPRINT_SETTINGS"


def prepare(app: Flask, settings: Settings) -> Flask:
    """Give the application of the commands its settings, and send the log lines where they say."""
    configure_logs(settings)
    app.config[SETTINGS] = settings
    return app


def prepare_from_environment(context: click.Context) -> None:
    """Prepare the application of `flask …`, unless it is; end the process where settings are wrong.

    `context` is that of the group in which the command stands. Its application is no current one
    yet, where the group is called by a test's runner.
    """
    app = context.ensure_object(ScriptInfo).load_app()
    if SETTINGS not in app.config:
        prepare(app, Settings.from_environment())
