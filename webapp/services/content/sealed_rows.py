"""Write what sealing has found out: one statement for all rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, LargeBinary, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from webapp.models.arrays import IdArray

# Whoever was faster has sealed or packed the row; its text is the same in any case. The text goes
# in the statement that brings the frame, so that nobody ever finds neither.
_WRITE = text(
    """
    UPDATE content_versions SET
        sealed_at = coalesce(sealed_at, clock_timestamp()),
        words = coalesce(content_versions.words, done.words),
        words_added = coalesce(content_versions.words_added, done.words_added),
        words_removed = coalesce(content_versions.words_removed, done.words_removed),
        packed = done.packed, reference_id = done.reference_id,
        body = CASE WHEN done.packed IS NULL THEN body END,
        excerpt = CASE WHEN done.packed IS NULL THEN excerpt ELSE '' END
    FROM unnest(:ids, :words, :words_added, :words_removed, :frames, :reference_ids)
        AS done (id, words, words_added, words_removed, packed, reference_id)
    WHERE content_versions.id = done.id AND content_versions.packed IS NULL
    """
).bindparams(
    bindparam("ids", type_=IdArray()),
    bindparam("words", type_=ARRAY(BigInteger)),
    bindparam("words_added", type_=ARRAY(BigInteger)),
    bindparam("words_removed", type_=ARRAY(BigInteger)),
    bindparam("frames", type_=ARRAY(LargeBinary)),
    bindparam("reference_ids", type_=ARRAY(BigInteger)),
)


@dataclass(frozen=True)
class SealedRow:
    """What is to be written: the words, those added and removed; the frame, and its reference."""

    version_id: int
    words: tuple[int, int, int] | None
    packed: bytes | None
    reference_id: int | None


def write_sealed(session: Session, rows: Sequence[SealedRow]) -> None:
    """Seal versions, and pack those that have a frame."""
    if not rows:
        return
    words = [row.words or (None, None, None) for row in rows]
    session.execute(
        _WRITE,
        {
            "ids": [row.version_id for row in rows],
            "words": [counted[0] for counted in words],
            "words_added": [counted[1] for counted in words],
            "words_removed": [counted[2] for counted in words],
            "frames": [row.packed for row in rows],
            "reference_ids": [row.reference_id for row in rows],
        },
    )
