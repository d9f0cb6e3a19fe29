"""`flask jobs show`: all that is known of one job."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime

import click
import orjson
from flask.cli import with_appcontext

from webapp.cli.database import command_session, command_settings
from webapp.cli.job_pauses import LARGEST_ID, as_text, describe
from webapp.jobs.attempts import KEPT_FOR_EACH_JOB
from webapp.services.operations import job_stories
from webapp.services.operations.job_stories import Attempt, JobStory


@click.command()
@click.argument("job_id", type=click.IntRange(1, LARGEST_ID))
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
@with_appcontext
def show(job_id: int, as_json: bool) -> None:
    """Tell the story of one job: its cause, its starts, what holds it and what comes next."""
    redispatch_seconds = command_settings().redispatch_seconds
    with command_session() as session:
        story = job_stories.tell(session, job_id, redispatch_seconds=redispatch_seconds)
    if as_json:
        click.echo(orjson.dumps(asdict(story)).decode())
        return
    click.echo(f"Job {story.id}: {story.kind}, queue {story.queue}, {story.state}")
    for name, words in _lines(story):
        click.echo(f"  {name:<8}  {words}")


def _lines(story: JobStory) -> Iterator[tuple[str, str]]:
    cause = f", by request {story.request_id}" if story.request_id else ""
    yield "written", as_text(story.created_at) + cause
    yield "payload", orjson.dumps(story.payload).decode()
    yield "starts", f"{story.starts} of {story.max_starts} counted, {story.attempts} in all"
    if story.unsuccessful:
        yield "", f"the newest {KEPT_FOR_EACH_JOB} that did not end well are kept:"
    for attempt in story.unsuccessful:
        yield f"#{attempt.number}", _as_line(attempt)
    if story.attempts:
        yield "last", _start(story.started_at, story.worker, story.release)
    if story.dispatched_at is not None:
        yield "hints", f"{story.dispatches} sent, the last at {as_text(story.dispatched_at)}"
    for pause in story.held_by:
        yield "held by", describe(pause)
    if story.last_error and not story.unsuccessful:
        yield "reason", story.last_error
    if story.finished_at is not None:
        yield "ended", as_text(story.finished_at)
    moment = "" if story.next_at is None else f" {as_text(story.next_at)}"
    yield "next", story.next_step + moment


def _start(started_at: datetime | None, worker: str | None, release: str | None) -> str:
    moment = "at an unknown time" if started_at is None else as_text(started_at)
    return f"started {moment} by {worker or 'unknown'}, release {release or 'unknown'}"


def _as_line(attempt: Attempt) -> str:
    start = _start(attempt.started_at, attempt.worker, attempt.release)
    ended = attempt.ended_as.replace("_", " ")
    return f"{start}; {ended} {as_text(attempt.ended_at)}: {attempt.reason or 'no reason'}"
