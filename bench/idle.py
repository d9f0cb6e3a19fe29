"""What a system costs at which nothing happens, and how late single schedules are on it.

With the folder of another checkout its programs are measured in turn with this one's, on the same
servers. Statements are those that PostgreSQL logs: it is told to log them only while they are
counted, and not while processor time is taken.
"""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.articles import fill
from bench.commits import commit_seconds
from bench.due import SPREAD, wait_until_fired
from bench.due_days import in_autocommit
from bench.followers import make_author, make_event, make_readers, start_telling
from bench.processes import PROJECT
from bench.results import Result, percentile
from bench.sizes import Sizes
from bench.testbed import Testbed, sessions_on
from dev.programs import WORKER_QUEUES

CPU_TARGET_PERCENT = 1.0
LATENESS_TARGET_MILLISECONDS = 60.0
BESIDE_FAN_OUT_TARGET_MILLISECONDS = 1_000.0
WORKERS = [f"worker-{name}" for name in WORKER_QUEUES]
_LEAD_SECONDS = 2.0
_ROUNDS = 2
_IS_QUIET = text("SELECT count(*) FROM jobs WHERE state NOT IN ('done', 'failed', 'discarded')")
_WRITTEN = text("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")


@dataclass(frozen=True)
class Idle:
    """What was spent while nothing happened, for each second."""

    dispatcher_percent: float
    workers_percent: float
    postgres_percent: float
    statements: float
    log_bytes: float


def measure(bed: Testbed, sizes: Sizes, other: Path | None = None) -> list[Result]:
    """Watch the programs of each build do nothing."""
    results = []
    for name, folder in _builds(other).items():
        bed.say(f"idle{name}: {sizes.idle_seconds:g} s")
        found = _watch(bed, sizes, folder)
        target = CPU_TARGET_PERCENT if folder == PROJECT else None
        note = (f"of one core; the four workers {found.workers_percent:.1f} %, PostgreSQL"
                f" {found.postgres_percent:.1f} %; {found.log_bytes:.0f} bytes of log a second;"
                f" over {sizes.idle_seconds:g} s")  # fmt: skip
        results += [
            Result(f"idle dispatcher{name}: CPU", found.dispatcher_percent, "%", target=target,
                   note=note),
            Result(f"idle system{name}: statements", found.statements, "/s",
                   note="of all processes, with BEGIN and COMMIT"),
        ]  # fmt: skip
    return results


def measure_lateness(bed: Testbed, sizes: Sizes, other: Path | None = None) -> list[Result]:
    """Let schedules be due singly, on a quiet system and beside a fan-out; each build in turn."""
    number = max(sizes.due_singly, 1)
    quiet: dict[str, list[float]] = {name: [] for name in _builds(other)}
    busy: dict[str, list[float]] = {name: [] for name in _builds(other)}
    with bed.database("bench_singles") as url, sessions_on(url)() as session:
        fill(session, number)
        commit = commit_seconds(url) * 1000
        session.close()
        for _ in range(_ROUNDS):
            for name, folder in _builds(other).items():
                bed.say(f"lateness{name}: {number} within {sizes.singly_within_seconds:g} s")
                quiet[name] += _singles(bed, sizes, "bench_singles", folder)
    with bed.database("bench_crowded") as url, sessions_on(url)() as session:
        fill(session, number)
        bed.say(f"lateness: making {sizes.followers:,} followers")
        make_readers(session, sizes.followers)
        author = make_author(session, "bench-author", sizes.followers)
        make_event(session, author, 1)
        session.commit()
        session.close()
        for name, folder in _builds(other).items():
            bed.say(f"lateness{name}: beside a fan-out to {sizes.followers:,}")
            busy[name] += _singles(bed, sizes, "bench_crowded", folder, beside_fan_out=True)
    results = []
    for name, folder in _builds(other).items():
        results += _told(name, quiet[name], busy[name], commit, is_own=folder == PROJECT)
    return results


def _told(
    name: str, quiet: list[float], busy: list[float], commit: float, *, is_own: bool
) -> list[Result]:
    return [
        Result(f"single schedule{name}, lateness p50", percentile(quiet, 50), "ms", commit,
               note="floor: a bare commit; from due_at to the commit that makes it public"),
        Result(f"single schedule{name}, lateness p99", percentile(quiet, 99), "ms", commit,
               LATENESS_TARGET_MILLISECONDS if is_own else None,
               note=f"the latest of {len(quiet)}: {max(quiet):.0f} ms"),
        Result(f"single schedule{name} beside a fan-out, lateness p99", percentile(busy, 99), "ms",
               commit, BESIDE_FAN_OUT_TARGET_MILLISECONDS if is_own else None,
               note=f"p50 {percentile(busy, 50):.0f} ms, the latest of {len(busy)}:"
                    f" {max(busy):.0f} ms"),
    ]  # fmt: skip


def _builds(other: Path | None) -> dict[str, Path]:
    return {"": PROJECT} if other is None else {"": PROJECT, " of the other build": other}


def _watch(bed: Testbed, sizes: Sizes, folder: Path) -> Idle:
    with ExitStack() as stack:
        url = stack.enter_context(bed.database("bench_idle"))
        session = stack.enter_context(sessions_on(url)())
        running = stack.enter_context(bed.workers(url, WORKERS, folder=folder))

        def is_quiet() -> bool:
            waiting = session.scalars(_IS_QUIET).one()
            session.commit()
            return int(waiting) == 0

        bed.wait(is_quiet, "the first hour's jobs are done")
        time.sleep(sizes.idle_seconds / 10)
        written = int(session.scalars(_WRITTEN).one())
        session.commit()
        before = {name: program.cpu_seconds() for name, program in running.items()}
        postgres, began = bed.postgres_cpu_seconds(), time.monotonic()
        time.sleep(sizes.idle_seconds)
        seconds = time.monotonic() - began
        postgres = bed.postgres_cpu_seconds() - postgres
        spent = {name: program.cpu_seconds() - before[name] for name, program in running.items()}
        written = int(session.scalars(_WRITTEN).one()) - written
        session.commit()
        statements = bed.count_statements(sizes.idle_seconds / 3)
    return Idle(
        100 * spent.pop("dispatcher") / seconds,
        100 * sum(spent.values()) / seconds,
        100 * postgres / seconds,
        statements,
        written / seconds,
    )


def _singles(
    bed: Testbed, sizes: Sizes, template: str, folder: Path, *, beside_fan_out: bool = False
) -> list[float]:
    """Return how late each of some schedules was that fell due one by one, in milliseconds."""
    with ExitStack() as stack:
        url = stack.enter_context(bed.database("bench_single", template))
        session = stack.enter_context(sessions_on(url)())
        stack.enter_context(bed.workers(url, WORKERS, folder=folder))
        start = time.time() + _LEAD_SECONDS
        seconds = sizes.singly_within_seconds / (3 if beside_fan_out else 1)
        number = sizes.due_singly // (3 if beside_fan_out else 1)
        session.execute(SPREAD, {"start": start, "seconds": seconds, "number": number})
        in_autocommit(session, "VACUUM ANALYZE schedules")
        if beside_fan_out:
            start_telling(session, _event_of(session))
        late = wait_until_fired(bed, session, start, number, 1.0)
    return [each * 1000 for each in late]


def _event_of(session: Session) -> int:
    return int(session.scalars(text("SELECT min(id) FROM events")).one())
