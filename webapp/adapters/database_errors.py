"""Which errors of the database pass by themselves, and what may be said of one."""

import psycopg
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# All that the use of the database raises, by the pool of connections as well.
DatabaseError = DBAPIError | PoolTimeoutError | psycopg.Error
DATABASE_ERRORS = (DBAPIError, PoolTimeoutError, psycopg.Error)
# https://www.postgresql.org/docs/current/errcodes-appendix.html. The server refuses writes, as a
# standby and a primary that was demoted do; it shuts down, has crashed, or starts.
READ_ONLY = "25006"
SHUTTING_DOWN = frozenset({"57P01", "57P02", "57P03"})
# The server ended the session that waited too long in a transaction, or worked too long at one.
SESSION_ENDED = frozenset({"25P03", "25P04", "57P05"})
CONNECTION_TROUBLE = "08"
UNDEFINED_TABLE = "42P01"
NEEDS_POOLER_SETTING = (
    "a pooler stands before PostgreSQL and does not pass the session's settings on; set"
    " IMPRINT_DATABASE_POOLER=transaction, or connect to PostgreSQL itself"
)
_REFUSED_BY_POOLER = "unsupported startup parameter"


class DroppedOptionsError(psycopg.OperationalError):
    """The time-outs of a connection did not arrive at the server, so it must not be used."""

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(NEEDS_POOLER_SETTING)


def sqlstate_of(error: BaseException | None) -> str:
    """Return PostgreSQL's code of an error, or nothing."""
    return str(getattr(error, "sqlstate", None) or "")


def constraint_of(error: BaseException | None) -> str:
    """Return the name of the constraint or unique index that an error is about, or nothing."""
    diagnosis = error.diag.constraint_name if isinstance(error, psycopg.Error) else None
    return diagnosis or ""


def ends_connection(error: BaseException | None) -> bool:
    """Say whether a connection that met this error is of no use any more.

    One to a server that has become read-only still answers, and would refuse each write for as long
    as it is kept.
    """
    state = sqlstate_of(error)
    return (
        state == READ_ONLY
        or state in SHUTTING_DOWN
        or state in SESSION_ENDED
        or state.startswith(CONNECTION_TROUBLE)
    )


def is_passing(error: BaseException) -> bool:
    """Say whether the same may go well later, because the database is busy, away or read-only."""
    if isinstance(error, DBAPIError):
        is_lost = error.connection_invalidated or isinstance(error, OperationalError)
        return is_lost or ends_connection(error.orig)
    has_waited = isinstance(error, PoolTimeoutError | psycopg.OperationalError)
    return has_waited or ends_connection(error)


def describe(error: BaseException | None) -> str:
    """Return the first line of what PostgreSQL said; the others may hold the values of a row."""
    said = error.orig if isinstance(error, DBAPIError) else error
    line = str(said).strip().partition("\n")[0]
    return f"{line}: {NEEDS_POOLER_SETTING}" if _REFUSED_BY_POOLER in line else line
