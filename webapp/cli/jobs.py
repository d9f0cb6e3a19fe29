"""`flask jobs`: look at jobs, pause them, start failed ones again, set hopeless ones aside."""

from dataclasses import asdict

import click
import orjson
from flask.cli import AppGroup

from webapp.cli.database import command_session
from webapp.cli.job_pauses import describe, pause, resume
from webapp.cli.job_stories import show
from webapp.jobs import administration, pauses
from webapp.jobs.administration import JobLine
from webapp.jobs.messages import MESSAGES
from webapp.jobs.queues import Queue
from webapp.jobs.waiting import find_waiting

STATES = ("ready", "held", "running", "done", "failed", "discarded")
NOBODY_SERVES = "Nobody has served {kind} for a minute; its oldest job waits for {seconds:.0f} s."


@click.group(cls=AppGroup)
def jobs() -> None:
    """Look at jobs, pause, retry and discard them."""


jobs.add_command(pause)
jobs.add_command(resume)
jobs.add_command(show)


@jobs.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only jobs in this state.")
@click.option("--queue", type=click.Choice([queue.value for queue in Queue]), help="Only this one.")
@click.option("--kind", type=click.Choice(sorted(MESSAGES)), help="Only this kind.")
@click.option("--before", type=int, help="Only jobs with a smaller id: the next page.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_jobs(
    state: str | None,
    queue: str | None,
    kind: str | None,
    before: int | None,
    limit: int,
    as_json: bool,
) -> None:
    """List jobs, newest first. What is paused or unserved is said before, on standard error."""
    with command_session() as session:
        paused = pauses.read_pauses(session)
        unserved = [line for line in find_waiting(session) if line.is_unserved]
        lines = administration.list_jobs(
            session, state=state, queue=queue, kind=kind, before_id=before, limit=limit
        )
    for found in paused:
        click.echo(f"Paused: {describe(found)}", err=True)
    for idle in unserved:
        click.echo(NOBODY_SERVES.format(kind=idle.kind, seconds=idle.seconds), err=True)
    for line in lines:
        click.echo(orjson.dumps(asdict(line)).decode() if as_json else _as_text(line))
    if not lines and not as_json:
        click.echo("No jobs.")
    elif len(lines) == limit and not as_json:
        click.echo(f"More with --before {lines[-1].id}.")


@jobs.command()
@click.argument("job_ids", nargs=-1, type=int)
@click.option("--all-failed", is_flag=True, help="All failed jobs, oldest first, at most 1000.")
def retry(job_ids: tuple[int, ...], all_failed: bool) -> None:
    """Start failed or discarded jobs again, with fresh starts."""
    if bool(job_ids) == all_failed:
        raise click.UsageError("Give the ids of jobs, or --all-failed.")
    with command_session() as session:
        chosen = administration.failed_job_ids(session) if all_failed else list(job_ids)
        retried = administration.retry_jobs(session, chosen)
    _report(retried, len(chosen), "retried")


@jobs.command()
@click.argument("job_ids", nargs=-1, type=int, required=True)
def discard(job_ids: tuple[int, ...]) -> None:
    """Set jobs that wait or failed aside for good; `retry` brings them back."""
    with command_session() as session:
        discarded = administration.discard_jobs(session, list(job_ids))
    _report(discarded, len(job_ids), "discarded")


def _as_text(line: JobLine) -> str:
    starts = f"{line.starts}/{line.max_starts}"
    moment = line.run_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    text = (
        f"{line.id:>8}  {line.state:<9}  {line.queue:<13}  {line.kind:<24}  {starts:>5}  {moment}"
    )
    notes = [f"paused: {line.held_by}" if line.held_by else None, line.last_error]
    return "  ".join([text, *(note for note in notes if note)])


def _report(done: int, asked: int, verb: str) -> None:
    click.echo(f"{done} of {asked} jobs {verb}.")
    if done < asked:
        click.echo("The others are in another state, or do not exist; see `flask jobs list`.")
    if asked and not done:
        raise click.exceptions.Exit(1)
