"""`flask db …`: the migration commands of Flask-Migrate on the project's own alembic.ini."""

from pathlib import Path

from alembic.config import Config
from flask import Flask
from flask_migrate import Migrate
from flask_migrate.cli import db as commands

from webapp.cli.backfills import backfill
from webapp.cli.preflight import preflight

CONFIGURATION = Path(__file__).resolve().parents[2] / "alembic.ini"


def init_migrations(app: Flask) -> None:
    """Register `flask db …` on an app.

    Each command reads the root's alembic.ini, in whatever directory it is started, and so does
    just what `alembic …` does. No database object is handed over: alembic/env.py finds the tables
    and the database by itself.
    """
    migrate = Migrate(directory="alembic", render_as_batch=False)
    migrate.configure(_use_root_configuration)
    migrate.init_app(app)
    # Without this, `flask db downgrade -1` would be refused as an unknown option.
    commands.commands["downgrade"].context_settings["ignore_unknown_options"] = True
    commands.add_command(backfill)
    commands.add_command(preflight)


def _use_root_configuration(config: Config) -> Config:
    """Keep the options of the command line and take everything else from the root's file."""
    return Config(str(CONFIGURATION), cmd_opts=config.cmd_opts)
