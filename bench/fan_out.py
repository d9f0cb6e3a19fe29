"""Fan-out: one event to a million followers, against the bare INSERT … SELECT of the same rows."""

import time
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.followers import (
    FollowedAuthor,
    make_author,
    make_event,
    make_readers,
    start_telling,
    want_mail,
)
from bench.processes import Memory
from bench.results import Result, median
from bench.sizes import Sizes
from bench.testbed import BenchError, Testbed, sessions_on

TARGET = 0.5
WORKER = "worker-notifications"
_MOST_SECONDS = 600.0

_BARE_INBOX = text(
    "INSERT INTO notifications (user_id, event_id)"
    " SELECT user_id, :event_id FROM follows WHERE author_id = :author_id ORDER BY user_id"
)
_BARE_MAILS = text(
    "INSERT INTO mail_deliveries (event_id, user_id)"
    " SELECT :event_id, user_id FROM follows WHERE author_id = :author_id ORDER BY user_id"
)
_STATE = text(
    "SELECT recipients, extract(epoch FROM fanned_out_at) AS ended_at"
    " FROM events WHERE id = :event_id"
)
_COUNT = text("SELECT count(*) FROM notifications WHERE event_id = :event_id")


@dataclass(frozen=True)
class FanOut:
    """The results, and what the worker took of memory before and after the million."""

    results: list[Result]
    idle: list[Memory]
    after: list[Memory]


def measure(bed: Testbed, sizes: Sizes) -> FanOut:
    """Tell followers in the inbox alone, then fewer of them by mail as well."""
    with bed.database("bench_fan_out") as url, sessions_on(url)() as session:
        bed.say(f"fan-out: making {sizes.followers:,} followers")
        make_readers(session, sizes.followers)
        author = make_author(session, "bench-author", sizes.followers)
        mailed = make_author(session, "bench-mailed", sizes.mailed_followers)
        with bed.workers(url, [WORKER]) as running:
            idle = running[WORKER].memory()
            result = _compare(bed, session, author, mail=False)
            after = running[WORKER].memory()
            want_mail(session)
            with_mail = _compare(bed, session, mailed, mail=True)
    return FanOut([result, with_mail], idle, after)


def _compare(bed: Testbed, session: Session, author: FollowedAuthor, *, mail: bool) -> Result:
    """Take the floor, the job, and the floor again, each on tables that are empty."""
    channels = "inbox and mail queue" if mail else "inbox"
    bed.say(f"fan-out: {author.followers:,} followers, {channels}: floor, job, floor, job, floor")
    floors, values = [], []
    for number in range(1, 6):
        event_id = make_event(session, author, number)
        _empty(session)
        if number % 2:
            floors.append(author.followers / _bare_seconds(session, author, event_id, mail=mail))
        else:
            values.append(author.followers / _job_seconds(bed, session, author, event_id))
    return Result(
        f"fan-out to {author.followers:,}, {channels}", median(values), "rows/s", median(floors),
        None if mail else TARGET, more_is_better=True, target_is_ratio=True,
        note="floor: the bare INSERT … SELECT"
        + (" into both tables" if mail else "")
        + f", {min(floors):,.0f} to {max(floors):,.0f}; from the job's commit to the last chunk's",
    )  # fmt: skip


def _bare_seconds(session: Session, author: FollowedAuthor, event_id: int, *, mail: bool) -> float:
    parameters = {"event_id": event_id, "author_id": author.actor.user_id}
    began = time.monotonic()
    session.execute(_BARE_INBOX, parameters)
    if mail:
        session.execute(_BARE_MAILS, parameters)
    session.commit()
    return time.monotonic() - began


def _job_seconds(bed: Testbed, session: Session, author: FollowedAuthor, event_id: int) -> float:
    start_telling(session, event_id)
    began_at = time.time()  # The database's clock is this machine's.
    ended: list[float] = []

    def is_told() -> bool:
        row = session.execute(_STATE, {"event_id": event_id}).one()
        session.commit()
        ended.extend([] if row.ended_at is None else [float(row.ended_at)])
        return bool(ended)

    bed.wait(is_told, f"event {event_id} is told", seconds=_MOST_SECONDS)
    told = session.scalars(_COUNT, {"event_id": event_id}).one()
    session.commit()
    if told != author.followers:
        raise BenchError(f"{told} of {author.followers} followers were told.")
    return ended[0] - began_at


def _empty(session: Session) -> None:
    """Give each run the same state: no rows, and no checkpoint due."""
    session.execute(text("TRUNCATE notifications, mail_deliveries"))
    session.commit()
    connection = session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
    connection.execute(text("CHECKPOINT"))
    session.commit()
