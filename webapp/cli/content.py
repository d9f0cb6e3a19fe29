"""`flask content import`: articles from a folder of Markdown or a WordPress export."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from flask.cli import AppGroup
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from webapp.cli.database import command_session, command_sessions
from webapp.cli.import_sources import Reading, Source, open_source
from webapp.kit.imports.article import ImportedArticle, ImportProblem, NotAnArticle
from webapp.kit.roles import RoleName
from webapp.services.accounts.accounts import Account, find_by_login, first_admin
from webapp.services.accounts.actors import Actor
from webapp.services.errors import ServiceError
from webapp.services.interchange.content_import import ImportOptions, Result, import_article

ARTICLES_A_TRANSACTION = 25


@dataclass
class Summary:
    """What became of everything that was found."""

    results: Counter[Result] = field(default_factory=Counter)
    skipped: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def _collection(_: click.Context, __: click.Parameter, name: str | None) -> str | None:
    if name is not None and (not name.strip() or ":" in name or len(name) > 100):
        raise click.BadParameter("a name has 1 to 100 characters, and no colon.")
    return name


def _zone(_: click.Context, __: click.Parameter, name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"there is no time zone {name!r}; one of IANA's names is wanted (Europe/Paris)."
        raise click.BadParameter(message) from error


@click.group(cls=AppGroup)
def content() -> None:
    """Bring content in."""


@content.command("import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--author", help="Login of the account that all items shall belong to. Without it "
              "each keeps its own author, as an account that nobody can log in to.")  # fmt: skip
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
        importer = owner or _require(first_admin(session), None)
    actor = Actor(user_id=importer.id, login=importer.login, role=RoleName.ADMIN)
    try:
        source = open_source(path, Reading(zone, frozenset(public_keys)))
    except ImportProblem as problem:
        raise click.ClickException(str(problem)) from problem
    name = collection or source.former_collection
    options = ImportOptions(name, owner.id if owner else None, publish)
    summary = _run(source, actor, options, dry_run=dry_run)
    summary.left_out = source.left_out
    _print_summary(summary, dry_run=dry_run)
    if summary.problems:
        raise click.exceptions.Exit(1)


def _run(source: Source, actor: Actor, options: ImportOptions, *, dry_run: bool) -> Summary:
    summary = Summary()
    with click.progressbar(
        source.outcomes(), length=source.length, label="Importing", show_pos=True
    ) as outcomes:
        session = command_sessions()()
        try:
            for count, outcome in enumerate(outcomes, start=1):
                _take(session, actor, outcome, options, summary)
                if count % ARTICLES_A_TRANSACTION == 0 and not dry_run:
                    session.commit()
            if not dry_run:
                session.commit()
        finally:
            session.close()
    return summary


def _take(
    session: Session,
    actor: Actor,
    outcome: ImportedArticle | ImportProblem | NotAnArticle,
    options: ImportOptions,
    summary: Summary,
) -> None:
    """Import one article in a savepoint of its own, so that a bad one takes no other along."""
    if isinstance(outcome, ImportProblem):
        summary.problems.append(str(outcome))
        return
    if isinstance(outcome, NotAnArticle):
        summary.skipped.append(str(outcome))
        return
    try:
        with session.begin_nested():
            result = import_article(session, actor, outcome, options)
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
    else:
        summary.notices += [f"{outcome.source}: {notice}" for notice in _notices(outcome)]
        if result is Result.EDITED_HERE:
            summary.skipped.append(f"{outcome.source}: {result.value}")
        else:
            summary.results[result] += 1


def _notices(article: ImportedArticle) -> list[str]:
    notices = list(article.notices)
    if article.held_back is not None:
        notices.append(f"kept as a draft: {article.held_back}")
    if article.has_zoneless_times:
        notices.append("its time names no zone (see --timezone)")
    if article.status == "published" and article.published_at is None:
        notices.append("has no date and shows the moment at which it is published here")
    return notices


def _require(account: Account | None, login: str | None) -> Account:
    if account is not None:
        return account
    if login is not None:
        raise click.ClickException(f"There is no account with the login {login}.")
    raise click.ClickException("There is no admin yet; run `flask accounts create-admin` first.")


def _print_summary(summary: Summary, *, dry_run: bool) -> None:
    if dry_run:
        click.echo("Nothing was changed; this is what would happen.")
    for result in (Result.CREATED, Result.UPDATED, Result.UNCHANGED):
        click.echo(f"{result.value:<10} {summary.results[result]:>6}")
    _print_reasons("skipped", summary.skipped)
    _print_reasons("notices", summary.notices)
    for line in summary.left_out:
        click.echo(f"left out: {line}")
    click.echo(f"{'failed':<10} {len(summary.problems):>6}")
    for problem in summary.problems:
        click.echo(f"  {problem}", err=True)


def _print_reasons(heading: str, lines: list[str]) -> None:
    click.echo(f"{heading:<10} {len(lines):>6}")
    for reason, sources in _by_reason(lines).items():
        named = list(dict.fromkeys(sources))
        shown = ", ".join(named[:3]) + (", …" if len(named) > 3 else "")
        click.echo(f"  {len(sources)} × {reason}: {shown}")


def _by_reason(lines: list[str]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for line in lines:
        source, _, reason = line.partition(": ")
        grouped.setdefault(reason, []).append(source)
    return grouped
