"""Promises of `flask db preflight`: it shows what is pending, and refuses what would hurt."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask.testing import FlaskCliRunner
from sqlalchemy import Engine, text

from tests.migrations.commands import ROOT, Migrations, read_steps
from webapp.cli import preflight

HEAD = read_steps()[-1].revision
STEP = '''"""{message}

Revision: {revision}, after {below}.
"""

from alembic import op

revision = "{revision}"
down_revision = "{below}"
{extra}

def upgrade() -> None:
    for statement in {statements!r}:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError
'''
CONTRACT = f'contract = "nothing has read it since then"\ncontract_since = "{HEAD}"\n'
Check = Callable[..., Result]


@pytest.fixture
def add_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """A function that adds a step above the head of the chain, and returns its revision."""
    ini = (ROOT / "alembic.ini").read_text()
    ini = ini.replace("%(here)s/alembic\n", f"{ROOT}/alembic\n")
    places = f"version_locations = {ROOT}/alembic/versions{os.pathsep}{tmp_path}/steps\n"
    (tmp_path / "alembic.ini").write_text(ini.replace("[alembic]\n", f"[alembic]\n{places}"))
    (tmp_path / "steps").mkdir()
    monkeypatch.setattr(preflight, "CONFIGURATION", tmp_path / "alembic.ini")
    below = [HEAD]

    def add(*statements: str, message: str = "do a thing", extra: str = "") -> str:
        revision = f"{len(below):012d}"
        source = STEP.format(
            message=message, revision=revision, below=below[-1], statements=statements, extra=extra
        )
        (tmp_path / "steps" / f"{revision}.py").write_text(source)
        below.append(revision)
        return revision

    return add


@pytest.fixture
def check(commands: FlaskCliRunner, tmp_path: Path) -> Check:
    """A function that runs the command, with a fresh dump unless another is named."""
    dump = tmp_path / "dumps" / "imprint.dump"
    dump.parent.mkdir()
    dump.write_text("PGDMP")

    def run(*arguments: str, backup: Path | None = dump.parent) -> Result:
        given = [] if backup is None else ["--backup", str(backup)]
        return commands.invoke(args=["db", "preflight", *given, *arguments])

    return run


def fill_table(engine: Engine, rows: int) -> None:
    """Make a table with rows and statistics."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE things (id bigint PRIMARY KEY, name text, size int)"))
        statement = (
            "INSERT INTO things SELECT n, repeat('x', 200), n FROM generate_series(1, :rows) AS n"
        )
        connection.execute(text(statement), {"rows": rows})
        connection.execute(text("ANALYZE things"))


def empty(engine: Engine) -> None:
    """Take every table away."""
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))


def answer(result: Result) -> Any:
    """Return what the command printed as JSON."""
    return json.loads(result.stdout)


def test_nothing_is_pending(check: Check) -> None:
    result = check(backup=None)
    assert (result.exit_code, result.output) == (0, "Nothing is pending.\n")
    assert answer(check("--json"))["pending"] == []


def test_a_harmless_step_is_shown_with_its_sql_lock_and_size(
    check: Check, add_step: Callable[..., str], engine: Engine
) -> None:
    fill_table(engine, 1000)
    revision = add_step("ALTER TABLE things ADD COLUMN colour text", message="add colour to things")
    result = check()
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0].startswith("1 pending. Backup: ")
    assert f"{revision}  add colour to things  (expand)" in lines
    assert "    ALTER TABLE things ADD COLUMN colour text;" in lines
    (line,) = (line for line in lines if "on things" in line)
    assert line.strip().startswith("ACCESS EXCLUSIVE on things (")
    assert line.endswith(" kB, about 1,000 rows), no row is touched")
    (statement,) = answer(check("--json"))["pending"][0]["statements"]
    (effect,) = statement["effects"]
    assert (effect["lock"], effect["work"], effect["rows"]) == ("ACCESS EXCLUSIVE", "none", 1000)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("CREATE INDEX ix ON things (name)", "Make the index CONCURRENTLY"),
        ("ALTER TABLE things ALTER size SET NOT NULL", "NOT VALID and validate it in a later step"),
        ("ALTER TABLE things ADD CONSTRAINT c CHECK (size > 0)", "validate it in a later step"),
        ("ALTER TABLE things ADD COLUMN made_at timestamptz DEFAULT clock_timestamp()",
         "Add a new column instead"),
        ("ALTER TABLE things ADD COLUMN n int NOT NULL", "NOT NULL without a default"),
        ("UPDATE things SET size = 1", "Write the rows in batches"),
        ("ALTER TABLE things DROP COLUMN name", "the running code may use"),
        ("ALTER TABLE things RENAME COLUMN name TO title", "the running code may use"),
        ("ALTER TABLE things ALTER COLUMN size TYPE bigint", "the running code may use"),
        ("DROP TABLE things", "the running code may use"),
        ("DROP INDEX CONCURRENTLY ix", "does not run in a transaction"),
        ("SELECT frobnicate()", "counts as ACCESS EXCLUSIVE on every table"),
    ],
)  # fmt: skip
def test_the_unsafe_is_refused_with_its_reason(
    check: Check, add_step: Callable[..., str], engine: Engine, statement: str, reason: str
) -> None:
    fill_table(engine, 3000)
    revision = add_step(statement)
    result = check("--longest-hold", "0.001")
    assert result.exit_code == 1
    refusals = [line for line in result.output.splitlines() if line.startswith("  REFUSED: ")]
    assert any(reason in line for line in refusals), result.output
    assert f"Refused: {revision}." in result.output
    assert answer(check("--json", "--longest-hold", "0.001"))["refused"] == [revision]


