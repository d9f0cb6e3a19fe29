"""The application that `flask …` finds, by the file .flaskenv: the commands and nothing else.

The API is not among it and no command is imported before it is called, so that each answers within
a second.
"""

from flask import Flask

from webapp.adapters.logs import configure_logs
from webapp.cli.late_command import LateCommand
from webapp.settings import Settings

SETTINGS = "IMPRINT_SETTINGS"
COMMANDS = (
    LateCommand(
        "accounts",
        "webapp.cli.accounts:accounts",
        "Make accounts, look at them, switch them off and on.",
    ),
    LateCommand("activity", "webapp.cli.activity:activity", "Read and check the activity log."),
    LateCommand("content", "webapp.cli.content:content", "Bring content in."),
    LateCommand("db", "webapp.cli.migrations:db", "Migrate the database."),
    LateCommand(
        "demo", "webapp.cli.demo:demo", "Fill an empty installation with something to look at."
    ),
    LateCommand(
        "dispatcher",
        "webapp.cli.dispatcher:dispatcher",
        "Run a dispatcher until it is told to stop.",
    ),
    LateCommand("jobs", "webapp.cli.jobs:jobs", "Look at jobs, pause, retry and discard them."),
)


def create_app(settings: Settings | None = None) -> Flask:
    """Return the application of the commands, connected to nothing yet.

    Without a database's URL it can still show its help and run what needs no database.
    """
    settings = settings or Settings.from_environment()
    configure_logs(settings)
    app = Flask("webapp", static_folder=None)
    app.config[SETTINGS] = settings
    app.register_error_handler(404, _refer_to_the_api)
    for command in COMMANDS:
        app.cli.add_command(command)
    return app


def _refer_to_the_api(_error: Exception) -> tuple[str, int]:
    """Say to those who come by `flask run` where the API is."""
    return "Here are the commands alone. The API is `flask --app wsgi run`.\n", 404
