"""What holds every step of the chain to its rows finds a step that loses some."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.migrations.commands import Migrations, Step, extend_chain, read_steps
from tests.migrations.kept_rows import check_step, said_to_drop
from tests.migrations.row_filler import fill
from webapp.cli.pending_steps import read_chain

REVISION = "f0b000000001"
STEP = '''"""do a thing to content"""

from alembic import op

revision = "{revision}"
down_revision = "{below}"
contract = {contract!r}


def upgrade() -> None:
    op.execute("{up}")


def downgrade() -> None:
    op.execute("{down}")
'''
NOTHING = "SELECT 1"
ADD, DROP = "ALTER TABLE content ADD COLUMN more text", "ALTER TABLE content DROP COLUMN more"
DROP_BIO = "ALTER TABLE users DROP COLUMN bio"
ADD_BIO = "ALTER TABLE users ADD COLUMN bio text DEFAULT '' NOT NULL"


@pytest.fixture
def database_url(database_url_at_head: str) -> str:
    """A database at the head, for one step more."""
    return database_url_at_head


def check_made_up_step(
    engine: Engine, folder: Path, up: str, down: str, contract: str | None = None
) -> None:
    """Hold a step after the head to the rows of every table."""
    below = read_steps()[-1].revision
    steps, ini = folder / "steps", folder / "alembic.ini"
    steps.mkdir()
    source = STEP.format(revision=REVISION, below=below, contract=contract, up=up, down=down)
    (steps / f"{REVISION}_do_a_thing_to_content.py").write_text(source)
    extend_chain(steps, ini)
    (pending,) = read_chain(ini, [below]).pending
    step = Step(REVISION, below, pending.message)
    check_step(engine, Migrations(engine, ini), step, said_to_drop(pending), fill)


def test_a_step_that_keeps_all_passes(engine: Engine, tmp_path: Path) -> None:
    check_made_up_step(engine, tmp_path, ADD, DROP)


def test_a_step_may_drop_what_it_says(engine: Engine, tmp_path: Path) -> None:
    check_made_up_step(engine, tmp_path, DROP_BIO, ADD_BIO, "no code reads or writes it")


@pytest.mark.parametrize(
    ("up", "down", "contract"),
    [
        (DROP_BIO, ADD_BIO, None),
        ("DELETE FROM follows", NOTHING, None),
        ("DELETE FROM follows WHERE id = 1", NOTHING, "it says so, but not of rows"),
        ("UPDATE content SET title = upper(title) || '!'", NOTHING, None),
        ("UPDATE content SET published_at = NULL", NOTHING, None),
        (NOTHING, "DELETE FROM follows", None),
        (ADD, "SELECT 1 AS nothing", None),
        (ADD, "ALTER TABLE content DROP COLUMN more, DROP COLUMN excerpt", None),
    ],
)
def test_a_loss_is_found(
    engine: Engine, tmp_path: Path, up: str, down: str, contract: str | None
) -> None:
    with pytest.raises(AssertionError):
        check_made_up_step(engine, tmp_path, up, down, contract)
