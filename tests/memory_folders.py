"""Folders in memory, for the data of throw-away servers.

Every database of a test is a few hundred files that are made and soon deleted. On a disk that costs
more than the test itself: ext4 looks at each file that was deleted lately before it makes another.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

MEMORY = Path("/dev/shm")
PREFIX = "imprint-tests-"
# What the server of one test process may come to hold, with room to spare.
ROOM_BYTES = 3 * 1024**3


@contextmanager
def memory_folder(otherwise: Path) -> Iterator[Path]:
    """Yield an empty folder in memory, and remove it at the end.

    Where the machine has none, or too little memory left, it is `otherwise`, which is kept.
    """
    if not _has_room():
        yield otherwise
        return
    with passing_folder(MEMORY) as folder:
        yield folder


@contextmanager
def passing_folder(place: Path) -> Iterator[Path]:
    """Yield a new folder in a place and remove it at the end, with those that were left behind."""
    _remove_left_behind(place)
    folder, lock = _make_locked(place)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _has_room() -> bool:
    try:
        free = shutil.disk_usage(MEMORY).free
    except OSError:
        return False
    is_memory = any(
        found.mountpoint == str(MEMORY) and found.fstype == "tmpfs"
        for found in psutil.disk_partitions(all=True)
    )
    available = psutil.virtual_memory().available
    return is_memory and os.access(MEMORY, os.W_OK) and min(free, available) > ROOM_BYTES


def _remove_left_behind(place: Path) -> None:
    """Remove the folders of processes that were killed: nobody holds their locks any more."""
    for folder in place.glob(f"{PREFIX}*"):
        with suppress(OSError):  # It is another user's, in use, or was just removed.
            lock = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def _make_locked(place: Path) -> tuple[Path, int]:
    """Make a folder that is locked for as long as this process lives, and return both."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        with suppress(FileNotFoundError):
            lock = os.open(folder, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.exists():
                return folder, lock
            # Another process took it for one that was left behind, before it was locked.
            os.close(lock)
