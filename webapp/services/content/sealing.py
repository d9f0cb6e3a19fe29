"""What becomes of versions after their save: checked against their digests, their words counted."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import BigInteger, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session, aliased

from webapp.kit.word_changes import word_changes
from webapp.models import ContentVersion
from webapp.models.arrays import IdArray, is_one_of
from webapp.services.content.versions import digest_of

# So much text is held in memory at once, and one version more; a version may have 2 MB.
BYTES_AT_ONCE = 8 * 1024 * 1024

_previous = aliased(ContentVersion)

_SEAL = text(
    """
    UPDATE content_versions SET
        sealed_at = clock_timestamp(), words = counted.words,
        words_added = counted.words_added, words_removed = counted.words_removed
    FROM unnest(:ids, :words, :words_added, :words_removed)
        AS counted (id, words, words_added, words_removed)
    WHERE content_versions.id = counted.id AND sealed_at IS NULL
    """
).bindparams(
    bindparam("ids", type_=IdArray()),
    bindparam("words", type_=ARRAY(BigInteger)),
    bindparam("words_added", type_=ARRAY(BigInteger)),
    bindparam("words_removed", type_=ARRAY(BigInteger)),
)


@dataclass
class Sealing:
    """What was not sealed, by the ids of versions.

    The text of a `damaged` one is not what was saved; for those that are `left` there was no time.
    """

    damaged: set[int] = field(default_factory=set)
    left: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class _Words:
    id: int
    words: int
    words_added: int
    words_removed: int


def seal_versions(session: Session, version_ids: Sequence[int], *, seconds: float) -> Sealing:
    """Check versions against their digests and add their statistics, in a few statements.

    Text that is not what was saved is left unsealed, for a person to look at. A version that is
    gone or sealed already counts as sealed. None is begun after so many seconds.
    """
    stop_at = time.monotonic() + seconds
    sealing = Sealing()
    for batch in _batches(session, version_ids):
        if time.monotonic() > stop_at:
            sealing.left.update(batch)
            continue
        _seal(session, batch, stop_at, sealing)
    return sealing


def _batches(session: Session, version_ids: Sequence[int]) -> Iterator[list[int]]:
    """Yield the ids of unsealed versions, so many at once as may be held in memory."""
    sizes = session.execute(
        select(ContentVersion.id, func.octet_length(ContentVersion.body))
        .where(is_one_of(ContentVersion.id, version_ids), ContentVersion.sealed_at.is_(None))
        .order_by(ContentVersion.id)
    ).all()
    batch: list[int] = []
    held = 0
    for version_id, size in sizes:
        if batch and held + size > BYTES_AT_ONCE:
            yield batch
            batch, held = [], 0
        batch.append(version_id)
        held += size
    if batch:
        yield batch


def _seal(session: Session, batch: Sequence[int], stop_at: float, sealing: Sealing) -> None:
    rows = session.execute(
        select(ContentVersion, _previous.body)
        .outerjoin(
            _previous,
            (_previous.content_id == ContentVersion.content_id)
            & (_previous.number == ContentVersion.number - 1),
        )
        .where(is_one_of(ContentVersion.id, batch), ContentVersion.sealed_at.is_(None))
        .order_by(ContentVersion.id)
    ).all()
    counted: list[_Words] = []
    for version, previous_body in rows:
        if time.monotonic() > stop_at:
            sealing.left.add(version.id)
        elif digest_of(version, version.tags) != version.digest:
            sealing.damaged.add(version.id)
        else:
            added, removed = word_changes(previous_body or "", version.body)
            counted.append(_Words(version.id, len(version.body.split()), added, removed))
    if counted:
        session.execute(
            _SEAL,
            {
                "ids": [row.id for row in counted],
                "words": [row.words for row in counted],
                "words_added": [row.words_added for row in counted],
                "words_removed": [row.words_removed for row in counted],
            },
        )
