"""The smallest app that offers `flask db …`."""

from flask import Flask

from webapp.cli.migrations import init_migrations


def create_app() -> Flask:
    """Return an app with the migration commands and nothing else."""
    app = Flask(__name__)
    init_migrations(app)
    return app
