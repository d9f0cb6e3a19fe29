"""What `flask …` loads: Flask alone to list the commands, and each of them when it is called."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask.testing import FlaskCliRunner

from webapp.cli.app import COMMANDS, create_app
from webapp.cli.late_command import LateCommand
from webapp.cli.migrations import db
from webapp.cli.preparation import prepare
from webapp.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
LATE = [*COMMANDS, *(found for found in db.commands.values() if isinstance(found, LateCommand))]
# Prints the names of all modules that `flask …` has loaded, below what it says itself.
LOADED = """
import sys
from flask.cli import main
try:
    main()
finally:
    print(*sys.modules)
"""
# What a list of commands has no need of, and what takes longer to load than all of Flask.
NOT_FOR_A_LIST = {
    "alembic", "celery", "flask_migrate", "flask_openapi3", "psycopg", "pydantic",
    "pydantic_settings", "sqlalchemy", "structlog", "workers",
}  # fmt: skip
WRONG = {"IMPRINT_LOG_LEVEL": "loud"}


@pytest.mark.parametrize("command", LATE, ids=lambda command: command.name)
def test_the_line_in_the_list_of_commands_is_the_command_s_own(command: LateCommand) -> None:
    real = command.load()
    assert real.name == command.name
    assert real.get_short_help_str(200) == command.get_short_help_str(200)


def flask(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `flask …` with these settings alone; its last line names what it has loaded."""
    kept = {"PATH": os.environ["PATH"], "FLASK_SKIP_DOTENV": "1", "FLASK_APP": "webapp.cli.app"}
    return subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        cwd=ROOT,
        env=kept | settings,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("settings", [{}, WRONG], ids=["none", "wrong"])
def test_neither_a_command_nor_the_settings_are_loaded_to_list_the_commands(
    settings: dict[str, str],
) -> None:
    listed = flask("--help", **settings)
    assert listed.returncode == 0, listed.stderr
    *text, names = listed.stdout.splitlines()
    listing = [line.split()[0] for line in text if line.startswith("  ")]
    assert {str(command.name) for command in COMMANDS} <= set(listing)
    loaded = set(names.split())
    assert "webapp.cli.late_command" in loaded
    assert not {name.partition(".")[0] for name in loaded} & NOT_FOR_A_LIST
    assert {name for name in loaded if name.startswith("webapp.")} <= {
        "webapp.cli", "webapp.cli.app", "webapp.cli.late_command", "webapp.kit",
        "webapp.kit.loading",
    }  # fmt: skip


@pytest.mark.parametrize("command", [["jobs", "list"], ["db", "current"], ["demo", "--help"]])
def test_a_command_says_what_is_wrong_with_the_settings_before_it_is_loaded(
    command: list[str],
) -> None:
    refused = flask(*command, **WRONG)
    assert refused.returncode == 1
    title, sentence = refused.stderr.splitlines()
    assert title == "Imprint's settings are wrong."
    assert sentence.startswith("IMPRINT_LOG_LEVEL: ")
    assert not set(refused.stdout.split()) & {"sqlalchemy", "alembic"}


def test_the_help_of_a_late_command_is_its_own() -> None:
    app = prepare(create_app(), Settings(_env_file=None))
    runner: FlaskCliRunner = app.test_cli_runner()
    help_of_group = runner.invoke(args=["db", "--help"]).output
    assert "preflight  Show the pending migrations" in help_of_group
    assert "list-templates" not in help_of_group
    assert "--longest-hold" in runner.invoke(args=["db", "preflight", "--help"]).output


def test_who_looks_for_the_api_here_is_told_where_it_is() -> None:
    answer = create_app().test_client().get("/api/v1/published")
    assert answer.status_code == 404
    assert "flask --app wsgi run" in answer.text
