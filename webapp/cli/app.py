"""The application that `flask …` finds, by the file .flaskenv: the commands and nothing else.

The API is not among it, and neither a command nor the settings are loaded before a command is
called. So the help costs hardly more than Flask's own, and shows whatever the settings are.
"""

from flask import Flask

from webapp.cli.late_command import LateCommand

PREPARATION = "webapp.cli.preparation:prepare_from_environment"
COMMANDS = tuple(
    LateCommand(name, place, short_help, PREPARATION)
    for name, place, short_help in (
        (
            "accounts",
            "webapp.cli.accounts:accounts",
            "Make accounts, look at them, switch them off and on.",
        ),
        ("activity", "webapp.cli.activity:activity", "Read and check the activity log."),
        (
            "content",
            "webapp.cli.content:content",
            "Bring content in, check and prune versions, say who wrote what.",
        ),
        ("db", "webapp.cli.migrations:db", "Migrate the database."),
        ("demo", "webapp.cli.demo:demo", "Fill an empty installation with something to look at."),
        (
            "dispatcher",
            "webapp.cli.dispatcher:dispatcher",
            "Run a dispatcher until it is told to stop.",
        ),
        ("jobs", "webapp.cli.jobs:jobs", "Look at jobs, pause, retry and discard them."),
        (
            "schedules",
            "webapp.cli.schedules:schedules",
            "Look at schedules, and try failed ones again.",
        ),
    )
)


def create_app() -> Flask:
    """Return the application of the commands, which has read no setting yet."""
    app = Flask("webapp", static_folder=None)
    app.register_error_handler(404, _refer_to_the_api)
    for command in COMMANDS:
        app.cli.add_command(command)
    return app


def _refer_to_the_api(_error: Exception) -> tuple[str, int]:
    """Say to those who come by `flask run` where the API is."""
    return "Here are the commands alone. The API is `flask --app wsgi run`.\n", 404
