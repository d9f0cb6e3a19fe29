"""The clocks of the machines, held against PostgreSQL's, which alone decides what is due.

A process's own clock stands in its log lines, in the dates of mails and in what it tells of time to
other servers. Where it is off nothing fires early or late, but those are wrong, so it is told of.
"""

import socket
import time
from dataclasses import dataclass
from functools import cache

import structlog
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

log = structlog.get_logger()

LIMIT_SECONDS = 2.0
"""How far a clock may be off before it is told of."""
READ_EVERY_SECONDS = 60.0
_SHOWN_SECONDS = 3600

_NOTE = text(
    """
    INSERT INTO clock_readings (host, role, ahead_seconds, read_at)
    VALUES (:host, :role, :ahead_seconds, clock_timestamp())
    ON CONFLICT (host, role) DO UPDATE
    SET ahead_seconds = excluded.ahead_seconds, read_at = excluded.read_at
    """
)
_SHOWN = text(
    """
    SELECT host, role, ahead_seconds FROM clock_readings
    WHERE read_at > clock_timestamp() - make_interval(secs => :seconds)
    ORDER BY host, role LIMIT 1000
    """
)


@dataclass(frozen=True)
class Clock:
    """A process's clock: its seconds before PostgreSQL's, or behind it where they are negative."""

    host: str
    role: str
    ahead_seconds: float

    @property
    def is_off(self) -> bool:
        """Whether it is further off than a clock may be."""
        return abs(self.ahead_seconds) > LIMIT_SECONDS


@cache
def host() -> str:
    """Return the name of this machine, or container."""
    return socket.gethostname()


def read_own(session: Session, role: str) -> Clock:
    """Hold the clock of this process against PostgreSQL's, from the middle of the way there."""
    before = time.time()
    theirs = session.scalars(select(func.extract("epoch", func.clock_timestamp()))).one()
    return Clock(host(), role, (before + time.time()) / 2 - float(theirs))


def note_own(session: Session, role: str) -> Clock:
    """Read the clock of this process, keep it for the others to see, and log it where it is off."""
    clock = read_own(session, role)
    session.execute(_NOTE, {"host": clock.host, "role": role, "ahead_seconds": clock.ahead_seconds})
    if clock.is_off:
        log.warning("clock.off", role=role, ahead_seconds=round(clock.ahead_seconds, 3))
    return clock


def read_clocks(session: Session, own_role: str) -> list[Clock]:
    """Return the clocks of all who noted theirs within an hour, and this process's own now."""
    noted = [Clock(*row) for row in session.execute(_SHOWN, {"seconds": _SHOWN_SECONDS})]
    return [read_own(session, own_role), *noted]
