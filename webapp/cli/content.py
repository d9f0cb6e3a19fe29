"""`flask content import`: articles from a folder of Markdown or a WordPress export."""

from collections.abc import Sequence
from datetime import tzinfo
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from flask.cli import AppGroup
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from webapp.cli.database import command_session, command_sessions
from webapp.cli.import_sources import Reading, Source, open_source
from webapp.cli.import_summary import Summary
from webapp.cli.text_origins import list_text_origins
from webapp.cli.version_checks import verify
from webapp.cli.version_pruning import prune_versions
from webapp.kit.imports.article import (
    ImportedArticle,
    ImportProblem,
    NotAnArticle,
    ThrownAway,
)
from webapp.kit.imports.text import make_label
from webapp.kit.roles import RoleName
from webapp.services.accounts.accounts import find_by_login, first_admin
from webapp.services.accounts.actors import Account, Actor
from webapp.services.content.renderings import (
    RENDERED_AHEAD,
    RenderedTexts,
    RenderingNeededError,
)
from webapp.services.errors import ServiceError
from webapp.services.interchange.content_import import (
    ImportOptions,
    Result,
    import_article,
    take_back,
)
from webapp.services.interchange.sources import sources_of

ARTICLES_A_TRANSACTION = 25

Outcome = ImportedArticle | ImportProblem | NotAnArticle


def _collection(_: click.Context, __: click.Parameter, name: str | None) -> str | None:
    if name is not None and (not name.strip() or ":" in name or len(name) > 100):
        raise click.BadParameter("a name has 1 to 100 characters, and no colon.")
    return name


