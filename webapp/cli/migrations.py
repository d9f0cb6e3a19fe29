"""`flask db …`: the migration commands of Flask-Migrate on the project's own alembic.ini."""

from pathlib import Path

import click
from alembic.config import Config
from flask import current_app, g
from flask.cli import with_appcontext
from flask_migrate import Migrate
from flask_migrate.cli import db as library

from webapp.cli.late_command import LateCommand

CONFIGURATION = Path(__file__).resolve().parents[2] / "alembic.ini"
# What the library has for a project that has no folder of migrations yet.
LEFT_OUT = {"init", "list-templates"}


@click.group()
@click.option("-x", "--x-arg", multiple=True, metavar="LIMIT=VALUE",
              help="Change lock_timeout, statement_timeout or busy_tries.")  # fmt: skip
@with_appcontext
def db(x_arg: tuple[str, ...]) -> None:
    """Migrate the database.

    DATABASE_URL says which. Each command does just what `alembic …` does; docs/migrations.md has
    one for every task.
    """
    # No database object is handed over: alembic/env.py finds the tables and the database itself.
    migrate = Migrate(directory="alembic", render_as_batch=False)
    migrate.configure(_use_root_configuration)
    migrate.init_app(current_app)
    # The library has just put its own group in the place of this one.
    current_app.cli.add_command(db)
    # Where the library's commands look for the options of the group.
    g.directory, g.x_arg = None, x_arg


def _use_root_configuration(config: Config) -> Config:
    """Keep the options of the command line and take everything else from the root's file."""
    return Config(str(CONFIGURATION), cmd_opts=config.cmd_opts)


for _name, _command in library.commands.items():
    if _name not in LEFT_OUT:
        db.add_command(_command)
# Without this, `flask db downgrade -1` would be refused as an unknown option.
db.commands["downgrade"].context_settings["ignore_unknown_options"] = True
db.add_command(
    LateCommand(
        "backfill",
        "webapp.cli.backfills:backfill",
        "Fill what a migration added, in a job that can be stopped and resumed.",
    )
)
db.add_command(
    LateCommand("check", "webapp.cli.schema_check:check", "Compare the database with the models.")
)
db.add_command(
    LateCommand(
        "preflight",
        "webapp.cli.preflight:preflight",
        "Show the pending migrations with their SQL, locks and costs, and refuse the unsafe.",
    )
)
