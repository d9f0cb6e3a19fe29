"""`flask db preflight`: what the pending migrations will do, before a deployment does it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import orjson
import structlog
from alembic.util import CommandError
from flask.cli import with_appcontext
from sqlalchemy import text
from sqlalchemy.orm import Session

from webapp.adapters.dumps import Dump, find_newest_dump
from webapp.cli.database import command_session, command_settings
from webapp.cli.pending_steps import Chain, find_squawk, read_chain, run_squawk
from webapp.cli.preflight_report import BACKUP, BackupLine, as_json, as_text
from webapp.models import Base
from webapp.services import activity
from webapp.services.operations import suitability
from webapp.services.operations.migrations import schema_facts
from webapp.services.operations.migrations.preflight import JudgedStep, Present, judge

CONFIGURATION = Path(__file__).resolve().parents[2] / "alembic.ini"

log = structlog.get_logger()


@dataclass(frozen=True)
class Question:
    """What the command line asks."""

    backup: Path | None
    backup_max_age: float
    longest_hold: float
    allowed: tuple[str, ...]
    reason: str


@click.command()
@click.option("--backup", type=click.Path(path_type=Path), metavar="PATH",
              help="A dump, or a folder of dumps. Default: IMPRINT_BACKUP_DIR.")  # fmt: skip
@click.option("--backup-max-age", type=float, default=24, show_default=True, metavar="HOURS",
              help="How old the newest dump may be.")  # fmt: skip
@click.option("--longest-hold", type=float, default=1.0, show_default=True, metavar="SECONDS",
              help="For how long others may wait for a table, estimated.")  # fmt: skip
@click.option("--allow", "allowed", multiple=True, metavar="REVISION",
              help="Allow a step that is refused, or `backup`: a missing one.")  # fmt: skip
@click.option("--reason", default="", help="Why it is allowed; it is logged.")
@click.option("--json", "is_json", is_flag=True, help="One JSON object, for machines.")
@with_appcontext
def preflight(
    backup: Path | None,
    backup_max_age: float,
    longest_hold: float,
    allowed: tuple[str, ...],
    reason: str,
    is_json: bool,
) -> None:
    """Show the pending migrations with their SQL, locks and costs, and refuse the unsafe.

    Ends with 0 when all may run, with 1 when one is refused. Nothing is migrated.
    """
    if allowed and not reason.strip():
        raise click.UsageError("--allow wants a --reason, which is logged.")
    configured = command_settings().backup_dir
    place = Path(configured) if configured and backup is None else backup
    question = Question(place, backup_max_age, longest_hold, allowed, reason.strip())
    with command_session() as session:
        _refuse_unsuitable(session)
        chain = _read_chain(session)
        line = _judge_backup(question)
        steps = judge(chain.pending, _present(session, chain, line, question))
        refused = _note_allowed(session, question, steps, line, has_data=bool(chain.applied))
    findings = _squawk(chain)
    if is_json:
        answer = as_json(steps, line, findings, refused)
        click.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
    else:
        click.echo(as_text(steps, line, findings, refused, allowed))
    if refused:
        raise click.exceptions.Exit(1)


def _refuse_unsuitable(session: Session) -> None:
    found = suitability.judge(suitability.read_facts(session), is_migrating=True)
    for warning in found.warnings:
        click.echo(warning, err=True)
    if found.faults:
        raise click.ClickException("\n".join(found.faults))


def _read_chain(session: Session) -> Chain:
    has_versions = session.scalar(text("SELECT to_regclass('alembic_version') IS NOT NULL"))
    current = []
    if has_versions:
        current = list(session.scalars(text("SELECT version_num FROM alembic_version")))
    try:
        return read_chain(CONFIGURATION, current)
    except CommandError as error:
        raise click.ClickException(str(error)) from error


def _present(session: Session, chain: Chain, line: BackupLine, question: Question) -> Present:
    finished: list[str] = []
    if session.scalar(text("SELECT to_regclass('backfills') IS NOT NULL")):
        done = text("SELECT name FROM backfills WHERE finished_at IS NOT NULL")
        finished = list(session.scalars(done))
    return Present(
        schema=schema_facts.read_schema(session),
        sizes=schema_facts.read_sizes(session),
        applied=chain.applied,
        mapped={name: set(table.columns.keys()) for name, table in Base.metadata.tables.items()},
        finished=finished,
        has_backup=line.is_recent,
        longest_hold_seconds=question.longest_hold,
    )


def _judge_backup(question: Question) -> BackupLine:
    if question.backup is None:
        return BackupLine(None, None, "unknown: neither --backup nor IMPRINT_BACKUP_DIR is set")
    try:
        newest: Dump | None = find_newest_dump(question.backup)
    except OSError as error:
        return BackupLine(False, None, f"{question.backup} cannot be read: {error.strerror}")
    if newest is None:
        return BackupLine(False, None, f"there is no dump in {question.backup}")
    age = f"{newest.path}, {newest.age_hours:.1f} hours old"
    if newest.age_hours > question.backup_max_age:
        return BackupLine(False, newest.age_hours, f"{age}: older than {question.backup_max_age:g}")
    return BackupLine(True, newest.age_hours, age)


def _note_allowed(
    session: Session, question: Question, steps: list[JudgedStep], line: BackupLine, has_data: bool
) -> list[str]:
    """Return what stays refused, and log what would be and is allowed."""
    reasons = {step.revision: step.refusals for step in steps if step.refusals}
    if steps and has_data and line.is_recent is False:
        reasons[BACKUP] = [f"There is no recent backup: {line.words}."]
    for name in question.allowed:
        if name not in reasons:
            raise click.UsageError(f"--allow {name}: nothing of that name is refused.")
        facts: dict[str, Any] = {
            "revision": name,
            "reason": question.reason,
            "refusals": reasons[name],
        }
        log.warning("migration.allowed", **facts)
        if session.scalar(text("SELECT to_regclass('activity_logs') IS NOT NULL")):
            activity.record(session, None, "migration.allow", "migration", None, **facts)
    return [name for name in reasons if name not in question.allowed]


def _squawk(chain: Chain) -> dict[str, list[str]]:
    program = find_squawk()
    if program is None:
        return {}
    return {step.revision: run_squawk(program, step.sql) for step in chain.pending if step.sql}
