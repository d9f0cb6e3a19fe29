"""Public reads: one article and the newest twenty, against an empty view on the same server."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.articles import publish_some
from bench.processes import PROJECT, Program
from bench.results import Result, median
from bench.sizes import Sizes
from bench.testbed import BenchError, Testbed, listens, sessions_on
from dev.ports import LOOPBACK, free_port

GRANIAN_WORKERS = 2
WEB = ("--interface", "rsgi", "--http", "1", "rsgi:app")
# What the server does best with: no threads that contend, and nothing in between.
EMPTY_VIEW = ("--interface", "wsgi", "--blocking-threads", "1", "bench.empty_app:app")
ASKERS, CONNECTIONS_AN_ASKER = 2, 12
SLUG_TARGET, LIST_TARGET = 0.45, 0.30
_START_SECONDS = 0.4


@dataclass
class Subject:
    """One kind of request, and what its rounds came to."""

    name: str
    server: Program
    port: int
    paths: list[str]
    answers_a_second: list[float] = field(default_factory=list)
    cpu_microseconds: list[float] = field(default_factory=list)


def measure(bed: Testbed, sizes: Sizes, articles: str) -> list[Result]:
    """Ask the three subjects in turn, round by round, and compare the medians."""
    with bed.database("bench_reads", articles) as url, ExitStack() as stack:
        with sessions_on(url)() as session:
            slugs = publish_some(session, sizes.public_articles)
        web, port = stack.enter_context(granian(bed, "web", WEB, url))
        empty, empty_port = stack.enter_context(granian(bed, "empty", EMPTY_VIEW, url))
        paths = [f"/api/v1/published/{slug}" for slug in slugs]
        subjects = [
            Subject("an empty view", empty, empty_port, ["/"]),
            Subject("one article", web, port, paths),
            Subject("newest 20", web, port, ["/api/v1/published"]),
        ]
        for subject in subjects:  # Connections, plans and caches come into being.
            _ask(subject, sizes.load_seconds / 2)
        for number in range(sizes.load_rounds):
            bed.say(f"reads: round {number + 1} of {sizes.load_rounds}")
            for subject in subjects:
                _take_round(subject, sizes.load_seconds)
    empty_view, article, newest = subjects
    return [
        *_compare(article, empty_view, SLUG_TARGET),
        *_compare(newest, empty_view, LIST_TARGET),
    ]


@contextmanager
def granian(
    bed: Testbed,
    name: str,
    app: Sequence[str],
    url: str,
    *,
    workers: int = GRANIAN_WORKERS,
    before: Sequence[str] = (),
    folder: Path = PROJECT,
) -> Iterator[tuple[Program, int]]:
    """Serve an application until the end of the block; yields the program and its port.

    `before` are words before the command, such as those of `env`; `folder` is the checkout.
    """
    port = free_port()
    words = [*before, "python", "-m", "granian", "--host", LOOPBACK, "--port", str(port)]
    words += ["--workers", str(workers), "--no-ws", "--log-level", "warning", *app]
    with bed.program(name, words, url, workers, folder) as program:
        bed.wait(lambda: listens(port), f"{name} listens", program)
        yield program, port


def _take_round(subject: Subject, seconds: float) -> None:
    before = subject.server.cpu_seconds()
    answers, took = _ask(subject, seconds)
    subject.cpu_microseconds.append((subject.server.cpu_seconds() - before) / answers * 1e6)
    subject.answers_a_second.append(answers / took)


def _ask(subject: Subject, seconds: float) -> tuple[int, float]:
    """Return how many answers came in how many seconds. Raises BenchError for any but a 200."""
    order = {
        "port": subject.port,
        "paths": subject.paths,
        "connections": CONNECTIONS_AN_ASKER,
        "starts_at": time.monotonic() + _START_SECONDS,
        "seconds": seconds,
    }
    askers = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.load"],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(ASKERS)
    ]
    for asker in askers:
        assert asker.stdin is not None
        asker.stdin.write(json.dumps(order))
        asker.stdin.close()
        asker.stdin = None
    tallies = [json.loads(asker.communicate()[0] or "{}") for asker in askers]
    if not all(tallies) or any(tally["failed"] for tally in tallies):
        raise BenchError(f"Not every answer to {subject.name} was a 200: {tallies}")
    return sum(tally["answers"] for tally in tallies), max(tally["seconds"] for tally in tallies)


def _compare(subject: Subject, floor: Subject, target: float) -> tuple[Result, Result]:
    speed, floor_speed = median(subject.answers_a_second), median(floor.answers_a_second)
    cpu, floor_cpu = median(subject.cpu_microseconds), median(floor.cpu_microseconds)
    spread = f"{min(subject.answers_a_second):,.0f} to {max(subject.answers_a_second):,.0f}"
    return (
        Result(f"read {subject.name}", speed, "req/s", floor_speed, target, more_is_better=True,
               target_is_ratio=True, note=f"floor: {floor.name}; rounds gave {spread}"),
        Result(f"read {subject.name}: server CPU", cpu, "µs", floor_cpu,
               note="processor time of the web server's processes, a request"),
    )  # fmt: skip
