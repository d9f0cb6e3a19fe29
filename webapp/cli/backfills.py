"""`flask db backfill`: start a long backfill, watch it, resume it."""

import time

import click
from flask.cli import with_appcontext

from webapp.cli.database import command_session
from webapp.services.operations import backfills
from webapp.services.operations.backfills import BACKFILLS, ON_ITS_WAY, Progress

POLL_SECONDS = 0.3
SILENT_AFTER_SECONDS = 10.0
NOBODY_WORKS = (
    "Nothing has moved for {seconds:.0f} s: is a dispatcher running, and a worker of the"
    " housekeeping queue? Is it paused (`flask jobs list`)?"
)
GOES_ON = "It goes on in the background; `flask db backfill {name}` shows it again."


@click.command()
@click.argument("name", required=False)
@click.option("--detach", is_flag=True, help="Only write the job, and do not watch it.")
@click.option("--status", is_flag=True, help="Only tell how far it is, or each one.")
@with_appcontext
def backfill(name: str | None, detach: bool, status: bool) -> None:
    """Fill what a migration added, in a job that can be stopped and resumed.

    Starts the backfill NAME, or goes on with it, and shows a progress bar until it is finished.
    Ctrl-C ends the bar and not the backfill.
    """
    if status:
        for known in [name] if name else sorted(BACKFILLS):
            click.echo(_as_line(_read(known)))
        return
    if name is None:
        raise click.UsageError(f"Name a backfill: {', '.join(sorted(BACKFILLS)) or 'none known'}.")
    with command_session() as session:
        progress = backfills.start(session, name)
    if not detach and not progress.is_finished:
        try:
            progress = _watch(name, progress.rows_total)
        except KeyboardInterrupt:
            click.echo("\n" + GOES_ON.format(name=name))
            return
    click.echo(_as_line(progress))
    if progress.job_state in {"failed", "discarded"} and not progress.is_finished:
        raise click.exceptions.Exit(1)


def _watch(name: str, rows_total: int) -> Progress:
    """Show the progress until the backfill is finished, or its job has given up."""
    moved_at, is_told = time.monotonic(), False
    with click.progressbar(length=max(1, rows_total), label=name) as bar:
        while True:
            progress = _read(name)
            # The number at the start was an estimate, and there may be more rows by now.
            bar.length = max(1, progress.rows_total)
            if progress.rows_done > bar.pos:
                moved_at, is_told = time.monotonic(), False
                bar.update(progress.rows_done - bar.pos)
            if progress.is_finished or progress.job_state not in ON_ITS_WAY:
                return progress
            silent_seconds = time.monotonic() - moved_at
            if silent_seconds > SILENT_AFTER_SECONDS and not is_told:
                click.echo("\n" + NOBODY_WORKS.format(seconds=silent_seconds), err=True)
                is_told = True
            time.sleep(POLL_SECONDS)


def _read(name: str) -> Progress:
    with command_session() as session:
        backfills.find_backfill(name)
        return backfills.read_progress(session, name)


def _as_line(progress: Progress) -> str:
    rows = f"{progress.rows_done:,} of about {progress.rows_total:,} rows"
    if progress.is_finished:
        return f"{progress.name}: finished, {progress.rows_done:,} rows."
    if progress.job_state is None and not progress.rows_done:
        return f"{progress.name}: not started."
    if progress.job_state in ON_ITS_WAY:
        return f"{progress.name}: under way, {rows}."
    reason = progress.last_error or "there is no job for it any more"
    return f"{progress.name}: stopped after {rows}: {reason}"
