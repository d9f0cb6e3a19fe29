"""`flask content verify`: is every version what was saved?"""

import click
import orjson
from flask.cli import with_appcontext

from webapp.cli.database import command_session
from webapp.services.content import version_checks
from webapp.services.content.version_checks import CheckedVersions

DAMAGED = 3
"""The exit code that tells damaged versions from a command that could not look."""
TOLD_EVERY = 10_000


@click.command()
@click.option("--after-id", type=click.IntRange(min=0), default=0, help="Begin behind this id.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@with_appcontext
def verify(after_id: int, as_json: bool) -> None:
    """Compare the text of every version, whole or packed, with its digest.

    Ends with 0 where all are what was saved, with 3 where one is not, and with 1 where they cannot
    be looked at. A damaged version that others are the deltas from makes them damaged as well.
    """
    checked = packed = 0
    damaged = []
    while (found := _check_next(after_id)) is not None:
        after_id = found.until_id
        if checked // TOLD_EVERY < (checked + found.checked) // TOLD_EVERY and not as_json:
            click.echo(f"{checked + found.checked:,} versions, up to id {after_id} …", err=True)
        checked, packed = checked + found.checked, packed + found.packed
        damaged += found.damaged
    if as_json:
        named = [{"content_id": bad.content_id, "number": bad.number} for bad in damaged]
        summary = {"checked": checked, "packed": packed, "damaged": named}
        click.echo(orjson.dumps(summary).decode())
    else:
        for bad in damaged:
            form = "packed" if bad.is_packed else "whole"
            click.echo(f"Version {bad.number} of item {bad.content_id} ({form}) is damaged.")
        verdict = f"{len(damaged):,} are damaged" if damaged else "all are what was saved"
        click.echo(f"{checked:,} versions, {packed:,} of them packed: {verdict}.")
    if damaged:
        raise click.exceptions.Exit(DAMAGED)


def _check_next(after_id: int) -> CheckedVersions | None:
    with command_session() as session:
        return version_checks.check_next(session, after_id)
