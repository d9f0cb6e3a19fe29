"""How late schedules fire, counted where it happens and read by whoever asks for figures."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from webapp.models import ScheduleDelay
from webapp.models.arrays import IdArray

BOUNDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0, math.inf)
"""The upper bounds of the buckets, in seconds."""

# The last statement but one of a batch, so that what it took is in it, and in the order of the
# bounds, so that two batches cannot deadlock. A clock that went back since is no earliness.
_COUNT = text(
    f"""
    INSERT INTO schedule_delays (up_to_seconds, schedules, seconds)
    SELECT bound, count(*), sum(late)
    FROM (
        SELECT greatest(0, extract(epoch FROM clock_timestamp() - due_at))::float8 AS late
        FROM schedules WHERE id = ANY (:schedule_ids)
    ) AS fired
    CROSS JOIN LATERAL (
        SELECT min(bound) AS bound
        FROM unnest(CAST('{{{",".join(str(bound) for bound in BOUNDS)}}}' AS float8[])) AS bound
        WHERE late <= bound
    ) AS bucket
    GROUP BY bound ORDER BY bound
    ON CONFLICT (up_to_seconds) DO UPDATE SET
        schedules = schedule_delays.schedules + excluded.schedules,
        seconds = schedule_delays.seconds + excluded.seconds
    """  # noqa: S608 - the bounds are constants of the code
).bindparams(bindparam("schedule_ids", type_=IdArray()))


@dataclass(frozen=True)
class Lateness:
    """How many schedules fired up to each bound, those of lower bounds included, and their sum."""

    up_to: dict[float, int]
    seconds: float


def count(session: Session, schedule_ids: Sequence[int]) -> None:
    """Count schedules that fire in this transaction by how late they are now."""
    if schedule_ids:
        session.execute(_COUNT, {"schedule_ids": schedule_ids})


def read(session: Session) -> Lateness:
    """Return the counts since the table was made; they only grow."""
    rows = session.scalars(select(ScheduleDelay)).all()
    up_to = {
        bound: sum(row.schedules for row in rows if row.up_to_seconds <= bound) for bound in BOUNDS
    }
    return Lateness(up_to, sum(row.seconds for row in rows))
