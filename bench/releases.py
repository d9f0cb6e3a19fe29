"""A release of ten thousand items: live in one transaction, and put back in one.

The floor is the bare statement that writes the rows of so many publications
(`bench/bare_publishing.py`), on a copy of the same database. Each run has a copy of its own; runs
and floors alternate, and the medians are compared. What was published is put back to not public,
and what was withdrawn to public, because the two ways back are different work.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.articles import make_account
from bench.bare_publishing import Meter, Spent, make_ready, publish_bare
from bench.due_days import in_autocommit
from bench.results import Result, median
from bench.sizes import Sizes
from bench.testbed import BenchError, Testbed, sessions_on
from webapp.kit.roles import RoleName
from webapp.services.accounts.actors import Actor
from webapp.services.publishing import going_live, release_rows, release_undo

TARGET = 1.5
DATABASE = "bench_release"
_LATE_ENOUGH = 1e9

_FILL = text(
    """
    WITH chosen AS (
        SELECT content_id, version_id, row_number() OVER (ORDER BY id) AS position
        FROM schedules WHERE state = 'pending' ORDER BY id LIMIT :number
    ), release AS (
        INSERT INTO releases (name, state, due_at) VALUES (:action, 'scheduled', clock_timestamp())
        RETURNING id
    )
    INSERT INTO release_entries (release_id, content_id, action, version_id, position, seen_public,
        seen_sequence, prepared_at)
    SELECT release.id, content_id, :action, CASE WHEN :action = 'publish' THEN version_id END,
        position, status = 'published', publish_sequence, clock_timestamp()
    FROM chosen JOIN content ON content.id = content_id, release
    """
)
_NEWEST = text("SELECT max(id) FROM releases")
_PUBLIC = text("SELECT count(*) FROM publications")


@dataclass
class Runs:
    """What each run took, by what was done."""

    floors: list[Spent] = field(default_factory=list)
    live: list[Spent] = field(default_factory=list)
    withdrawn_again: list[Spent] = field(default_factory=list)
    public_again: list[Spent] = field(default_factory=list)


def measure(bed: Testbed, sizes: Sizes, articles: str) -> list[Result]:
    """Take floor and release in turn."""
    runs = Runs()
    for _ in range(sizes.due_rounds + 1):
        _take_floor(bed, sizes, articles, runs)
        _take_release(bed, sizes, articles, runs)
    number = f"{sizes.due_at_once:,}"
    return [
        _result(f"a release of {number} items goes live", runs.live, runs.floors),
        _result(f"{number} new items put back to not public", runs.withdrawn_again, runs.floors),
        _result(f"{number} withdrawn items put back to public", runs.public_again, runs.floors),
    ]


def _take_floor(bed: Testbed, sizes: Sizes, articles: str, runs: Runs) -> None:
    bed.say(f"release: the floor of {sizes.due_at_once:,}")
    with bed.database(DATABASE, articles) as url, sessions_on(url)() as session:
        make_ready(session, sizes.due_at_once)
        in_autocommit(session, "VACUUM ANALYZE schedules")
        runs.floors.append(publish_bare(bed, session))


def _take_release(bed: Testbed, sizes: Sizes, articles: str, runs: Runs) -> None:
    number = sizes.due_at_once
    bed.say(f"release: {number:,} items")
    with bed.database(DATABASE, articles) as url, sessions_on(url)() as session:
        login = "bench-release"
        actor = Actor(make_account(session, login, RoleName.EDITOR), login, RoleName.EDITOR)
        session.commit()
        release_id = _put_together(session, number, "publish")
        # The schedules of the articles would end with it, which is other work.
        session.execute(text("UPDATE schedules SET state = 'cancelled' WHERE state = 'pending'"))
        in_autocommit(session, "VACUUM ANALYZE")
        runs.live.append(_timed(bed, session, lambda: _go_live(session, release_id)))
        _expect(session, number)
        runs.withdrawn_again.append(
            _timed(bed, session, lambda: _undo(session, actor, release_id, number))
        )
        _expect(session, 0)
        session.execute(text("UPDATE schedules SET state = 'pending'"))
        again = _put_together(session, number, "publish")
        session.execute(text("UPDATE schedules SET state = 'cancelled'"))
        session.commit()
        _go_live(session, again)
        session.execute(text("UPDATE schedules SET state = 'pending'"))
        withdrawal = _put_together(session, number, "unpublish")
        session.execute(text("UPDATE schedules SET state = 'cancelled'"))
        session.commit()
        _go_live(session, withdrawal)
        in_autocommit(session, "VACUUM ANALYZE")
        runs.public_again.append(
            _timed(bed, session, lambda: _undo(session, actor, withdrawal, number))
        )
        _expect(session, number)


def _put_together(session: Session, number: int, action: str) -> int:
    session.execute(_FILL, {"number": number, "action": action})
    release_id = session.scalars(_NEWEST).one()
    session.commit()
    return int(release_id)


def _timed(bed: Testbed, session: Session, act: Callable[[], None]) -> Spent:
    meter = Meter(bed, session)
    began = time.monotonic()
    act()
    return meter.read(time.monotonic() - began)


def _go_live(session: Session, release_id: int) -> None:
    revision = release_rows.find(session, release_id).revision
    outcome = going_live.go_live(session, release_id, revision, missed_after_seconds=_LATE_ENOUGH)
    session.commit()
    if outcome is None or outcome.state != "live":
        raise BenchError(f"The release did not go live: {outcome}.")


def _undo(session: Session, actor: Actor, release_id: int, number: int) -> None:
    undone = release_undo.undo(session, actor, release_id, None, None)
    session.commit()
    if undone.put_back != number:
        raise BenchError(f"{undone.put_back} of {number} items were put back.")


def _expect(session: Session, number: int) -> None:
    public = session.scalars(_PUBLIC).one()
    session.commit()
    if public != number:
        raise BenchError(f"{public} of {number} items are public.")


def _result(measure: str, runs: list[Spent], floors: list[Spent]) -> Result:
    floor = median([one.seconds for one in floors])
    postgres = median([one.postgres_seconds for one in runs])
    bare = median([one.postgres_seconds for one in floors])
    return Result(
        measure,
        median([one.seconds for one in runs]),
        "s",
        floor,
        TARGET,
        target_is_ratio=True,
        note=f"processor time of PostgreSQL {postgres:.2f} s, of the floor {bare:.2f} s; log"
        f" {median([one.log_bytes for one in runs]) / 1e6:.0f} MB, of the floor"
        f" {median([one.log_bytes for one in floors]) / 1e6:.0f} MB",
    )
