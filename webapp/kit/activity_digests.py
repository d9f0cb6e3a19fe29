"""What the chain over the activity log is made of: digests of lines and of blocks of lines.

They are computed here and not by the database, so that whoever changes its functions changes no
digest. A line's digest is the SHA-256 of what is not personal in it, and of `personal_hash`: that
stays when the rest of what is personal is erased, and the digest with it.
"""

import hashlib
import struct
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

PERSONAL = frozenset({"address", "changes", "details", "request_id", "user_agent"})
"""The columns that erasing a line empties."""

_NOT_SAID = PERSONAL | {"erased_at", "personal_hash", "salt"}
_ENTRY = struct.Struct(">q32s")
FIRST_HASH = bytes(32)
"""What the first block has for the hash of the block before."""


def line_digest(line: Mapping[Any, Any]) -> bytes:
    """Return the digest of a line, given all its columns; JSON columns as PostgreSQL's own text.

    A column that is null counts for nothing, so one that is added later changes no old digest.
    """
    said = {name: value for name, value in line.items() if name not in _NOT_SAID}
    is_erased = line["erased_at"] is not None
    personal = line["personal_hash"] if is_erased else personal_hash(line)
    return hashlib.sha256(_as_json(said) + b"\n" + (personal or b"")).digest()


def personal_hash(line: Mapping[Any, Any]) -> bytes:
    """Return the hash of what is personal in a line, salted where the line has a salt."""
    personal = {name: line[name] for name in PERSONAL}
    return hashlib.sha256((line["salt"] or b"") + _as_json(personal)).digest()


def pack_digests(digests: Mapping[int, bytes]) -> bytes:
    """Return the digests of lines by their ids as bytes: 40 for each line, in the given order."""
    return b"".join(_ENTRY.pack(line_id, digest) for line_id, digest in digests.items())


def unpack_digests(packed: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the id and the digest of each line. Raises struct.error for a length that is none."""
    yield from _ENTRY.iter_unpack(packed)


def block_hash(block: Mapping[str, Any]) -> bytes:
    """Return the hash of a block: of all that is left of it when its lines are pruned."""
    names = (
        "number", "previous_hash", "after_id", "until_id", "row_count", "last_created_at",
        "sealed_at", "rows_hash",
    )  # fmt: skip
    return hashlib.sha256(_as_json({name: block[name] for name in names})).digest()


def _as_json(values: Mapping[str, Any]) -> bytes:
    plain = {name: _plain(value) for name, value in values.items() if value is not None}
    return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, bytes):
        return value.hex()
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
