"""`flask schedules`: look at what is planned, why it stands where it does, and try it again."""

from collections.abc import Iterator
from dataclasses import asdict

import click
import orjson
from flask.cli import AppGroup

from webapp.cli.database import command_session
from webapp.cli.job_pauses import LARGEST_ID, as_text
from webapp.services.operations import schedule_stories
from webapp.services.operations.schedule_stories import Happening, ScheduleLine, ScheduleStory
from webapp.services.publishing import retries

STATES = ("pending", "handed", "waiting", "fired", "missed", "failed", "cancelled")
OPEN = ("pending", "handed", "waiting")


@click.group(cls=AppGroup)
def schedules() -> None:
    """Look at schedules, and try failed ones again."""


@schedules.command("list")
@click.option(
    "--state", "states", multiple=True, type=click.Choice(STATES),
    help="Only in this state; may be given again. [default: those that are open]",
)  # fmt: skip
@click.option("--item", type=click.IntRange(1, LARGEST_ID), help="Only of this item.")
@click.option("--after", type=click.IntRange(1, LARGEST_ID), help="Those behind this one.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_schedules(
    states: tuple[str, ...], item: int | None, after: int | None, limit: int, as_json: bool
) -> None:
    """List schedules in the order of their moments."""
    with command_session() as session:
        lines = schedule_stories.list_schedules(
            session, states=states or OPEN, content_id=item, after_id=after, limit=limit
        )
    for line in lines:
        click.echo(orjson.dumps(asdict(line)).decode() if as_json else _as_text(line))
    if not lines and not as_json:
        click.echo("No schedules.")
    elif len(lines) == limit and not as_json:
        click.echo(f"More with --after {lines[-1].id}.")


@schedules.command()
@click.argument("schedule_id", type=click.IntRange(1, LARGEST_ID))
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
def why(schedule_id: int, as_json: bool) -> None:
    """Tell why a schedule stands where it does, and what comes next."""
    with command_session() as session:
        story = schedule_stories.tell(session, schedule_id)
    if as_json:
        click.echo(orjson.dumps(asdict(story)).decode())
        return
    click.echo(_as_text(story.line))
    for name, words in _lines(story):
        click.echo(f"  {name:<9}  {words}")


@schedules.command()
@click.argument("schedule_ids", nargs=-1, type=click.IntRange(1, LARGEST_ID), required=True)
def retry(schedule_ids: tuple[int, ...]) -> None:
    """Let schedules that failed be due at once, each with the version that it pinned.

    One whose item has gone public since is left as it is, and said to be so.
    """
    retried = 0
    for schedule_id in schedule_ids:
        try:
            with command_session() as session:
                retries.retry_as_operator(session, schedule_id)
        except click.ClickException as error:
            click.echo(f"{schedule_id}: {error.message}", err=True)
        else:
            retried += 1
    click.echo(f"{retried} of {len(schedule_ids)} schedules are tried again.")
    if retried < len(schedule_ids):
        raise click.exceptions.Exit(1)


def _as_text(line: ScheduleLine) -> str:
    what = line.action if line.version is None else f"{line.action} version {line.version}"
    text = f"{line.id:>8}  {line.state:<9}  {as_text(line.due_at)}  item {line.content_id}: {what}"
    return f"{text}  {line.failure}" if line.failure else text


def _lines(story: ScheduleStory) -> Iterator[tuple[str, str]]:
    yield "planned", f"{as_text(story.created_at)} by {story.planned_by}"
    yield "if missed", story.if_missed
    if story.rehearsed_at is not None:
        found = f"{len(story.rehearsal)} found" if story.rehearsal else "nothing found"
        yield "rehearsed", f"{as_text(story.rehearsed_at)}, {found}"
    for finding in story.rehearsal:
        yield "", f"{finding['level']}: {finding['rule']}"
    for happening in story.happenings:
        yield "then", _happening(happening)
    if story.fired_at is not None:
        yield "fired", as_text(story.fired_at)
    if story.line.failure:
        yield "reason", story.line.failure
    yield "next", story.next_step


def _happening(happening: Happening) -> str:
    by = f" by {happening.by}" if happening.by else ""
    reason = happening.details.get("reason")
    return f"{as_text(happening.at)}  {happening.action}{by}" + (f": {reason}" if reason else "")
