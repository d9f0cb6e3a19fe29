"""Versions: one for each acknowledged save, never changed, always to be had again."""

import difflib
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp.jobs.messages import SealVersion
from webapp.jobs.outbox import enqueue
from webapp.models import Content, ContentVersion
from webapp.services.errors import NotFoundError

# A comparison in order can take time in the cube of the lengths, when words repeat: below this
# product of the two lengths that is half a second at worst.
LARGEST_COMPARISON = 250_000


@dataclass(frozen=True)
class VersionLine:
    """One version in a list: all but its text."""

    number: int
    title: str
    reason: str
    author_id: int | None
    created_at: datetime
    words: int | None
    words_added: int | None
    words_removed: int | None


def record_version(
    session: Session, content: Content, tags: Sequence[str], author_id: int | None, reason: str
) -> int:
    """Copy the item's text into a new version, in the transaction of the save; returns its id.

    `tags` are slugs. The item's `version` must already be the new number: the unique key of
    (content_id, number) refuses a second save of the same number.
    """
    version_id = session.scalars(
        insert(ContentVersion)
        .values(
            content_id=content.id,
            number=content.version,
            author_id=author_id,
            category_id=content.category_id,
            title=content.title,
            slug=content.slug,
            body=content.body,
            body_format=content.body_format,
            excerpt=content.excerpt,
            tags=list(tags),
            details=content.details,
            reason=reason,
            digest=digest_of(content, tags),
        )
        .returning(ContentVersion.id)
    ).one()
    enqueue(session, SealVersion(version_id=version_id))
    return version_id


def digest_of(text: Content | ContentVersion, tags: Sequence[str]) -> bytes:
    """Return the SHA-256 of everything that a save keeps, but for the category.

    A category may be deleted, and a version of an item that stood in it is still intact.
    """
    return hashlib.sha256(_complete(text, tags)).digest()


def size_of(text: Content | ContentVersion, tags: Sequence[str]) -> int:
    """Return how many bytes a save keeps."""
    return len(_complete(text, tags))


def _complete(text: Content | ContentVersion, tags: Sequence[str]) -> bytes:
    fields = [text.title, text.slug, text.body, text.body_format, text.excerpt]
    return orjson.dumps([fields, list(tags), text.details], option=orjson.OPT_SORT_KEYS)


def list_versions(
    session: Session, content_id: int, *, below: int | None, limit: int
) -> list[VersionLine]:
    """Return the versions of an item, newest first, from below a number."""
    statement = (
        select(
            ContentVersion.number, ContentVersion.title, ContentVersion.reason,
            ContentVersion.author_id, ContentVersion.created_at, ContentVersion.words,
            ContentVersion.words_added, ContentVersion.words_removed,
        )
        .where(ContentVersion.content_id == content_id)
        .order_by(ContentVersion.number.desc())
        .limit(limit)
    )  # fmt: skip
    if below is not None:
        statement = statement.where(ContentVersion.number < below)
    return [VersionLine(**row._asdict()) for row in session.execute(statement)]


def get_version(session: Session, content_id: int, number: int) -> ContentVersion:
    """Return one version whole. Raises NotFoundError."""
    version = session.scalar(
        select(ContentVersion).where(
            ContentVersion.content_id == content_id, ContentVersion.number == number
        )
    )
    if version is None:
        raise NotFoundError("There is no such version.")
    return version


def seal_version(session: Session, version_id: int) -> bool:
    """Check a version against its digest and add its statistics.

    Returns False when the text is not what was saved; it is then left unsealed, for a person to
    look at. A version that is gone or sealed already counts as sealed.
    """
    version = session.get(ContentVersion, version_id)
    if version is None or version.sealed_at is not None:
        return True
    if digest_of(version, version.tags) != version.digest:
        return False
    previous = session.scalar(
        select(ContentVersion.body).where(
            ContentVersion.content_id == version.content_id,
            ContentVersion.number == version.number - 1,
        )
    )
    added, removed = word_changes(previous or "", version.body)
    session.execute(
        update(ContentVersion)
        .where(ContentVersion.id == version_id, ContentVersion.sealed_at.is_(None))
        .values(
            sealed_at=func.clock_timestamp(),
            words=len(version.body.split()),
            words_added=added,
            words_removed=removed,
        )
    )
    return True


def word_changes(before: str, after: str) -> tuple[int, int]:
    """Return how many words were added and how many removed between two texts.

    What the texts begin and end with alike is left out. Where little remains, the words are
    compared in order; where much does, only how often each word occurs is, so that a word that
    moved then counts as neither added nor removed. The time is linear in the length of the texts.
    """
    old, new = _without_equal_ends(before.split(), after.split())
    if len(old) * len(new) > LARGEST_COMPARISON:
        had, has = Counter(old), Counter(new)
        return (has - had).total(), (had - has).total()
    added = removed = 0
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for operation, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if operation != "equal":
            removed += old_end - old_start
            added += new_end - new_start
    return added, removed


def _without_equal_ends(old: list[str], new: list[str]) -> tuple[list[str], list[str]]:
    shorter = min(len(old), len(new))
    start = 0
    while start < shorter and old[start] == new[start]:
        start += 1
    end = 0
    while end < shorter - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return old[start : len(old) - end], new[start : len(new) - end]
