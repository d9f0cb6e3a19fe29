"""The gate at which jobs wait for the test that wrote them, and for the worker that runs them."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

GATE = 4711


@contextmanager
def closed(sessions: sessionmaker[Session]) -> Iterator[None]:
    """Keep the jobs that wait at the gate waiting inside the block."""
    with sessions() as holder:
        holder.execute(text("SELECT pg_advisory_xact_lock(:gate)"), {"gate": GATE})
        yield
        holder.rollback()


def is_open(session: Session) -> bool:
    """Say whether no test holds the gate."""
    statement = text("SELECT pg_try_advisory_xact_lock_shared(:gate)")
    return bool(session.scalar(statement, {"gate": GATE}))
