"""The migrations guide does and prints what it says, with `flask db` and with `alembic`."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, NullPool, create_engine

from dev.postgres import PostgresServer
from dev.postgres_data import find_programs
from tests.docs.guide import KINDS, Section, read_sections, table_commands
from tests.docs.guide_world import World
from tests.migrations.commands import DEFAULT_TRIALS, ROOT, Migrations, read_steps, trials
from tests.migrations.row_filler import fill

# SQLAlchemy warns of a mistake of its own when it reflects a table with storage settings.
pytestmark = pytest.mark.filterwarnings("ignore:Can't validate argument 'dialect_options'")

GUIDE = (ROOT / "docs" / "migrations.md").read_text(encoding="utf-8")
SECTIONS = [section for section in read_sections(GUIDE) if section.blocks]
# The guide's commands name the database, as those in a container do.
DATABASE = "imprint"


def tries() -> Iterator[tuple[Section, str]]:
    """Yield each section, by turns with `flask db` as written and with `alembic` in its place.

    Each is done with both where IMPRINT_MIGRATION_TRIALS asks for more than the default.
    """
    is_thorough = trials() > DEFAULT_TRIALS
    for number, section in enumerate(SECTIONS):
        for program in ("flask", "alembic"):
            if is_thorough or program == ("flask", "alembic")[number % 2]:
                yield section, program


@pytest.fixture
def engine(postgres: PostgresServer, template: str, section: Section) -> Iterator[Engine]:
    """An engine on a database with the name that the guide uses, in which the section begins."""
    revision, _, rows = section.database.partition(", ")
    postgres.drop_database(DATABASE)
    postgres.create_database(DATABASE, template if revision == "head" else None)
    url = postgres.url(DATABASE).replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(url, poolclass=NullPool)
    if revision not in {"empty", "head"}:
        Migrations(engine).upgrade(revision)
    if rows:
        assert rows == "with rows"
        with engine.connect() as connection:
            fill(connection)
    yield engine
    engine.dispose()
    postgres.drop_database(DATABASE)


@pytest.mark.parametrize(("section", "program"), list(tries()), ids=str)
@pytest.mark.long
def test_every_block_of_a_section_does_what_the_guide_says(
    engine: Engine, tmp_path: Path, section: Section, program: str
) -> None:
    other = os.environ.get("IMPRINT_TEST_POSTGRES_BIN")
    programs = [Path(sys.executable).parent, Path(other) if other else find_programs()]
    revisions = {step.revision for step in read_steps()}
    world = World(tmp_path, engine, program, programs, revisions)
    world.prepare()
    for block in section.blocks:
        world.run(block)


def test_no_block_is_left_out() -> None:
    fences = re.findall(r"^ *(?:```|~~~)", GUIDE, re.MULTILINE)
    blocks = [block for section in SECTIONS for block in section.blocks]
    assert len(fences) == 2 * len(blocks)
    assert {block.kind for block in blocks} == KINDS
    assert not re.search(r"^(    |\t)\S", prose(), re.MULTILINE), "an indented block is not run"


def test_every_command_of_the_table_is_run_somewhere() -> None:
    rows = table_commands(GUIDE)
    consoles = [
        block for section in SECTIONS for block in section.blocks if "console" in block.kind
    ]
    shown = {command.line for block in consoles for command in block.commands()}
    assert len(rows) == len(re.findall(r"^\| .*`alembic ", GUIDE, re.MULTILINE)) > 10
    for flask, alembic in rows:
        assert any(line.startswith(flask) for line in shown), flask
        assert alembic == flask.replace("flask db ", "alembic ") or alembic in shown, alembic


def prose() -> str:
    """Return the guide without its blocks."""
    return re.sub(r"^```.*?^```$", "", GUIDE, flags=re.MULTILINE | re.DOTALL)
