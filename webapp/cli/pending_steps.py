"""The migrations that a database still lacks, each with its SQL and what its file says of it."""

import io
import json
import logging
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError

from alembic import command
from webapp.services.operations.migrations.preflight import PendingStep

_SQUAWK_SECONDS = 20


@dataclass(frozen=True)
class Chain:
    """The steps that have run, by their revisions, and those that have not, in their order."""

    applied: frozenset[str]
    pending: list[PendingStep]


def read_chain(configuration: Path, current: list[str]) -> Chain:
    """Compare what the database says of itself with the files of this release.

    Raises CommandError where the database is at a revision that this release does not know.
    """
    script = ScriptDirectory.from_config(Config(str(configuration)))
    missing = set(current) - {found.revision for found in script.walk_revisions()}
    if missing:
        raise CommandError(
            f"The database is at {', '.join(sorted(missing))}, which this release does not know:"
            " a newer release has migrated it."
        )
    applied = {
        found.revision
        for revision in current
        for found in script.iterate_revisions(revision, "base")
    }
    steps = [found for found in script.walk_revisions() if found.revision not in applied]
    return Chain(frozenset(applied), [_read_step(configuration, step) for step in reversed(steps)])


def find_squawk() -> str | None:
    """Return the linter squawk where it is installed, beside this Python or on the path."""
    return shutil.which("squawk", path=str(Path(sys.executable).parent)) or shutil.which("squawk")


def run_squawk(program: str, sql: str) -> list[str]:
    """Return what squawk finds in the SQL of a step, a sentence each."""
    try:
        finished = subprocess.run(  # noqa: S603 - it was found by its name, and gets no shell
            [program, "--reporter", "json", "--stdin-filepath", "step.sql"],
            input=sql,
            capture_output=True,
            text=True,
            timeout=_SQUAWK_SECONDS,
            check=False,
        )
        found = json.loads(finished.stdout or "[]")
    except subprocess.TimeoutExpired:
        return [f"no answer: it was not done after {_SQUAWK_SECONDS} s"]
    except json.JSONDecodeError:
        return [f"no answer: it ended with {finished.returncode} and without JSON"]
    return [f"{finding['rule_name']}: {finding['message']}" for finding in found]


def _read_step(configuration: Path, step: Script) -> PendingStep:
    sql, error = None, None
    try:
        sql = _write_sql(configuration, step)
    except Exception as failure:  # noqa: BLE001 - a step may do anything that needs a connection
        error = f"{type(failure).__name__}: {failure}"
    return PendingStep(
        revision=step.revision,
        message=step.doc,
        sql=sql,
        error=error,
        contract=getattr(step.module, "contract", None),
        contract_since=getattr(step.module, "contract_since", None),
        after_backfill=getattr(step.module, "after_backfill", None),
    )


def _write_sql(configuration: Path, step: Script) -> str:
    """Return what `alembic upgrade --sql` prints for one step."""
    output = io.StringIO()
    # With anything handed over, alembic/env.py leaves the logs alone; it connects to nothing here.
    config = Config(str(configuration), output_buffer=output, attributes={"connection": object()})
    below = step.down_revision or "base"
    below = below if isinstance(below, str) else below[0]
    with _quiet():
        command.upgrade(config, f"{below}:{step.revision}", sql=True)
    return output.getvalue()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Alembic from telling of upgrades that are only written down."""
    logger = logging.getLogger("alembic")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
