"""Make the frame of one version, against another or alone, and open it again before it is used."""

from dataclasses import dataclass

import structlog

from webapp.kit.deltas import DamagedFrameError, pack, unpack
from webapp.services.content.version_texts import StoredVersion

log = structlog.get_logger()

# A delta beyond this part of the text saves little: the text is packed alone, and read faster.
_LARGEST_DELTA = 0.25


@dataclass(frozen=True)
class Frame:
    """What a version is packed as, and the id of its reference, where it has one."""

    packed: bytes
    reference_id: int | None


def pack_against(version: StoredVersion, reference: StoredVersion | None) -> Frame | None:
    """Return the frame of a version's text, unpacked and compared; None where that fails.

    The reference may be whole or packed: the bytes of its text are the same. One that is damaged,
    or younger, is none. Raises DamagedFrameError where the version itself cannot be read.
    """
    row, whole = version.row, version.complete()
    frame, against = None, None
    if reference is not None and reference.row.id < row.id and reference.is_intact():
        frame, against = Frame(pack(whole, reference.complete()), reference.row.id), reference
    if frame is None or len(frame.packed) > _LARGEST_DELTA * len(whole):
        frame, against = Frame(pack(whole), None), None
    if _opens_to(whole, frame.packed, None if against is None else against.complete()):
        return frame
    log.error("version.unpackable", content_id=row.content_id, number=row.number,
              version_id=row.id)  # fmt: skip
    return None


def _opens_to(whole: bytes, frame: bytes, reference: bytes | None) -> bool:
    try:
        return unpack(frame, reference) == whole
    except DamagedFrameError:
        return False
