"""The dumps of the database on a disk: which is the newest, and how old it is."""

import re
import time
from dataclasses import dataclass
from pathlib import Path

TABLE_OF_CONTENTS = "toc.dat"
# The custom format, and the tar format by the name of its first file.
_ARCHIVES = (b"PGDMP", TABLE_OF_CONTENTS.encode() + b"\0")
_PLAIN = re.compile(rb"PostgreSQL database (?:cluster )?dump")
_START_BYTES = 200
# A plain dump that went through a compressor is known by its name alone.
_COMPRESSED = {".gz", ".zst"}


@dataclass(frozen=True)
class Dump:
    """One file (or folder, as pg_dump's directory format makes), and its age in hours."""

    path: Path
    age_hours: float


def find_newest_dump(place: Path) -> Dump | None:
    """Return the newest dump in a folder, or the file that `place` is; None where there is none.

    A name that begins with a dot is passed over, and so is what does not begin as a dump does.
    Raises OSError where the place is not there or may not be read.
    """
    place.stat()
    candidates = [place]
    if place.is_dir() and not _is_dump(place):
        candidates = [found for found in place.iterdir() if not found.name.startswith(".")]
    dumps = [(found.stat().st_mtime, found) for found in candidates if _is_dump(found)]
    if not dumps:
        return None
    changed_at, path = max(dumps)
    return Dump(path, max(0.0, time.time() - changed_at) / 3600)


def _is_dump(path: Path) -> bool:
    """Say whether this begins as pg_dump and pg_dumpall begin what they write."""
    if path.is_dir():
        return (path / TABLE_OF_CONTENTS).is_file()
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(_START_BYTES)
    is_plain = start.startswith(b"--") and _PLAIN.search(start) is not None
    is_compressed = path.suffix in _COMPRESSED and len(start) > 0
    return start.startswith(_ARCHIVES) or is_plain or is_compressed
