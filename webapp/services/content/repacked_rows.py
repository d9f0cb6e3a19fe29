"""Write frames in the place of others that say the same: one statement for all rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, LargeBinary, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from webapp.models.arrays import IdArray

# One that was unpacked meanwhile, or hangs on another by now, stays as it is. So does one whose new
# reference has gone.
_WRITE = text(
    """
    UPDATE content_versions SET packed = done.packed, reference_id = done.reference_id
    FROM unnest(:ids, :former_ids, :frames, :reference_ids)
        AS done (id, former_id, packed, reference_id)
    WHERE content_versions.id = done.id AND content_versions.packed IS NOT NULL
    AND content_versions.reference_id = done.former_id
    AND (done.reference_id IS NULL OR EXISTS (
        SELECT FROM content_versions AS reference WHERE reference.id = done.reference_id))
    RETURNING content_versions.id
    """
).bindparams(
    bindparam("ids", type_=IdArray()),
    bindparam("former_ids", type_=IdArray()),
    bindparam("frames", type_=ARRAY(LargeBinary)),
    bindparam("reference_ids", type_=ARRAY(BigInteger)),
)


@dataclass(frozen=True)
class RepackedRow:
    """What is to be written, in the place of a delta from the former reference.

    `grown` is by how many bytes the frame is longer than the one before.
    """

    version_id: int
    former_id: int
    packed: bytes
    reference_id: int | None
    grown: int


def write_repacked(session: Session, rows: Sequence[RepackedRow]) -> set[int]:
    """Write frames and return the ids of the versions that have them now."""
    if not rows:
        return set()
    parameters = {
        "ids": [row.version_id for row in rows],
        "former_ids": [row.former_id for row in rows],
        "frames": [row.packed for row in rows],
        "reference_ids": [row.reference_id for row in rows],
    }
    return set(session.scalars(_WRITE, parameters))
