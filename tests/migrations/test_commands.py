"""The commands that people type: `flask db …` and `alembic …` do and say the same."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from dev.ports import free_port
from tests.migrations.commands import PROGRAMS, ROOT, Migrations, read_steps, run

FLASK = ["flask", "db"]
ALEMBIC = ["alembic"]
BOTH = pytest.mark.parametrize("program", [ALEMBIC, FLASK], ids=["alembic", "flask"])
HEAD = read_steps()[-1]


def both(command: list[str], database_url: str) -> str:
    """Run a command through both programs; assert that they agree, and return what they print."""
    by_alembic, by_flask = (run([*program, *command], database_url) for program in (ALEMBIC, FLASK))
    assert by_alembic.returncode == by_flask.returncode == 0, by_alembic.stderr + by_flask.stderr
    assert by_alembic.stdout == by_flask.stdout
    return by_alembic.stdout


@pytest.mark.long
def test_flask_and_alembic_say_the_same(database_url: str, migrations: Migrations) -> None:
    migrations.upgrade("a1f2c3d4e5f6")
    assert both(["current"], database_url) == "a1f2c3d4e5f6\n"
    assert both(["heads"], database_url) == f"{HEAD.revision} (head)\n"
    assert len(both(["history"], database_url).splitlines()) == len(read_steps())
    assert "add password_reset_tokens table" in both(["show", "a1f2c3d4e5f6"], database_url)
    migrations.upgrade()
    assert both(["current"], database_url) == f"{HEAD.revision} (head)\n"
    assert both(["check"], database_url) == "No new upgrade operations detected.\n"


@BOTH
def test_up_and_down(program: list[str], database_url: str, migrations: Migrations) -> None:
    steps = read_steps()
    for command, expected in [
        (["upgrade", "a1f2c3d4e5f6"], "a1f2c3d4e5f6"),
        (["upgrade", "+2"], steps[16].revision),
        (["downgrade", "-1"], steps[15].revision),
        (["downgrade", "3a7b0b241cb5"], "3a7b0b241cb5"),
        (["downgrade", "base"], ""),
        (["upgrade", "head"], f"{HEAD.revision} (head)"),
    ]:
        finished = run([*program, *command], database_url)
        assert finished.returncode == 0, finished.stderr
        assert "INFO  [alembic.runtime.migration] Running" in finished.stderr
        assert migrations.current() == expected


@BOTH
def test_a_changed_table_is_reported(program: list[str], database_url: str, engine: Engine) -> None:
    Migrations(engine).upgrade()
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_content_category_id"))
    finished = run([*program, "check"], database_url)
    assert finished.returncode != 0
    assert "ix_content_category_id" in finished.stdout + finished.stderr


@BOTH
@pytest.mark.parametrize(
    ("command", "first", "last"),
    [
        (["upgrade", "head", "--sql"], "CREATE TABLE alembic_version", HEAD.revision),
        (["upgrade", "a1f2c3d4e5f6:head", "--sql"], "access_tokens", HEAD.revision),
        (["downgrade", "head:-1", "--sql"], "UPDATE alembic_version", HEAD.revision),
        (["downgrade", "head:base", "--sql"], "DROP TABLE idempotency_keys", "DROP TABLE roles"),
    ],
    ids=["up", "up-from", "down-one", "down"],
)
def test_sql_is_printed_without_a_server(
    program: list[str], command: list[str], first: str, last: str
) -> None:
    finished = run([*program, *command], database_url=None)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith("SET lock_timeout = '1s';")
    assert 0 < finished.stdout.index(first) <= finished.stdout.rindex(last)


def test_the_printed_sql_does_what_the_upgrade_does(
    database_url: str, engine: Engine, migrations: Migrations
) -> None:
    script = run(["alembic", "upgrade", "head", "--sql"], database_url=None).stdout
    # The texts of triggers hold percent signs, which are no places for parameters.
    literal = engine.execution_options(isolation_level="AUTOCOMMIT", no_parameters=True)
    with literal.connect() as connection:
        for statement in re.split(r";\n\n", script):
            if statement.strip():
                connection.exec_driver_sql(statement)
    assert migrations.current() == f"{HEAD.revision} (head)"
    migrations.check()


@BOTH
def test_without_a_database_url_there_is_one_clear_sentence(program: list[str]) -> None:
    finished = run([*program, "current"], database_url=None)
    assert finished.returncode == 1
    assert finished.stderr.startswith("DATABASE_URL is not set.")
    assert len(finished.stderr.splitlines()) == 1


@BOTH
def test_a_server_that_is_not_there_is_one_clear_sentence(program: list[str]) -> None:
    url = f"postgresql://user:hush@127.0.0.1:{free_port()}/a"
    finished = run([*program, "upgrade", "head"], url)
    assert finished.returncode == 1
    assert finished.stderr.startswith("Cannot connect to the database of DATABASE_URL: connection")
    assert len(finished.stderr.splitlines()) == 1


@BOTH
def test_another_kind_of_database_is_refused_in_clear_words(program: list[str]) -> None:
    finished = run([*program, "current"], "mysql://user:hush@127.0.0.1/a")
    assert finished.returncode == 1
    assert finished.stderr.splitlines() == [
        "Imprint's settings are wrong.",
        "DATABASE_URL: must be a PostgreSQL URL, such as postgresql://user:password@host:5432/name",
    ]


def test_an_unknown_revision_is_named(database_url: str) -> None:
    finished = run(["alembic", "upgrade", "0123456789ab"], database_url)
    assert finished.returncode != 0
    assert "Can't locate revision identified by '0123456789ab'" in finished.stdout + finished.stderr


def test_a_new_revision_from_another_folder_with_a_space(
    database_url: str, migrations: Migrations, tmp_path: Path
) -> None:
    migrations.upgrade()
    copy = tmp_path / "a place"
    copy.mkdir()
    shutil.copy(ROOT / "alembic.ini", copy)
    for folder in ("alembic", "webapp"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    options = ["alembic", "-c", str(copy / "alembic.ini")]
    made = run(
        [*options, "revision", "--autogenerate", "-m", "add a thing"], database_url, tmp_path
    )
    assert made.returncode == 0, made.stderr
    (path,) = (copy / "alembic" / "versions").glob("*_add_a_thing.py")
    source = path.read_text()
    assert f'down_revision: str | tuple[str, ...] | None = "{HEAD.revision}"' in source
    assert source.count("    pass\n") == 2
    subprocess.run([PROGRAMS / "ruff", "format", "--check", path], check=True)
    moved = run([*options, "upgrade", "head"], database_url, tmp_path)
    assert moved.returncode == 0, moved.stderr
