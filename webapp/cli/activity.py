"""`flask activity`: read the activity log, check that it is whole, prune it."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click
import orjson
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from webapp.cli.activity_report import VerificationReport
from webapp.cli.database import command_session, command_settings
from webapp.services.operations import activity_chain, activity_lines, activity_verification
from webapp.services.operations.activity_lines import ActivityLine, Wanted
from webapp.services.operations.activity_verification import CheckedBlock, Fault, Link

BROKEN = 3
"""The exit code that tells a broken chain from a command that could not look."""

ANCHOR = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})")
MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z"])


def _as_utc(
    _context: click.Context, _parameter: click.Parameter, moment: datetime | None
) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and not moment.tzinfo else moment


@click.group(cls=AppGroup)
def activity() -> None:
    """Read and check the activity log."""


@activity.command("list")
@click.option("--actor-id", type=int, help="Only what this account did.")
@click.option("--action", help="Only this action, such as content.publish, or all of `content.`.")
@click.option("--subject-kind", help="Only what was done to such things: user, content, schedule …")
@click.option("--subject-id", type=int, help="Only what was done to this one of them.")
@click.option("--session-id", type=int, help="Only by this login session.")
@click.option("--api-key-id", type=int, help="Only by this API key.")
@click.option("--address", help="Only from this client's address.")
@click.option("--since", type=MOMENT, callback=_as_utc, help="Only from this moment on (UTC).")
@click.option("--until", type=MOMENT, callback=_as_utc, help="Only before this moment (UTC).")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_lines(limit: int, as_json: bool, **asked: Any) -> None:  # noqa: ANN401 - the options
    """List lines, newest first."""
    with command_session() as session:
        lines = activity_lines.list_lines(session, Wanted(**asked), before=None, limit=limit)
    for line in lines:
        click.echo(orjson.dumps(asdict(line)).decode() if as_json else _as_text(line))
    if not lines and not as_json:
        click.echo("No lines.")


@activity.command()
@click.option(
    "--since",
    "anchor",
    metavar="NUMBER:HASH",
    help="Begin behind this block, which has to have this hash still.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")  # fmt: skip
def verify(anchor: str | None, as_json: bool) -> None:
    """Follow the chain over all lines, and name the first one that is at fault.

    Ends with 0 where all is whole, with 3 where it is not, and with 1 where it cannot be looked at.
    Keep the last line's NUMBER:HASH elsewhere and give it to the next run: then nobody can have
    shortened or rewritten the chain in between.
    """
    report = VerificationReport()
    for found in _follow(anchor):
        report.add(found)
        if report.blocks % 100 == 0 and not as_json:
            click.echo(f"{report.blocks:,} blocks, {report.lines:,} lines …", err=True)
    if report.fault is None:
        with command_session() as session:
            report.waiting = activity_verification.look_at_waiting(session, report.link)
    click.echo(orjson.dumps(report.as_json()).decode() if as_json else report.as_text())
    if report.fault is not None:
        raise click.exceptions.Exit(BROKEN)


@activity.command()
@click.option(
    "--days",
    type=click.IntRange(1, 36_500),
    help="Delete what is older; IMPRINT_KEEP_ACTIVITY_DAYS if left out.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")  # fmt: skip
def prune(days: int | None, yes: bool) -> None:
    """Delete old lines now, block by block, as the hourly job does."""
    kept_days = days or command_settings().keep_activity_days
    if not kept_days:
        raise click.ClickException("IMPRINT_KEEP_ACTIVITY_DAYS keeps all for ever; give --days.")
    if not yes:
        click.confirm(f"Delete all sealed lines older than {kept_days} days?", abort=True)
    has_more = True
    while has_more:
        with command_session() as session:
            has_more = activity_chain.prune_blocks(session, kept_days)
    click.echo("Done. `flask activity verify` tells how many lines are left.")


def _follow(anchor: str | None) -> Iterator[CheckedBlock | Fault | Link]:
    """Yield what each block is found to be, each in a transaction of its own."""
    link = Link()
    if anchor is not None:
        found = ANCHOR.fullmatch(anchor)
        if found is None:
            raise click.UsageError("--since is the number of a block and its hash: 17:9f86d0…")
        with command_session() as session:
            start = activity_verification.find_link(session, int(found[1]), bytes.fromhex(found[2]))
        yield start
        if isinstance(start, Fault):
            return
        link = start
    while (checked := _check_next(link)) is not None:
        yield checked
        if isinstance(checked, Fault):
            return
        link = checked.link


def _check_next(link: Link) -> CheckedBlock | Fault | None:
    with command_session() as session:
        _see_one_moment(session)
        return activity_verification.check_next(session, link)


def _see_one_moment(session: Session) -> None:
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def _as_text(line: ActivityLine) -> str:
    who = line.actor_login or (f"user {line.actor_id}" if line.actor_id else "-")
    said = {**line.details, **line.changes}
    about = (
        line.subject_kind if line.subject_id is None else f"{line.subject_kind} {line.subject_id}"
    )
    moment = _as_moment(line.created_at)
    words = f"{line.id:>8}  {moment}  {who:<16}  {line.action:<24}  {about:<16}"
    return f"{words}  {line.address or '-'}  {orjson.dumps(said).decode() if said else ''}".rstrip()


def _as_moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
