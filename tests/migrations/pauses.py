"""Places at which a migration can be held up, so that it can be killed there and nowhere else."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from sqlalchemy import Connection, Engine, text

from tests.patience import HANG_SECONDS

KEY = 815

# An event trigger waits at the end of each command that changes the schema, a trigger on each
# table after each statement that changes rows; both wait for KEY, which is free but in a test.
INSTALL = f"""
CREATE SCHEMA pauses;
CREATE FUNCTION pauses.after_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared({KEY});
    RETURN NULL;
END
$$;
CREATE FUNCTION pauses.after_command() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared({KEY});
END
$$;
DO $$
DECLARE
    named text;
BEGIN
    FOR named IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    LOOP
        EXECUTE format('CREATE TRIGGER pause AFTER INSERT OR UPDATE OR DELETE ON public.%%I'
            ' FOR EACH STATEMENT EXECUTE FUNCTION pauses.after_rows()', named);
    END LOOP;
END
$$;
CREATE EVENT TRIGGER pause ON ddl_command_end EXECUTE FUNCTION pauses.after_command();
"""
REMOVE = "DROP EVENT TRIGGER pause; DROP SCHEMA pauses CASCADE"

FIND_WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'"
)


class Place(StrEnum):
    """Where in a step a migration is held up."""

    FIRST_CHANGE = "after its first change"
    RECORD = "before it is recorded"


@contextmanager
def hold_up(engine: Engine, place: Place) -> Iterator[None]:
    """Let a migration that other processes start get as far as this place of a step."""
    if place is Place.RECORD:
        # Its revision can be read, and not be written.
        with engine.begin() as holder:
            holder.execute(text("LOCK TABLE alembic_version IN SHARE MODE"))
            yield
        return
    with engine.begin() as connection:
        connection.exec_driver_sql(INSTALL)
    with engine.begin() as holder:
        holder.execute(text(f"SELECT pg_advisory_xact_lock({KEY})"))
        yield
    with engine.begin() as connection:
        connection.exec_driver_sql(REMOVE)


def wait_until_held_up(connection: Connection) -> None:
    """Return when another connection to this database waits for a lock, or raise TimeoutError."""
    deadline = time.monotonic() + HANG_SECONDS
    while time.monotonic() < deadline:
        waiting = connection.scalar(FIND_WAITING)
        connection.rollback()
        if waiting:
            return
        time.sleep(0.02)
    raise TimeoutError("No migration came to the place where it should be held up.")
