"""What becomes of versions after their save: checked, their words counted, and packed.

Packing is on once an operator has started the backfill `pack-versions`, which is not before every
process runs a release that reads packed versions. Its row in `backfills` is the switch: whoever
packs holds it, so that `unpack-versions`, which takes it away, finds all that was packed.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy import bindparam, func, select, text, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from webapp.jobs.messages import SealVersion
from webapp.jobs.outbox import enqueue_many
from webapp.kit.word_changes import word_changes
from webapp.models import BackfillState, ContentVersion
from webapp.models.arrays import IdArray, is_one_of
from webapp.services.content.packed_chains import numbers_of_references
from webapp.services.content.packing import Frame, pack_against
from webapp.services.content.sealed_rows import SealedRow, write_sealed
from webapp.services.content.version_texts import StoredVersion, read_stored, stored
from webapp.services.errors import DamagedVersionError

log = structlog.get_logger()

PACK_VERSIONS = "pack-versions"
UNPACK_VERSIONS = "unpack-versions"
# So much text is held in memory at once, and one version more; a version may have 2 MB.
BYTES_AT_ONCE = 8 * 1024 * 1024

_wanted = (
    func.unnest(bindparam("content_ids", type_=IdArray()), bindparam("numbers", type_=IdArray()))
    .table_valued("content_id", "number")
    .render_derived(name="wanted")
)
_AND_WHAT_THEY_HANG_ON = stored(
    tuple_(ContentVersion.content_id, ContentVersion.number).in_(
        select(_wanted.c.content_id, _wanted.c.number)
    )
)

Key = tuple[int, int]
"""The id of an item and the number of a version."""


@dataclass
class Sealing:
    """What was not sealed, by the ids of versions.

    The text of a `damaged` one is not what was saved; for those that are `left` there was no time.
    """

    damaged: set[int] = field(default_factory=set)
    left: set[int] = field(default_factory=set)


def seal_versions(session: Session, version_ids: Sequence[int], *, seconds: float) -> Sealing:
    """Check versions against their digests, add their statistics, and pack them if that is on.

    It takes a few statements for all. Text that is not what was saved is left as it is, unsealed,
    for a person to look at. A version that is gone or sealed already counts as sealed. None is
    begun after so many seconds.
    """
    switch = select(BackfillState.name).where(BackfillState.name == PACK_VERSIONS)
    packs = session.scalar(switch.with_for_update(read=True, key_share=True)) is not None
    unsealed = is_one_of(ContentVersion.id, version_ids) & ContentVersion.sealed_at.is_(None)
    stop_at = time.monotonic() + seconds
    sealing = Sealing()
    for batch in _batches(session, unsealed):
        _seal(session, batch, sealing, packs=packs, stop_at=stop_at)
    return sealing


def pack_range(session: Session, after: int, until: int) -> None:
    """Seal and pack the versions with these ids that are not packed, for the backfill.

    One whose text is not what was saved stays as it is; where it was never sealed, its job says so
    to operators, and where it was, the log.
    """
    unpacked = (
        (ContentVersion.id > after) & (ContentVersion.id <= until) & ContentVersion.packed.is_(None)
    )
    sealing = Sealing()
    for batch in _batches(session, unpacked):
        _seal(session, batch, sealing, packs=True, stop_at=None)
    enqueue_many(session, [SealVersion(version_id=damaged) for damaged in sorted(sealing.damaged)])


_UNPACK = text(
    """
    UPDATE content_versions SET
        body = whole.body, excerpt = whole.excerpt, packed = NULL, reference_id = NULL
    FROM unnest(CAST(:ids AS bigint[]), CAST(:bodies AS text[]), CAST(:excerpts AS text[]))
        AS whole (id, body, excerpt)
    WHERE content_versions.id = whole.id
    """
)


def unpack_range(session: Session, after: int, until: int) -> None:
    """Put the texts of the packed versions with these ids back into their rows.

    One that is damaged stays packed.
    """
    packed = (
        (ContentVersion.id > after)
        & (ContentVersion.id <= until)
        & ContentVersion.packed.is_not(None)
    )
    whole = []
    for found in read_stored(session, stored(packed)):
        try:
            whole.append(found.read())
        except DamagedVersionError:
            continue
    parameters = {
        "ids": [version.id for version in whole],
        "bodies": [version.body for version in whole],
        "excerpts": [version.excerpt for version in whole],
    }
    session.execute(_UNPACK, parameters)


def _batches(session: Session, which: ColumnElement[bool]) -> Iterator[list[Key]]:
    """Yield the keys of versions, so many at once as may be held in memory."""
    size = func.coalesce(func.octet_length(ContentVersion.body), 0)
    sizes = select(ContentVersion.content_id, ContentVersion.number, size).where(which)
    batch: list[Key] = []
    held = 0
    for content_id, number, length in session.execute(sizes.order_by(ContentVersion.id)).all():
        if batch and held + length > BYTES_AT_ONCE:
            yield batch
            batch, held = [], 0
        batch.append((content_id, number))
        held += length
    if batch:
        yield batch


def _seal(
    session: Session,
    batch: Sequence[Key],
    sealing: Sealing,
    *,
    packs: bool,
    stop_at: float | None,
) -> None:
    found = _read(session, batch, packs=packs)
    rows = []
    for content_id, number in batch:
        version = found.get((content_id, number))
        if version is None or version.is_packed:
            continue
        if stop_at is not None and time.monotonic() > stop_at:
            sealing.left.add(version.row.id)
        elif not version.is_intact():
            sealing.damaged.add(version.row.id)
            log.error("version.damaged", content_id=content_id, number=number,
                      version_id=version.row.id, cause_id=version.row.id)  # fmt: skip
        else:
            rows.append(_sealed_row(version, found, packs=packs))
    write_sealed(session, rows)


def _read(session: Session, batch: Sequence[Key], *, packs: bool) -> dict[Key, StoredVersion]:
    """Read versions, those before them, and those that they may be packed against."""
    keys = set(batch)
    for content_id, number in batch:
        keys.add((content_id, number - 1))
        if packs:
            keys.update((content_id, reference) for reference in numbers_of_references(number))
    parameters = {
        "content_ids": [content_id for content_id, _ in keys],
        "numbers": [number for _, number in keys],
    }
    versions = read_stored(session, _AND_WHAT_THEY_HANG_ON, parameters)
    return {(version.row.content_id, version.row.number): version for version in versions}


def _sealed_row(
    version: StoredVersion, found: Mapping[Key, StoredVersion], *, packs: bool
) -> SealedRow:
    row = version.row
    words = None
    if row.sealed_at is None:
        before = _body_of(found.get((row.content_id, row.number - 1)))
        words = (len(row.body.split()), *word_changes(before, row.body))
    frame = _pack(version, found) if packs else None
    if frame is None:
        return SealedRow(row.id, words, None, None)
    return SealedRow(row.id, words, frame.packed, frame.reference_id)


def _pack(version: StoredVersion, found: Mapping[Key, StoredVersion]) -> Frame | None:
    """Pack a version against the nearest of its references that was not pruned."""
    row = version.row
    references = (found.get((row.content_id, n)) for n in numbers_of_references(row.number))
    return pack_against(version, next((one for one in references if one is not None), None))


def _body_of(version: StoredVersion | None) -> str:
    try:
        return "" if version is None else version.read().body
    except DamagedVersionError:
        return ""
