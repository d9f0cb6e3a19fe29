"""How a test does one thing in many threads at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier


def at_once(work: Callable[[int], str], number: int) -> list[str]:
    """Do something in so many threads that none begins before all are there.

    Returns what came of them, in order of its letters.
    """
    ready = Barrier(number)

    def begin(turn: int) -> str:
        ready.wait()
        return work(turn)

    with ThreadPoolExecutor(number) as pool:
        return sorted(pool.map(begin, range(number)))
