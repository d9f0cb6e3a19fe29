"""The code that uses the table while it is changed, and a watch on the locks that hold it up."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from bench.large_table.example import Release

_WATCH_SECONDS = 0.001
_EXCLUSIVE = """
    SELECT count(*) FROM pg_locks WHERE relation = to_regclass('page_views') AND granted
      AND mode = 'AccessExclusiveLock'
"""


@dataclass
class Waits:
    """What the users of the table saw, in seconds and in statements."""

    statements: int = 0
    failures: int = 0
    longest_read: float = 0.0
    longest_write: float = 0.0


@contextmanager
def traffic(url: str, release: Release, rows: int) -> Iterator[Waits]:
    """Read, edit and insert inside the block, each on a connection of its own."""
    waits, lock, is_over = Waits(), threading.Lock(), threading.Event()

    def repeat(statement: str, *, is_read: bool) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not is_over.is_set():
                began, failed = time.perf_counter(), False
                try:
                    row = {"id": random.randint(1, rows)}
                    connection.execute(statement, row)
                except psycopg.Error:
                    failed = True
                seconds = time.perf_counter() - began
                with lock:
                    waits.statements += 1
                    waits.failures += failed
                    if is_read:
                        waits.longest_read = max(waits.longest_read, seconds)
                    else:
                        waits.longest_write = max(waits.longest_write, seconds)
                time.sleep(0.002)

    threads = [
        threading.Thread(target=repeat, args=(statement,), kwargs={"is_read": is_read})
        for statement, is_read in (
            (release.read, True),
            (release.edit, False),
            (release.insert, False),
        )
    ]
    for thread in threads:
        thread.start()
    try:
        yield waits
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


@dataclass
class Hold:
    """The longest time, in seconds, that the table was locked against everybody, as it was seen."""

    longest: float = 0.0


@contextmanager
def watch(url: str) -> Iterator[Hold]:
    """Look for an ACCESS EXCLUSIVE lock on the table all the time inside the block."""
    hold, is_over, is_watching = Hold(), threading.Event(), threading.Event()

    def look() -> None:
        seen_at: float | None = None
        with psycopg.connect(url, autocommit=True) as connection:
            while not is_over.is_set():
                found = connection.execute(_EXCLUSIVE).fetchone()
                is_watching.set()
                now = time.perf_counter()
                if found is None or not found[0]:
                    seen_at = None
                else:
                    seen_at = now if seen_at is None else seen_at
                    # The lock was taken after the look before, so this is too much by as much.
                    hold.longest = max(hold.longest, now - seen_at + _WATCH_SECONDS)
                time.sleep(_WATCH_SECONDS)

    thread = threading.Thread(target=look)
    thread.start()
    is_watching.wait(10)
    try:
        yield hold
    finally:
        is_over.set()
        thread.join()
