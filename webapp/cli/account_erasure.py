"""`flask accounts erase|erasures|replay-erasures|forget-guest`: who is erased, and stays so."""

from collections import Counter
from dataclasses import asdict
from typing import Any, BinaryIO

import click
import orjson
from flask.cli import with_appcontext

from webapp.cli.account_standing import ACCOUNT, JSON, YES, confirm
from webapp.cli.database import command_session, command_settings
from webapp.services.accounts import administration
from webapp.services.operations import erasure, erasure_replay, heirs
from webapp.services.operations.erasure_replay import ErasedAccount
from webapp.services.publishing import review_links


@click.command()
@ACCOUNT
@click.option("--heir", metavar="LOGIN", help="Who gets its items; else IMPRINT_CONTENT_HEIR does.")
@YES
@JSON
@with_appcontext
def erase(account: str, heir: str | None, yes: bool, as_json: bool) -> None:
    """Erase a person for good: the name at once, the rest by the workers."""
    confirm(account, "Erase for good", yes)
    settings = command_settings()
    with command_session() as session:
        found = administration.find(session, account)
        named = None if heir is None else heirs.find_heir(session, heir, found.id)
        heir_id = heirs.heir_or_default(session, named, found.id, settings.content_heir)
        began = erasure.begin(session, found.id, actor_id=None, heir_id=heir_id)
    if as_json:
        click.echo(_as_json({"id": found.id, "heir_id": heir_id, "began": began}))
    elif not began:
        click.echo(f"Account {found.id} was erased already.")
    else:
        items = "stay without a name" if heir_id is None else f"go to account {heir_id}"
        click.echo(f"Account {found.id} is erased; its items {items}. Workers do the rest.")


@click.command()
@with_appcontext
def erasures() -> None:
    """Print every erasure as a line of JSON, to be kept where no backup is restored."""
    with command_session() as session:
        for erased in erasure_replay.list_erased(session):
            click.echo(_as_json(asdict(erased)))


@click.command("replay-erasures")
@click.argument("file", type=click.File("rb"))
@JSON
@with_appcontext
def replay_erasures(file: BinaryIO, as_json: bool) -> None:
    """Erase again whom a restored backup brought back, by what `erasures` has printed."""
    # All of it is read first: a file that is cut off shall not be done by half in silence.
    kept = [_read(number, line) for number, line in enumerate(file, start=1) if line.strip()]
    counts: Counter[str] = Counter()
    for erased in kept:
        with command_session() as session:
            counts[erasure_replay.replay(session, erased).value] += 1
    if as_json:
        click.echo(_as_json({outcome.value: counts[outcome.value] for outcome in _OUTCOMES}))
    else:
        told = ", ".join(f"{counts[outcome.value]} {outcome.value}" for outcome in _OUTCOMES)
        click.echo(f"Of {len(kept)} erasures: {told}.")


_OUTCOMES = tuple(erasure_replay.Replayed)


def _read(number: int, line: bytes) -> ErasedAccount:
    try:
        return erasure_replay.read(line)
    except ValueError as error:
        raise click.ClickException(f"Line {number} is no erasure; nothing was done.") from error


def _as_json(values: dict[str, Any]) -> str:
    return orjson.dumps(values).decode()


@click.command("forget-guest")
@click.argument("link_id", type=click.IntRange(min=1))
@with_appcontext
def forget_guest(link_id: int) -> None:
    """Erase the name and address of a guest of a review; what they said stays."""
    with command_session() as session:
        forgotten = review_links.forget_guest(session, link_id)
    if not forgotten:
        raise click.ClickException(f"There is no link {link_id}, or its guest is forgotten.")
    click.echo(f"The guest of link {link_id} is forgotten.")


COMMANDS: tuple[click.Command, ...] = (erase, erasures, replay_erasures, forget_guest)