def _names(
    _: click.Context, __: click.Parameter, written: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    pairs = [tuple(part.strip() for part in text.rpartition("=")[::2]) for text in written]
    if not all(name and login for name, login in pairs):
        raise click.BadParameter("it is written as NAME=LOGIN.")
    return tuple((make_label(name), login) for name, login in pairs)


def _zone(_: click.Context, __: click.Parameter, name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"there is no time zone {name!r}; one of IANA's names is wanted (Europe/Paris)."
        raise click.BadParameter(message) from error


@click.group(cls=AppGroup)
def content() -> None:
    """Bring content in, check and prune versions, say who wrote what."""


content.add_command(verify)
content.add_command(prune_versions)
content.add_command(list_text_origins)


@content.command("import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--author", help="Login of the account that all items shall belong to. Without it "
              "each keeps its own author, as an account that nobody can log in to.")  # fmt: skip
@click.option("--map", "named", callback=_names, multiple=True, metavar="NAME=LOGIN", help="The "
              "account of an author who has one here already. May be given again.")  # fmt: skip
@click.option("--collection", callback=_collection, metavar="NAME", help="What the articles are "
              "known by at the next import. Without it, a folder by its whole path and an export "
              "by the address of its site.")  # fmt: skip
@click.option("--timezone", "zone", callback=_zone, default="UTC", show_default=True,
              metavar="NAME", help="The zone of times that name none, such as Asia/Shanghai. Of a "
              "time that the clocks skip, or show twice, the later reading counts.")  # fmt: skip
@click.option("--public-key", "public_keys", multiple=True, metavar="KEY", help="A key of front "
              "matter, without a field of its own, that shall be in the public metadata; all "
              "others are for authors and editors alone. May be given again.")  # fmt: skip
@click.option("--publish", is_flag=True, help="Make public what was public there, at its own date. "
              "Without it such items come in as drafts.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show what would happen and change nothing.")
def import_content(
    path: Path,
    *,
    author: str | None,
    named: tuple[tuple[str, str], ...],
    collection: str | None,
    zone: tzinfo,
    public_keys: tuple[str, ...],
    publish: bool,
    dry_run: bool,
) -> None:
    """Import PATH: a folder of Markdown files with front matter, or a WordPress export (WXR).

    Drafts stay drafts and future posts become schedules. Running it again changes nothing, unless
    something changed there. Followers are not told. docs/imports.md says what is read and how.
    """
    with command_session() as session:
        owner = _require(find_by_login(session, author), author) if author else None
        accounts = {
            name: _require(find_by_login(session, login), login).id for name, login in named
        }
        importer = owner or _require(first_admin(session), None)
    actor = Actor(user_id=importer.id, login=importer.login, role=RoleName.ADMIN)
    try:
        source = open_source(path, Reading(zone, frozenset(public_keys)))
    except ImportProblem as problem:
        raise click.ClickException(str(problem)) from problem
    options = ImportOptions(
        collection=collection or source.collection,
        author_id=owner.id if owner else None,
        publish=publish,
        former_collection=None if collection else source.former_collection,
        accounts=accounts,
    )
    summary = _run(source, actor, options, dry_run=dry_run)
    summary.left_out = source.left_out
    summary.print(dry_run=dry_run)
    if summary.problems:
        raise click.exceptions.Exit(1)


def _run(source: Source, actor: Actor, options: ImportOptions, *, dry_run: bool) -> Summary:
    summary = Summary()
    with click.progressbar(
        source.outcomes(), length=source.length, label="Importing", show_pos=True
    ) as outcomes:
        found = iter(outcomes)
        while batch := list(islice(found, ARTICLES_A_TRANSACTION)):
            summary.add_all(_take_all(batch, actor, options, dry_run=dry_run))
    with command_sessions()() as session:
        known = sources_of(session, options.collection)
        summary.gone = [source for source in known if source not in summary.seen]
    return summary


def _take_all(
    batch: Sequence[Outcome], actor: Actor, options: ImportOptions, *, dry_run: bool
) -> Summary:
    """Import a batch in one transaction, in which no text is rendered.

    Where texts have to be, it is rolled back, they are rendered while no transaction is open, and
    it begins anew: a long text keeps no lock.
    """
    texts = RenderedTexts()
    while True:
        summary = Summary()
        with command_sessions()(info={RENDERED_AHEAD: texts}) as session:
            for outcome in batch:
                _take(session, actor, outcome, options, summary)
            is_whole = not texts.are_needed
            if is_whole and not dry_run:
                session.commit()
        if is_whole:
            return summary
        texts.render_needed()


def _take(
    session: Session,
    actor: Actor,
    outcome: Outcome,
    options: ImportOptions,
    summary: Summary,
) -> None:
    """Import one article in a savepoint of its own, so that a bad one takes no other along."""
    summary.seen.add(outcome.source)
    if isinstance(outcome, ImportProblem):
        summary.problems.append(str(outcome))
        return
    if isinstance(outcome, NotAnArticle) and not isinstance(outcome, ThrownAway):
        summary.skipped.append((outcome.source, outcome.reason))
        return
    try:
        _save(session, actor, outcome, options, summary)
    except RenderingNeededError:
        return  # The batch begins anew, with this text rendered.
    except ServiceError as error:
        summary.problems.append(f"{outcome.source}: {error}")
    except (DataError, IntegrityError) as error:
        reason = str(error.orig).splitlines()[0]
        summary.problems.append(f"{outcome.source}: the database refused it: {reason}")
    except OperationalError as error:
        # Only a deadlock or a wait that was too long ends with the savepoint.
        if error.connection_invalidated:
            raise
        reason = str(error.orig).splitlines()[0]
        summary.problems.append(f"{outcome.source}: the database was busy: {reason}")


def _save(
    session: Session,
    actor: Actor,
    outcome: ImportedArticle | ThrownAway,
    options: ImportOptions,
    summary: Summary,
) -> None:
    if isinstance(outcome, ThrownAway):
        with session.begin_nested():
            imported = take_back(session, actor, outcome.source, options)
        if imported is None or imported.result is Result.UNCHANGED:
            summary.skipped.append((outcome.source, outcome.reason))
        else:
            summary.add_item(outcome.source, imported)
        return
    try:
        with session.begin_nested():
            imported = import_article(session, actor, outcome, options)
    except IntegrityError:
        # Another import has brought the same article in the meantime: now it is found.
        with session.begin_nested():
            imported = import_article(session, actor, outcome, options)
    summary.add(outcome, imported)


def _require(account: Account | None, login: str | None) -> Account:
    if account is not None:
        return account
    if login is not None:
        raise click.ClickException(f"There is no account with the login {login}.")
    raise click.ClickException("There is no admin yet; run `flask accounts create-admin` first.")
