"""How often tasks are done in a second, each over and over in a thread of its own."""

import http.client
import threading
import time
from collections.abc import Callable

import psycopg

from bench.testbed import BenchError


def a_second(tasks: list[Callable[[int], None]], seconds: float) -> float:
    """Do each task in a thread of its own, over and over; returns how often, all in all.

    A task is given how often it was done before in this call. Raises BenchError where one fails.
    """
    counts = [0] * len(tasks)
    failures: list[Exception] = []
    until = time.monotonic() + seconds

    def repeat(number: int) -> None:
        try:
            while time.monotonic() < until:
                tasks[number](counts[number])
                counts[number] += 1
        except (BenchError, OSError, http.client.HTTPException, psycopg.Error) as error:
            failures.append(error)

    threads = [threading.Thread(target=repeat, args=(number,)) for number in range(len(tasks))]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise BenchError(f"Not every try went well: {failures[0]}")
    return sum(counts) / (time.monotonic() - began)
