"""`flask content origins`: what is public, who wrote it, and who has reviewed it."""

import csv
import sys
from dataclasses import asdict, fields

import click
from flask.cli import with_appcontext

from webapp.cli.database import command_session
from webapp.kit.text_origins import TextOrigin
from webapp.services.publishing.public_origins import OriginLine, list_origins

ITEMS_AT_ONCE = 1_000


@click.command("origins")
@click.option(
    "--origin",
    type=click.Choice([one.value for one in TextOrigin]),
    help="Items of this origin alone.",
)
@click.option("--unreviewed", is_flag=True, help="Items alone that nobody has approved of.")
@with_appcontext
def list_text_origins(origin: str | None, unreviewed: bool) -> None:
    """Print what is public as CSV: who wrote it, and who approved of that very version, and when.

    An item has a line for each approval, and one without a reviewer where there is none. Without an
    origin is what nobody has said who wrote it.
    """
    columns = [column.name for column in fields(OriginLine)]
    writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
    writer.writeheader()
    wanted = None if origin is None else TextOrigin(origin)
    after: int | None = 0
    while after is not None:
        lines = _lines_behind(after, wanted)
        writer.writerows(
            asdict(line) for line in lines if not (unreviewed and line.reviewed_at is not None)
        )
        after = lines[-1].content_id if lines else None


def _lines_behind(after: int, origin: TextOrigin | None) -> list[OriginLine]:
    with command_session() as session:
        return list_origins(session, after=after, limit=ITEMS_AT_ONCE, origin=origin)
