"""What `flask …` loads: the commands alone, and each of them when it is called."""

import subprocess
import sys
from pathlib import Path

import pytest
from flask.testing import FlaskCliRunner

from webapp.cli.app import COMMANDS, create_app
from webapp.cli.late_command import LateCommand
from webapp.cli.migrations import db
from webapp.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
LATE = [*COMMANDS, *(found for found in db.commands.values() if isinstance(found, LateCommand))]
LOADED = """
import sys
from webapp.cli.app import create_app
create_app()
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.mark.parametrize("command", LATE, ids=lambda command: command.name)
def test_the_line_in_the_list_of_commands_is_the_command_s_own(command: LateCommand) -> None:
    real = command.load()
    assert real.name == command.name
    assert real.get_short_help_str(200) == command.get_short_help_str(200)


def test_no_command_is_loaded_to_be_listed() -> None:
    finished = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(finished.stdout.split())
    assert "flask" in loaded
    assert not loaded & {"alembic", "celery", "flask_openapi3", "psycopg", "sqlalchemy"}


def test_the_help_of_a_late_command_is_its_own() -> None:
    runner: FlaskCliRunner = create_app(Settings(_env_file=None)).test_cli_runner()
    help_of_group = runner.invoke(args=["db", "--help"]).output
    assert "preflight  Show the pending migrations" in help_of_group
    assert "list-templates" not in help_of_group
    assert "--longest-hold" in runner.invoke(args=["db", "preflight", "--help"]).output


def test_who_looks_for_the_api_here_is_told_where_it_is() -> None:
    answer = create_app(Settings(_env_file=None)).test_client().get("/api/v1/published")
    assert answer.status_code == 404
    assert "flask --app wsgi run" in answer.text
