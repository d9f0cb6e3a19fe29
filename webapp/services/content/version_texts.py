"""What versions say, whole or packed: the one place that every reader of their texts goes through.

A packed version keeps its text as a zstd frame, a keyframe, or as its delta from an older version
of the same item, its reference. What is packed are the bytes that the digest is made of, so what
comes out is compared with it before anybody sees it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import orjson
import structlog
from sqlalchemy import (
    BigInteger,
    Row,
    Select,
    and_,
    any_,
    bindparam,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from webapp.kit.deltas import DamagedFrameError, unpack
from webapp.models import ContentVersion
from webapp.services.errors import DamagedVersionError

log = structlog.get_logger()

_COLUMNS = (
    ContentVersion.id, ContentVersion.content_id, ContentVersion.number, ContentVersion.author_id,
    ContentVersion.category_id, ContentVersion.title, ContentVersion.slug, ContentVersion.body,
    ContentVersion.body_format, ContentVersion.excerpt, ContentVersion.tags, ContentVersion.details,
    ContentVersion.reason, ContentVersion.origin, ContentVersion.tool, ContentVersion.digest,
    ContentVersion.created_at,
    ContentVersion.sealed_at, ContentVersion.words, ContentVersion.words_added,
    ContentVersion.words_removed, ContentVersion.packed, ContentVersion.reference_id,
)  # fmt: skip


class Text(Protocol):
    """What a save keeps of a text, but for its tags."""

    @property
    def title(self) -> str: ...
    @property
    def slug(self) -> str: ...
    @property
    def body(self) -> str | None: ...
    @property
    def body_format(self) -> str: ...
    @property
    def excerpt(self) -> str: ...
    @property
    def details(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class SavedVersion:
    """One version whole, as it was saved."""

    id: int
    content_id: int
    number: int
    author_id: int | None
    category_id: int | None
    title: str
    slug: str
    body: str
    body_format: str
    excerpt: str
    tags: list[str]
    details: dict[str, Any]
    reason: str
    origin: str | None
    tool: str | None
    created_at: datetime
    words: int | None
    words_added: int | None
    words_removed: int | None


class StoredVersion:
    """One version as it lies in the database, with whatever its text hangs on."""

    def __init__(self, row: Row[*tuple[Any, ...]], rows: Mapping[int, "StoredVersion"]) -> None:
        """Take its row; `rows` are those of its statement, by their ids, and the references too."""
        self.row = row
        self._rows = rows
        self._complete: bytes | None = None

    @property
    def is_packed(self) -> bool:
        """Whether the text is in a frame alone."""
        return self.row.packed is not None

    def complete(self) -> bytes:
        """Return the bytes that the digest is made of, compared with nothing.

        Raises DamagedFrameError.
        """
        if self._complete is None:
            self._complete = self._unpack() if self.is_packed else complete(self.row, self.row.tags)
        return self._complete

    def is_intact(self) -> bool:
        """Say whether the text is what was saved."""
        try:
            return bool(hashlib.sha256(self.complete()).digest() == self.row.digest)
        except DamagedFrameError:
            return False

    def read(self) -> SavedVersion:
        """Return the version whole. Raises DamagedVersionError where what is packed is damaged."""
        row = self.row
        if self.is_packed and not self.is_intact():
            log.error("version.damaged", content_id=row.content_id, number=row.number,
                      version_id=row.id, cause_id=self._cause())  # fmt: skip
            raise DamagedVersionError(row.content_id, row.number)
        if self.is_packed:
            fields, tags, details = orjson.loads(self.complete())
        else:
            fields = [row.title, row.slug, row.body, row.body_format, row.excerpt]
            tags, details = row.tags, row.details
        title, slug, body, body_format, excerpt = fields
        return SavedVersion(
            id=row.id, content_id=row.content_id, number=row.number, author_id=row.author_id,
            category_id=row.category_id, title=title, slug=slug, body=body, body_format=body_format,
            excerpt=excerpt, tags=tags, details=details, reason=row.reason,
            origin=row.origin, tool=row.tool, created_at=row.created_at, words=row.words,
            words_added=row.words_added, words_removed=row.words_removed,
        )  # fmt: skip

    def _unpack(self) -> bytes:
        reference = self._reference()
        return unpack(self.row.packed, None if reference is None else reference.complete())

    def _reference(self) -> "StoredVersion | None":
        return None if self.row.reference_id is None else self._rows[self.row.reference_id]

    def _cause(self) -> int:
        """Return the id of the version that is damaged itself, and spoils those that hang on it."""
        reference = self._reference()
        is_spoilt = reference is not None and not reference.is_intact()
        return reference._cause() if reference is not None and is_spoilt else int(self.row.id)


def complete(text: Text, tags: Sequence[str]) -> bytes:
    """Return everything that a save keeps, but for the category, as bytes that are always the same.

    A category may be deleted, and a version of an item that stood in it is still intact.
    """
    fields = [text.title, text.slug, text.body, text.body_format, text.excerpt]
    return orjson.dumps([fields, list(tags), text.details], option=orjson.OPT_SORT_KEYS)


def digest_of(text: Text, tags: Sequence[str]) -> bytes:
    """Return the SHA-256 of everything that a save keeps."""
    return hashlib.sha256(complete(text, tags)).digest()


def stored(which: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """Return the statement for `read_stored` of the versions that a condition holds for.

    It follows the references, so it is one statement, and one moment, however deep a text lies.
    """
    wanted = select(ContentVersion.id, ContentVersion.reference_id).where(which).cte("wanted")
    chained = select(wanted.c.id, wanted.c.reference_id).cte("chain", recursive=True)
    # The limit and the array have each row looked up by its key: PostgreSQL expects a chain to be
    # a hundred times as long as any is, and would read the whole table for it.
    reference = (
        select(ContentVersion.id, ContentVersion.reference_id)
        .where(ContentVersion.id == chained.c.reference_id)
        .limit(literal_column("1"))
        .lateral("reference")
    )
    chained = chained.union(
        select(reference.c.id, reference.c.reference_id).select_from(
            chained.join(reference, true())
        )
    )
    is_wanted = ContentVersion.id.in_(select(wanted.c.id))
    rows = select(*_COLUMNS, is_wanted.label("is_wanted"))
    in_chain = ContentVersion.id == any_(func.array(select(chained.c.id).scalar_subquery()))
    return rows.where(in_chain).order_by(ContentVersion.id)


def read_stored(
    session: Session,
    statement: Select[*tuple[Any, ...]],
    parameters: Mapping[str, Any] | None = None,
) -> list[StoredVersion]:
    """Return the versions of a statement that `stored` made, in the order of their ids."""
    rows: dict[int, StoredVersion] = {}
    for row in session.execute(statement, parameters or {}):
        rows[row.id] = StoredVersion(row, rows)
    return [version for version in rows.values() if version.row.is_wanted]


_BY_NUMBER = stored(
    and_(
        ContentVersion.content_id == bindparam("content_id", type_=BigInteger()),
        ContentVersion.number == bindparam("number", type_=BigInteger()),
    )
)


def read_by_number(session: Session, content_id: int, number: int) -> SavedVersion | None:
    """Return one version whole, None where there is no such. Raises DamagedVersionError."""
    found = read_stored(session, _BY_NUMBER, {"content_id": content_id, "number": number})
    return found[0].read() if found else None


def read_versions(session: Session, which: ColumnElement[bool]) -> list[SavedVersion]:
    """Return versions whole, in the order of their ids. Raises DamagedVersionError."""
    return [version.read() for version in read_stored(session, stored(which))]


def read_intact(session: Session, which: ColumnElement[bool]) -> list[SavedVersion]:
    """Return those of some versions whose text can be read; the log names the others."""
    versions = []
    for found in read_stored(session, stored(which)):
        try:
            versions.append(found.read())
        except DamagedVersionError:
            continue
    return versions