def test_a_lock_counts_until_the_end_of_its_transaction(
    check: Check, add_step: Callable[..., str], engine: Engine
) -> None:
    fill_table(engine, 3000)
    hold = ["--json", "--longest-hold", "0.001"]
    add_step("ALTER TABLE things ADD CONSTRAINT c CHECK (size IS NOT NULL) NOT VALID")
    add_step(
        "ALTER TABLE things VALIDATE CONSTRAINT c",
        "ALTER TABLE things ALTER COLUMN size SET NOT NULL",
        "ALTER TABLE things DROP CONSTRAINT c",
    )
    assert answer(check(*hold))["refused"] == []
    bad = add_step(
        "ALTER TABLE things ADD CONSTRAINT d CHECK (size > 0) NOT VALID",
        "ALTER TABLE things VALIDATE CONSTRAINT d",
    )
    assert answer(check(*hold))["refused"] == [bad]


def test_a_contract_step_wants_a_mark_an_older_release_and_a_backup(
    check: Check, add_step: Callable[..., str], engine: Engine
) -> None:
    fill_table(engine, 10)
    add_step("ALTER TABLE things DROP COLUMN name", extra=CONTRACT)
    result = check()
    assert (result.exit_code, "(contract)" in result.output) == (0, True), result.output
    result = check(backup=None)
    assert result.exit_code == 1
    assert "whether there is a backup is unknown" in result.output

    expand = add_step("ALTER TABLE things ADD COLUMN title text")
    since = f'contract = "unused"\ncontract_since = "{expand}"\n'
    add_step("ALTER TABLE things DROP COLUMN size", extra=since)
    result = check()
    assert result.exit_code == 1
    assert f"after the release with step {expand}, which has not run here" in result.output


@pytest.mark.parametrize("mark", ["contract = True", 'contract = "  "', ""])
def test_a_mark_without_a_reason_is_none(
    check: Check, add_step: Callable[..., str], engine: Engine, mark: str
) -> None:
    fill_table(engine, 10)
    add_step("DROP TABLE things", extra=f'{mark}\ncontract_since = "{HEAD}"\n')
    assert check().exit_code == 1


@pytest.mark.parametrize(
    "statement", ["ALTER TABLE content DROP COLUMN excerpt", "DROP TABLE tags"]
)
def test_what_the_models_still_map_is_not_taken_away(
    check: Check, add_step: Callable[..., str], statement: str
) -> None:
    add_step(statement, extra=CONTRACT)
    result = check()
    assert result.exit_code == 1
    assert "The models of this very release still map" in result.output


def test_a_step_waits_for_its_backfill(
    check: Check, add_step: Callable[..., str], engine: Engine
) -> None:
    add_step("CREATE TYPE mood AS ENUM ('good')", extra='after_backfill = "fill-things"\n')
    result = check()
    assert result.exit_code == 1
    assert "run `flask db backfill fill-things`" in result.output
    with engine.begin() as connection:
        done = "INSERT INTO backfills (name, finished_at) VALUES ('fill-things', now())"
        connection.execute(text(done))
    assert check().exit_code == 0


