"""Versions: one for each acknowledged save, never changed, always to be had again."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session, aliased

from webapp.models import Content, ContentVersion
from webapp.services.content.version_texts import SavedVersion, read_by_number
from webapp.services.errors import NotFoundError, PrunedVersionError


@dataclass(frozen=True)
class VersionLine:
    """One version in a list: all but its text.

    `pruned_before` is how many versions are gone between it and the one before it.
    """

    number: int
    title: str
    reason: str
    origin: str | None
    tool: str | None
    author_id: int | None
    created_at: datetime
    words: int | None
    words_added: int | None
    words_removed: int | None
    pruned_before: int


def list_versions(
    session: Session, content_id: int, *, below: int | None, limit: int
) -> list[VersionLine]:
    """Return the versions of an item, newest first, from below a number."""
    statement = (
        select(
            ContentVersion.number, ContentVersion.title, ContentVersion.reason,
            ContentVersion.origin, ContentVersion.tool, ContentVersion.author_id,
            ContentVersion.created_at, ContentVersion.words,
            ContentVersion.words_added, ContentVersion.words_removed,
            (ContentVersion.number - 1 - _number_before()).label("pruned_before"),
        )
        .where(ContentVersion.content_id == content_id)
        .order_by(ContentVersion.number.desc())
        .limit(limit)
    )  # fmt: skip
    if below is not None:
        statement = statement.where(ContentVersion.number < below)
    return [VersionLine(**row._asdict()) for row in session.execute(statement)]


def get_version(session: Session, content_id: int, number: int) -> SavedVersion:
    """Return one version whole.

    Raises NotFoundError, PrunedVersionError for one that there was, and DamagedVersionError.
    """
    version = read_by_number(session, content_id, number)
    if version is None:
        newest = session.scalar(select(Content.version).where(Content.id == content_id))
        if newest is not None and 0 < number <= newest:
            raise PrunedVersionError(number)
        raise NotFoundError("There is no such version.")
    return version


def number_before(session: Session, content_id: int, number: int) -> int:
    """Return the number of the version before one, 0 where there is none; some may be pruned."""
    numbers = select(func.max(ContentVersion.number)).where(
        ContentVersion.content_id == content_id, ContentVersion.number < number
    )
    return session.scalar(numbers) or 0


def _number_before() -> ScalarSelect[int]:
    before = aliased(ContentVersion)
    numbers = select(func.coalesce(func.max(before.number), 0)).where(
        before.content_id == ContentVersion.content_id, before.number < ContentVersion.number
    )
    return numbers.scalar_subquery()
