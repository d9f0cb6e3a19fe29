"""Schedules at their moment: ten thousand at once, and single ones on an idle system.

An item is public from the commit of the transaction that published it; PostgreSQL keeps that
moment (`track_commit_timestamp`), just before it flushes the log. A flush is a bare commit, which
is measured too and printed as the floor of the lateness. The floor of the crowd is the bare
statement (`bench/bare_publishing.py`). Each day and each setup is a database of its own; the runs
alternate with the floor, and the medians are compared.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.bare_publishing import Meter, Spent, make_ready, publish_bare
from bench.commits import commit_seconds
from bench.due_days import Stage, Start, good_day, in_autocommit, second_day
from bench.processes import Program
from bench.results import Result, median, percentile
from bench.sizes import Sizes
from bench.testbed import BenchError, Testbed, sessions_on
from dev.programs import WORKER_QUEUES

SINGLE_TARGET_MILLISECONDS = 250.0
_LEAD_SECONDS = 2.0
_MOST_SECONDS = 300.0
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Setup:
    """Which workers run, how many processes each has, and how often the floor they may take."""

    workers: Sequence[str]
    concurrency: int
    label: str
    target: float | None


@dataclass(frozen=True)
class Day:
    """How the database comes to its crowd, and which setups meet it."""

    prepare: Callable[[Testbed, ExitStack, str, int, Start], Stage]
    label: str


@dataclass(frozen=True)
class Crowd:
    """What one run spent, PostgreSQL and the programs by name."""

    spent: Spent
    programs: Mapping[str, float]

    @property
    def processor_seconds(self) -> float:
        """The processor time of all together."""
        return self.spent.postgres_seconds + sum(self.programs.values())


SETUPS = (
    Setup(["worker-publishing"], 1, "one publishing process", 2.0),
    Setup(["worker-publishing"], 2, "two publishing processes", 1.5),
)
# The followers are told meanwhile, so this is more work than the floor speaks of.
EVERY_WORKER = Setup([f"worker-{name}" for name in WORKER_QUEUES], 1, "every worker of `make run`",
                     None)  # fmt: skip
DAYS = (Day(good_day, "a good day"), Day(second_day, "a site's second day"))

_MAKE_DUE = text(
    "UPDATE schedules SET due_at = to_timestamp(:due_at)"
    " WHERE id IN (SELECT id FROM schedules WHERE state = 'pending' ORDER BY id LIMIT :number)"
)
SPREAD = text(
    "UPDATE schedules SET due_at = to_timestamp(:start + random() * :seconds)"
    " WHERE id IN (SELECT id FROM schedules WHERE state = 'pending' ORDER BY id LIMIT :number)"
)
_FIRED = text(
    "SELECT count(*) FROM schedules WHERE state = 'fired' AND due_at >= to_timestamp(:since)"
)
_LATENESS = text(
    """
    SELECT extract(epoch FROM pg_xact_commit_timestamp(publications.xmin) - due_at)
    FROM publications JOIN schedules USING (content_id)
    WHERE state = 'fired' AND due_at >= to_timestamp(:since)
    """
)


def measure(bed: Testbed, sizes: Sizes, articles: str) -> list[Result]:
    """Take the crowd on each day under each setup, then the few under all workers."""
    results = []
    for day in DAYS:
        results += _compare(bed, sizes, articles, day)
    if sizes.due_setups > len(SETUPS):
        crowd = _crowd(bed, sizes, articles, DAYS[0], EVERY_WORKER)
        results.append(_result(sizes, DAYS[0], EVERY_WORKER, [crowd], []))
    return [*results, *_singles(bed, sizes, articles, EVERY_WORKER)]


def _compare(bed: Testbed, sizes: Sizes, articles: str, day: Day) -> list[Result]:
    """Take the floor and the setups in turn, forth and back, so that both meet the same noise."""
    setups = SETUPS[: sizes.due_setups]
    floors = [_floor(bed, sizes, articles, day)]
    crowds: dict[str, list[Crowd]] = {setup.label: [] for setup in setups}
    for number in range(sizes.due_rounds):
        for setup in setups if number % 2 == 0 else reversed(setups):
            crowds[setup.label].append(_crowd(bed, sizes, articles, day, setup))
        floors.append(_floor(bed, sizes, articles, day))
    return [_result(sizes, day, setup, crowds[setup.label], floors) for setup in setups]


def _floor(bed: Testbed, sizes: Sizes, articles: str, day: Day) -> Spent:
    number = sizes.due_at_once
    bed.say(f"due: the floor of {number:,}, {day.label}")
    with ExitStack() as stack:
        stage = day.prepare(bed, stack, articles, number, lambda _url: {})
        make_ready(stage.session, number)
        _make_due(stage.session, day, time.time(), number)
        return publish_bare(bed, stage.session)


def _crowd(bed: Testbed, sizes: Sizes, articles: str, day: Day, setup: Setup) -> Crowd:
    """Let many schedules be due at one moment, and wait until the last is public."""
    number = sizes.due_at_once
    bed.say(f"due: {number:,} at once, {setup.label}, {day.label}")
    with ExitStack() as stack:

        def start(url: str) -> dict[str, Program]:
            return stack.enter_context(bed.workers(url, setup.workers, setup.concurrency))

        stage = day.prepare(bed, stack, articles, number, start)
        due_at = time.time() + _LEAD_SECONDS
        _make_due(stage.session, day, due_at, number)
        meter = Meter(bed, stage.session)
        before = {name: program.cpu_seconds() for name, program in stage.running.items()}
        lateness = wait_until_fired(bed, stage.session, due_at, number)
        programs = {
            name: program.cpu_seconds() - before[name] for name, program in stage.running.items()
        }
        return Crowd(meter.read(max(lateness)), programs)


def _make_due(session: Session, day: Day, due_at: float, number: int) -> None:
    session.execute(_MAKE_DUE, {"due_at": due_at, "number": number})
    session.commit()
    if day.prepare is good_day:
        in_autocommit(session, "VACUUM ANALYZE schedules")


def _result(
    sizes: Sizes, day: Day, setup: Setup, crowds: list[Crowd], floors: list[Spent]
) -> Result:
    postgres = median([crowd.spent.postgres_seconds for crowd in crowds])
    log = median([crowd.spent.log_bytes for crowd in crowds]) / _MEGABYTE
    programs = ", ".join(
        f"{name} {median([crowd.programs[name] for crowd in crowds]):.2f}"
        for name in crowds[0].programs
    )
    note = f"seconds of processor time: PostgreSQL {postgres:.2f}, {programs}; log {log:.0f} MB"
    if floors:
        bare = median([floor.postgres_seconds for floor in floors])
        bare_log = median([floor.log_bytes for floor in floors]) / _MEGABYTE
        all_of_it = median([crowd.processor_seconds for crowd in crowds])
        note += (f"; the floor's: PostgreSQL {bare:.2f}, log {bare_log:.0f} MB;"
                 f" all processor time is {all_of_it / bare:.2f} times the floor's")  # fmt: skip
    return Result(
        f"{sizes.due_at_once:,} due at once, {setup.label}, {day.label}",
        median([crowd.spent.seconds for crowd in crowds]),
        "s",
        median([floor.seconds for floor in floors]) if floors else None,
        setup.target,
        target_is_ratio=True,
        note=note,
    )


def _singles(bed: Testbed, sizes: Sizes, articles: str, setup: Setup) -> list[Result]:
    number = sizes.due_singly
    bed.say(f"due: {number} single schedules within {sizes.singly_within_seconds:g} s")
    with bed.database("bench_due", articles) as url, sessions_on(url)() as session:
        commit = commit_seconds(url) * 1000
        with bed.workers(url, setup.workers, setup.concurrency):
            start = time.time() + _LEAD_SECONDS
            moments = {"start": start, "seconds": sizes.singly_within_seconds, "number": number}
            session.execute(SPREAD, moments)
            in_autocommit(session, "VACUUM ANALYZE schedules")
            late = wait_until_fired(bed, session, start, number, 1.0)
    lateness = [seconds * 1000 for seconds in late]
    return [
        Result("single schedule, lateness p50", percentile(lateness, 50), "ms", commit,
               note="floor: a bare commit; from due_at to the commit that makes it public"),
        Result("single schedule, lateness p99", percentile(lateness, 99), "ms", commit,
               SINGLE_TARGET_MILLISECONDS, note=f"the latest of {number}: {max(lateness):.0f} ms"),
    ]  # fmt: skip


def wait_until_fired(
    bed: Testbed, session: Session, due_at: float, number: int, poll_seconds: float = 0.25
) -> list[float]:
    """Return how late each was, in seconds, once all are fired that are due from a moment on.

    Raises BenchError where they are not.
    """
    since = {"since": due_at - 0.001}  # PostgreSQL keeps microseconds.

    def all_fired() -> bool:
        fired = session.scalars(_FIRED, since).one()
        session.commit()
        return int(fired) == number

    bed.wait(all_fired, f"{number} schedules are fired", None, _MOST_SECONDS, poll_seconds)
    lateness = [float(late) for late in session.scalars(_LATENESS, since)]
    session.commit()
    if len(lateness) != number:
        raise BenchError(f"{len(lateness)} of {number} items are public.")
    return lateness
