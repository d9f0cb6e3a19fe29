"""When transactions were committed, and what a bare commit costs on this disk."""

import time

import psycopg

from bench.results import median

_COMMITS = 200


def commit_seconds(database_url: str) -> float:
    """Return the median time of a durable commit of one small row, by one client."""
    seconds = []
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS bench_commits (number bigint)")
        for number in range(_COMMITS):
            began = time.monotonic()
            connection.execute("INSERT INTO bench_commits VALUES (%s)", (number,))
            seconds.append(time.monotonic() - began)
    return median(seconds)
