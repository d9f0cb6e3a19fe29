"""`flask jobs pause` and `resume`: brakes on a queue, a kind of job, or the jobs of an event."""

import getpass
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click
import orjson
from flask.cli import with_appcontext

from webapp.cli.database import command_session, command_settings
from webapp.jobs.messages import MESSAGES, FireSchedules
from webapp.jobs.pauses import Pause, Scope, queues_of
from webapp.jobs.queues import Queue
from webapp.kit.moments import read_moment
from webapp.kit.visible_lines import check_line
from webapp.services.operations import brakes

LARGEST_ID = 2**63 - 1
LONGEST_REASON = 500
LONGEST_NAME = 100
NO_MAIL = (
    "Nobody gets a password mail meanwhile. Requests for one are kept, and their tokens are made"
    " when the mails go out."
)
LATE = (
    "Schedules stay pending meanwhile, and those that fall due fire late, when the pause ends."
    " Those with if_missed=skip that are then more than {seconds:.0f} s late are skipped."
)


class Line(click.ParamType[str]):
    """One line of visible text with a bound."""

    name = "text"

    def __init__(self, limit: int) -> None:
        """Keep the bound, in characters."""
        self._limit = limit

    def convert(
        self,
        value: Any,  # noqa: ANN401
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str:
        """Return the line, or end the command with what is wrong with it."""
        try:
            line = check_line(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if len(line) > self._limit:
            self.fail(f"has more than {self._limit} characters", param, ctx)
        return line


class Moment(click.ParamType[datetime]):
    """A moment as RFC 3339 writes it."""

    name = "moment"

    def convert(
        self,
        value: Any,  # noqa: ANN401
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> datetime:
        """Return the moment, or end the command with what is wrong with it."""
        try:
            return value if isinstance(value, datetime) else read_moment(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _takes_target(command: Callable[..., None]) -> Callable[..., None]:
    options = (
        click.option(
            "--queue", type=click.Choice([queue.value for queue in Queue]), help="A whole queue."
        ),
        click.option("--kind", type=click.Choice(sorted(MESSAGES)), help="A kind of job."),
        click.option(
            "--event", type=click.IntRange(1, LARGEST_ID), help="The telling and mails of an event."
        ),
        click.option("--by", type=Line(LONGEST_NAME), help="Who asks; else the system's user."),
        click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@with_appcontext
@_takes_target
@click.option("--reason", type=Line(LONGEST_REASON), required=True, help="Why; others read it.")
@click.option("--until", type=Moment(), help="When it ends by itself; without it, at `resume`.")
def pause(
    queue: str | None,
    kind: str | None,
    event: int | None,
    by: str | None,
    as_json: bool,
    reason: str,
    until: datetime | None,
) -> None:
    """Let no further job of a queue, a kind or an event start. What runs is finished.

    Paused again, the later reason and end stand.
    """
    scope, target = _target(queue, kind, event)
    with command_session() as session:
        setting = brakes.pause_jobs(
            session, scope, target, reason=reason, paused_by=by or _system_user(), ends_at=until
        )
    for warning in _warnings(setting.pause):
        click.echo(f"Mind: {warning}", err=True)
    outcome = "changed" if setting.is_changed else "set"
    if as_json:
        _echo_json(setting.pause, outcome)
    elif setting.is_changed:
        click.echo(f"It was paused already; now: {describe(setting.pause)}")
    else:
        click.echo(f"Paused: {describe(setting.pause)}")


@click.command()
@with_appcontext
@_takes_target
def resume(
    queue: str | None, kind: str | None, event: int | None, by: str | None, as_json: bool
) -> None:
    """End a pause. A dispatcher makes its jobs ready at once."""
    scope, target = _target(queue, kind, event)
    with command_session() as session:
        lifted = brakes.resume_jobs(session, scope, target, resumed_by=by or _system_user())
    if as_json:
        _echo_json(lifted, "lifted")
    else:
        click.echo(f"Resumed: {lifted.title}. It was paused by {lifted.paused_by}: {lifted.reason}")


def describe(pause: Pause) -> str:
    """Return what is paused, until when, by whom and why, in one line."""
    end = "until it is resumed" if pause.ends_at is None else f"until {as_text(pause.ends_at)}"
    return f"{pause.title}, {end}, by {pause.paused_by}: {pause.reason}"


def _target(queue: str | None, kind: str | None, event: int | None) -> tuple[Scope, str]:
    named = [
        (scope, str(target))
        for scope, target in ((Scope.QUEUE, queue), (Scope.KIND, kind), (Scope.EVENT, event))
        if target is not None
    ]
    if len(named) != 1:
        raise click.UsageError("Give one of --queue, --kind and --event.")
    return named[0]


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise click.UsageError("The system does not say who you are; give --by.") from error


def _warnings(pause: Pause) -> list[str]:
    """Say what a pause costs whom, where it is more than work that comes later."""
    warnings = []
    if Queue.ACCOUNTS.value in queues_of(pause):
        warnings.append(NO_MAIL)
    if pause.target in {FireSchedules.kind, FireSchedules.queue.value}:
        warnings.append(LATE.format(seconds=command_settings().missed_schedule_seconds))
    return warnings


def _echo_json(pause: Pause, outcome: str) -> None:
    told = {name: value for name, value in asdict(pause).items() if name != "id"}
    click.echo(orjson.dumps({"outcome": outcome, **told}).decode())


def as_text(moment: datetime) -> str:
    """Return a moment in UTC, to a second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
