"""A migration that is killed in the middle of a step: the next one completes it.

Each step of the chain is killed at one of two places in turn, and at both where
IMPRINT_MIGRATION_TRIALS asks for more than the default.
"""

import signal

import pytest
from sqlalchemy import Engine

from tests.migrations.commands import DEFAULT_TRIALS, Migrations, Step, read_steps, start, trials
from tests.migrations.pauses import Place, hold_up, wait_until_held_up
from tests.migrations.row_filler import fill, read_rows, read_schema
from tests.patience import HANG_SECONDS

# SQLAlchemy warns of a mistake of its own when it reflects a table with storage settings.
pytestmark = pytest.mark.filterwarnings("ignore:Can't validate argument 'dialect_options'")

# The migration is held up for longer than a busy table may hold one up otherwise.
PATIENT = ["-x", "lock_timeout=10min", "-x", "statement_timeout=10min"]

Rows = dict[str, list[dict[str, object]]]


@pytest.mark.timeout(30 * HANG_SECONDS)
@pytest.mark.parametrize("quarter", range(4))
@pytest.mark.long
def test_a_step_that_is_killed_in_its_middle_is_completed_by_the_next_upgrade(
    database_url: str, engine: Engine, migrations: Migrations, quarter: int
) -> None:
    steps = read_steps()
    length = -(-len(steps) // 4)
    part = steps[quarter * length : (quarter + 1) * length]
    migrations.upgrade(steps[0].revision)
    if quarter:
        migrations.upgrade(part[0].below)
    else:
        # The table of the present revision is there now, so that it can be locked.
        migrations.downgrade("base")
    for number, step in enumerate(part):
        places = list(Place) if trials() > DEFAULT_TRIALS else [list(Place)[number % 2]]
        check_step(database_url, engine, migrations, step, places)


def check_step(
    database_url: str, engine: Engine, migrations: Migrations, step: Step, places: list[Place]
) -> None:
    """Go up one step undisturbed, back, and up again after a migration that was killed in it."""
    with engine.connect() as connection:
        fill(connection)
    migrations.upgrade(step.revision)
    undisturbed = found(engine)
    for place in places:
        migrations.downgrade(step.below)
        kill_in_the_middle(database_url, engine, step, place)
        assert step.revision not in migrations.current(), (step, place)
        migrations.upgrade(step.revision)
        after = found(engine)
        assert after[0] == undisturbed[0], (step, place)
        assert kept(after[1]) == kept(undisturbed[1]), (step, place)


def kill_in_the_middle(database_url: str, engine: Engine, step: Step, place: Place) -> None:
    """Start an upgrade by one step and kill it with SIGKILL where it is held up."""
    with hold_up(engine, place), engine.connect() as connection:
        process = start(["alembic", *PATIENT, "upgrade", step.revision], database_url)
        try:
            wait_until_held_up(connection)
        finally:
            process.kill()
            process.communicate()
    assert process.returncode == -signal.SIGKILL, (step, place)


def found(engine: Engine) -> tuple[list[tuple[object, ...]], Rows]:
    """Return the schema and every row."""
    with engine.connect() as connection:
        return read_schema(connection), read_rows(connection)


def kept(rows: Rows) -> Rows:
    """Return the rows without the keys, which differ from one run of a step to the next."""
    return {
        table: [{name: value for name, value in row.items() if name != "id"} for row in found]
        for table, found in rows.items()
    }
