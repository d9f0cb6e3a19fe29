"""Schedules at their moment: ten thousand at once, and single ones on an idle system.

An item is public from the commit of the transaction that published it; PostgreSQL keeps that
moment (`track_commit_timestamp`), just before it flushes the log. A flush is a bare commit, which
is measured too and printed as the floor of the lateness. The floor of the crowd is one transaction
of bare statements that write documents which were finished beforehand.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.commits import commit_seconds
from bench.processes import Program
from bench.results import Result, percentile
from bench.sizes import Sizes
from bench.testbed import BenchError, Testbed, sessions_on
from dev.programs import WORKER_QUEUES

SINGLE_TARGET_MILLISECONDS = 250.0
_LEAD_SECONDS = 2.0
_MOST_SECONDS = 120.0


@dataclass(frozen=True)
class Setup:
    """Which workers run, how many processes each has, and in how many seconds all is to be done."""

    workers: Sequence[str]
    concurrency: int
    label: str
    target_seconds: float | None


SETUPS = (
    Setup(["worker-publishing"], 1, "one publishing process", 3.0),
    Setup(["worker-publishing"], 2, "two publishing processes", 3.0),
    # The followers are told meanwhile, so this is more work than the target speaks of.
    Setup([f"worker-{name}" for name in WORKER_QUEUES], 1, "every worker of `make run`", None),
)

_MAKE_DUE = text(
    "UPDATE schedules SET due_at = to_timestamp(:due_at)"
    " WHERE id IN (SELECT id FROM schedules WHERE state = 'pending' ORDER BY id LIMIT :number)"
)
_SPREAD = text(
    "UPDATE schedules SET due_at = to_timestamp(:start + random() * :seconds)"
    " WHERE id IN (SELECT id FROM schedules WHERE state = 'pending' ORDER BY id LIMIT :number)"
)
_ALL_FIRED = text("SELECT count(*) FROM schedules WHERE state = 'fired'")
_LATENESS = text(
    """
    SELECT extract(epoch FROM pg_xact_commit_timestamp(publications.xmin) - due_at)
    FROM publications JOIN schedules USING (content_id) WHERE state = 'fired'
    """
)
# What has to be written to make the items public, and nothing of what keeps the promises: no
# claim, no batches, no events, no jobs. The documents are put together beforehand.
_READY_MADE = text(
    """
    CREATE UNLOGGED TABLE ready_made AS
    SELECT schedules.id AS schedule_id, item.id AS content_id, version.id AS version_id,
        version.slug, item.author_id, version.category_id, version.tags,
        json_build_object('id', item.id, 'slug', version.slug, 'title', version.title,
                          'excerpt', rendering.excerpt, 'tags', version.tags,
                          'metadata', version.metadata, 'html', rendering.html) AS document,
        json_build_object('id', item.id, 'slug', version.slug, 'title', version.title,
                          'excerpt', rendering.excerpt, 'tags', version.tags,
                          'metadata', version.metadata) AS summary
    FROM schedules
    JOIN content AS item ON item.id = schedules.content_id
    JOIN content_versions AS version ON version.id = schedules.version_id
    JOIN renderings AS rendering ON rendering.version_id = version.id
    ORDER BY schedules.id LIMIT :number
    """
)
_BARE = (
    text("UPDATE content SET status = 'published', published_at = now() FROM ready_made"
         " WHERE content.id = ready_made.content_id"),
    text("INSERT INTO publications (content_id, version_id, slug, author_id, category_id, tags,"
         " document, summary, etag, published_at) SELECT content_id, version_id, slug, author_id,"
         " category_id, tags, document, summary, 'none', now() FROM ready_made"),
    text("UPDATE schedules SET state = 'fired' FROM ready_made WHERE id = schedule_id"),
)  # fmt: skip


def measure(bed: Testbed, sizes: Sizes, articles: str) -> list[Result]:
    """Take the floor, the crowd under each setup, then the few under the last."""
    floor = _floor(bed, sizes, articles)
    setups = SETUPS[: sizes.due_setups]
    crowds = [_crowd(bed, sizes, articles, floor, setup) for setup in setups]
    return [*crowds, *_singles(bed, sizes, articles, setups[-1])]


def _floor(bed: Testbed, sizes: Sizes, articles: str) -> float:
    bed.say(f"due: the floor of {sizes.due_at_once:,}")
    with bed.database("bench_due", articles) as url, sessions_on(url)() as session:
        session.execute(_READY_MADE, {"number": sizes.due_at_once})
        _settle(session)
        began = time.monotonic()
        for statement in _BARE:
            session.execute(statement)
        session.commit()
        return time.monotonic() - began


def _crowd(bed: Testbed, sizes: Sizes, articles: str, floor: float, setup: Setup) -> Result:
    """Let many schedules be due at one moment; returns the time until the last is public."""
    number = sizes.due_at_once
    bed.say(f"due: {number:,} at once, {setup.label}")
    with ExitStack() as stack:
        url = stack.enter_context(bed.database("bench_due", articles))
        session = stack.enter_context(sessions_on(url)())
        running = stack.enter_context(bed.workers(url, setup.workers, setup.concurrency))
        due_at = time.time() + _LEAD_SECONDS
        session.execute(_MAKE_DUE, {"due_at": due_at, "number": number})
        _settle(session)
        before = _cpu_seconds(bed, running)
        lateness = _wait_until_fired(bed, session, number)
        spent = {name: used - before[name] for name, used in _cpu_seconds(bed, running).items()}
    used = ", ".join(f"{name} {seconds:.2f}" for name, seconds in spent.items())
    note = f"seconds of processor time: {used}"
    return Result(f"{number:,} due at once, {setup.label}", max(lateness), "s", floor,
                  setup.target_seconds, note=note)  # fmt: skip


def _singles(bed: Testbed, sizes: Sizes, articles: str, setup: Setup) -> list[Result]:
    number = sizes.due_singly
    bed.say(f"due: {number} single schedules within {sizes.singly_within_seconds:g} s")
    with bed.database("bench_due", articles) as url, sessions_on(url)() as session:
        commit = commit_seconds(url) * 1000
        with bed.workers(url, setup.workers, setup.concurrency):
            start = time.time() + _LEAD_SECONDS
            moments = {"start": start, "seconds": sizes.singly_within_seconds, "number": number}
            session.execute(_SPREAD, moments)
            _settle(session)
            lateness = [late * 1000 for late in _wait_until_fired(bed, session, number, 1.0)]
    return [
        Result("single schedule, lateness p50", percentile(lateness, 50), "ms", commit,
               note="floor: a bare commit; from due_at to the commit that makes it public"),
        Result("single schedule, lateness p99", percentile(lateness, 99), "ms", commit,
               SINGLE_TARGET_MILLISECONDS, note=f"the latest of {number}: {max(lateness):.0f} ms"),
    ]  # fmt: skip


def _cpu_seconds(bed: Testbed, running: Mapping[str, Program]) -> dict[str, float]:
    used = {name: program.cpu_seconds() for name, program in running.items()}
    return {"PostgreSQL": bed.postgres_cpu_seconds(), **used}


def _wait_until_fired(
    bed: Testbed, session: Session, number: int, poll_seconds: float = 0.25
) -> list[float]:
    """Return how late each was, in seconds, once all are fired."""

    def all_fired() -> bool:
        fired = session.scalars(_ALL_FIRED).one()
        session.commit()
        return int(fired) == number

    bed.wait(all_fired, f"{number} schedules are fired", None, _MOST_SECONDS, poll_seconds)
    lateness = [float(late) for late in session.scalars(_LATENESS)]
    session.commit()
    if len(lateness) != number:
        raise BenchError(f"{len(lateness)} of {number} items are public.")
    return lateness


def _settle(session: Session) -> None:
    """Commit, and do what autovacuum would have done since the schedules were made."""
    session.commit()
    connection = session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
    connection.execute(text("VACUUM ANALYZE schedules"))
    session.commit()