def test_a_missing_or_old_backup_is_refused_and_an_unknown_one_said(
    check: Check, add_step: Callable[..., str], tmp_path: Path
) -> None:
    add_step("CREATE TABLE more (id bigint PRIMARY KEY)")
    unknown = check(backup=None)
    assert unknown.exit_code == 0
    assert "Backup: unknown: neither --backup nor IMPRINT_BACKUP_DIR is set." in unknown.output
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "nothing.dump").touch()
    assert "there is no dump in" in check(backup=tmp_path / "empty").output
    assert "cannot be read" in check(backup=tmp_path / "absent").output
    old = tmp_path / "old.dump"
    old.write_text("PGDMP")
    os.utime(old, (time.time() - 30 * 3600,) * 2)
    result = check(backup=old)
    assert (result.exit_code, "30.0 hours old: older than 24" in result.output) == (1, True)
    assert "  REFUSED: no recent backup\n" in result.output
    assert result.output.endswith("Refused: backup. `--allow REVISION --reason …` overrides.\n")
    assert answer(check("--json", backup=old))["refused"] == ["backup"]
    assert check("--backup-max-age", "48", backup=old).exit_code == 0
    result = check("--allow", "backup", "--reason", "a test", backup=old)
    assert (result.exit_code, "  allowed, though: no recent backup\n" in result.output) == (0, True)


def test_an_override_wants_a_reason_and_is_logged(
    check: Check,
    add_step: Callable[..., str],
    engine: Engine,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fill_table(engine, 10)
    revision = add_step("DROP TABLE things")
    assert check("--allow", revision).exit_code == 2
    assert check("--allow", "ffffffffffff", "--reason", "why not").exit_code == 2
    result = check("--allow", revision, "--reason", "nobody ever used it")
    assert result.exit_code == 0, result.output
    assert "allowed, though: It takes away" in result.output
    with engine.connect() as connection:
        statement = "SELECT action, details FROM activity_logs"
        ((action, details),) = connection.execute(text(statement)).all()
    assert action == "migration.allow"
    assert (details["revision"], details["reason"]) == (revision, "nobody ever used it")
    assert len(details["refusals"]) == 1
    assert any("migration.allowed" in record.getMessage() for record in caplog.records)


def test_a_step_that_is_not_known_is_called_what_it_counts_as(
    check: Check, add_step: Callable[..., str]
) -> None:
    revision = add_step("SELECT frobnicate()")
    assert f"{revision}  do a thing  (contract)" in check().output


def test_a_step_that_needs_a_connection_is_refused(
    check: Check, add_step: Callable[..., str]
) -> None:
    revision = add_step("SELECT 1")
    path = next((preflight.CONFIGURATION.parent / "steps").glob(f"{revision}.py"))
    path.write_text(path.read_text().replace("op.execute(", "op.get_bind().fetch("))
    result = check()
    assert result.exit_code == 1
    assert "It cannot be shown as SQL" in result.output


def test_a_new_database_has_nothing_to_fear(
    check: Check, engine: Engine, add_step: Callable[..., str], tmp_path: Path
) -> None:
    empty(engine)
    for backup in (None, tmp_path / "steps"):
        result = check(backup=backup)
        assert result.exit_code == 0, result.output
        assert result.output.startswith(f"{len(read_steps())} pending.")
        assert "REFUSED" not in result.output


def test_each_step_of_the_chain_passed_when_it_was_pending(
    check: Check, engine: Engine, add_step: Callable[..., str]
) -> None:
    """The present chain is the example of safe steps, from where the first tables had rows."""
    empty(engine)
    Migrations(engine).upgrade("a1f2c3d4e5f6")
    assert answer(check("--json"))["refused"] == []


def test_a_database_of_a_newer_release_is_told_apart(check: Check, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'feedfacebeef'"))
    result = check()
    assert result.exit_code == 1
    assert "at feedfacebeef, which this release does not know" in result.output


def test_squawk_is_shown_where_it_is_and_not_missed_where_it_is_not(
    check: Check,
    add_step: Callable[..., str],
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill_table(engine, 10)
    add_step("ALTER TABLE things DROP COLUMN name", extra=CONTRACT)
    assert "squawk: ban-drop-column: Dropping a column may break" in check().output
    monkeypatch.setattr("shutil.which", lambda _name, path=None: None)
    result = check()
    assert (result.exit_code, "squawk:" in result.output) == (0, False)
