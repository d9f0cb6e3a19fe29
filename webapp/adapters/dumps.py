"""The dumps of the database on a disk: which is the newest, and how old it is."""

import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Dump:
    """One file (or folder, as pg_dump's directory format makes), and its age in hours."""

    path: Path
    age_hours: float


def find_newest_dump(place: Path) -> Dump | None:
    """Return the newest dump in a folder, or the file that `place` is; None where there is none.

    An empty file is no dump, nor is one whose name begins with a dot. Raises OSError where the
    place is not there or may not be read.
    """
    place.stat()
    candidates = [place]
    if place.is_dir():
        candidates = [found for found in place.iterdir() if not found.name.startswith(".")]
    dumps = [
        (found.stat().st_mtime, found)
        for found in candidates
        if found.is_dir() or (found.is_file() and found.stat().st_size)
    ]
    if not dumps:
        return None
    changed_at, path = max(dumps)
    return Dump(path, max(0.0, time.time() - changed_at) / 3600)
