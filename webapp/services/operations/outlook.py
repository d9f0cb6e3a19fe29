"""What a dispatcher sees when it looks: what there is to do now, and when the next will be due.

One statement in one snapshot, so that a round in which there is nothing to do costs one round trip.
It asks indexes for the first of each, and reads no more of a queue than may be out at once. Moments
are compared with `statement_timestamp()`: an index finds rows by it, which by `clock_timestamp()`,
another value for each row, it cannot.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy.orm import Session

from webapp.jobs.messages import FireSchedules
from webapp.jobs.pauses import plan_by_index
from webapp.jobs.queues import Queue

LEADER_LOCK = 0x696D_7072_0004
"""An advisory lock key of Imprint's own: the dispatcher that looks first."""
SESSION_SETTINGS = "SET enable_seqscan = off; SET enable_bitmapscan = off; SET jit = off"
"""For a session that looks: its plan stays, and was made when the tables were of another size."""

_LOOK = f"""
SELECT
    extract(epoch FROM statement_timestamp())::float8 AS now,
    CASE WHEN %(leads)s THEN true ELSE pg_try_advisory_lock({LEADER_LOCK}) END AS leads,
    EXISTS (SELECT FROM schedules WHERE state = 'pending' AND due_at <= statement_timestamp())
        AND NOT EXISTS (
            SELECT FROM job_pauses
            WHERE (ends_at IS NULL OR ends_at > statement_timestamp())
              AND (scope = 'queue' AND target = '{FireSchedules.queue.value}'
                   OR scope = 'kind' AND target = '{FireSchedules.kind}')
        ) AS are_schedules_due,
    queues.*,
    EXISTS (SELECT FROM job_pauses) AS has_pauses,
    EXISTS (SELECT FROM jobs WHERE state = 'running') AS has_running,
    EXISTS (
        SELECT FROM jobs WHERE state = 'running' AND lease_until < statement_timestamp()
    ) AS have_leases_ended,
    coalesce((SELECT max(id) FROM activity_logs), 0)
        > coalesce((SELECT max(until_id) FROM activity_blocks), 0) AS has_unsealed,
    extract(epoch FROM least(
        queues.later_at, queues.answer_until,
        (SELECT due_at FROM schedules
         WHERE state = 'pending' AND due_at > statement_timestamp() ORDER BY due_at LIMIT 1),
        (SELECT min(ends_at) FROM job_pauses WHERE ends_at > statement_timestamp()),
        (SELECT lease_until FROM jobs
         WHERE state = 'running' AND lease_until >= statement_timestamp()
         ORDER BY lease_until LIMIT 1)
    ) - clock_timestamp())::float8 AS seconds_to_next
FROM (
    SELECT
        coalesce(array_agg(queue) FILTER (WHERE due > 0), '{{}}') AS due,
        coalesce(array_agg(queue) FILTER (WHERE fresh > 0), '{{}}') AS fresh,
        coalesce(array_agg(queue) FILTER (WHERE hinted_at IS NOT NULL), '{{}}') AS hinted,
        coalesce(array_agg(queue) FILTER (
            WHERE answer_until <= statement_timestamp()), '{{}}') AS unanswered,
        min(answer_until) FILTER (WHERE answer_until > statement_timestamp()) AS answer_until,
        min(later_at) AS later_at
    FROM unnest(%(queues)s::text[]) AS wanted (queue)
    CROSS JOIN LATERAL (
        SELECT count(*) AS due, count(*) FILTER (WHERE dispatched_at IS NULL) AS fresh,
            min(dispatched_at) AS hinted_at,
            min(dispatched_at) + make_interval(secs => %(redispatch_seconds)s) AS answer_until
        FROM (
            SELECT dispatched_at FROM jobs
            WHERE jobs.queue = wanted.queue AND state = 'ready'
              AND run_at <= statement_timestamp()
            ORDER BY run_at LIMIT %(most)s
        ) AS first
    ) AS head
    LEFT JOIN LATERAL (
        SELECT run_at AS later_at FROM jobs
        WHERE jobs.queue = wanted.queue AND state = 'ready' AND run_at > statement_timestamp()
        ORDER BY run_at LIMIT 1
    ) AS later ON true
) AS queues
"""  # noqa: S608 - the parts are constants of the code
_MOST = max(queue.window for queue in Queue)


@dataclass(frozen=True)
class Outlook:
    """What one look has found.

    `now` is PostgreSQL's clock in seconds of the epoch. `due` are the queues with a job that may
    start, `fresh` those with one that has no hint yet, `hinted` those with one that has, and
    `unanswered` those whose oldest hint should be sent again. Schedules are due where the moment of
    one has come and their firing is not paused; another one of the item may have to go first.
    `seconds_to_next` is how long until the next moment at which there may be something else to do.
    """

    now: float
    leads: bool
    are_schedules_due: bool
    due: frozenset[str]
    fresh: frozenset[str]
    hinted: frozenset[str]
    unanswered: frozenset[str]
    has_pauses: bool
    has_running: bool
    have_leases_ended: bool
    has_unsealed: bool
    seconds_to_next: float | None


_NAMES = tuple(field.name for field in fields(Outlook))
_SETS = frozenset({"due", "fresh", "hinted", "unanswered"})


def look(
    execute: Callable[[str, Mapping[str, Any]], Mapping[str, Any]],
    redispatch_seconds: float,
    *,
    leads: bool,
) -> Outlook:
    """Look by means of `execute`, which sends psycopg's SQL and returns the row by its names.

    Who does not lead yet tries to: the session whose lock it is leads until it ends. Where there is
    no session to lead by, `leads` is true.
    """
    row = execute(
        _LOOK,
        {
            "leads": leads,
            "queues": [queue.value for queue in Queue],
            "redispatch_seconds": redispatch_seconds,
            "most": _MOST,
        },
    )
    values: dict[str, Any] = {
        name: frozenset(row[name]) if name in _SETS else row[name] for name in _NAMES
    }
    return Outlook(**values)


def look_in(session: Session, redispatch_seconds: float) -> Outlook:
    """Look within a transaction, where no session is kept for it."""
    plan_by_index(session)

    def execute(statement: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        result = session.connection().exec_driver_sql(statement, dict(parameters))
        return dict(result.mappings().one())

    return look(execute, redispatch_seconds, leads=True)
