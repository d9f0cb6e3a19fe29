"""How a dispatcher waits: until a moment, until somebody notifies, or until it is asked to end."""

import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row

from webapp.adapters.database_connections import open_connection
from webapp.adapters.database_parameters import ConnectionPlan
from webapp.jobs.outbox import WAKE_CHANNEL
from webapp.services.operations import outlook
from webapp.services.operations.outlook import Outlook


class StopBell:
    """Ends a wait from a signal handler or from another thread, once it can be heard."""

    def __init__(self) -> None:
        """Ring nowhere yet."""
        self._asked = threading.Event()
        self._pipe: tuple[int, int] | None = None
        # Taken a second time by a signal that comes while it is held.
        self._lock = threading.RLock()

    @property
    def is_rung(self) -> bool:
        """Whether somebody has asked to stop."""
        return self._asked.is_set()

    def ring(self) -> None:
        """Ask to stop, and end the wait that is under way."""
        self._asked.set()
        with self._lock:
            if self._pipe is not None:
                os.write(self._pipe[1], b"!")

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Let waits within the block be ended."""
        self._pipe = ends = os.pipe()
        try:
            yield
        finally:
            with self._lock:
                self._pipe = None
                for end in ends:
                    os.close(end)

    def wait(self, seconds: float, *others: int) -> None:
        """Wait so long, or until it is rung or one of some other descriptors can be read."""
        waiting = select.poll()
        for descriptor in others if self._pipe is None else (self._pipe[0], *others):
            waiting.register(descriptor, select.POLLIN)
        # Rounded up to a millisecond, so that a moment has come when the wait for it ends.
        waiting.poll(0 if self.is_rung else max(0.0, seconds) * 1000)


class Ear:
    """A session of its own that looks for what is to do and hears of what comes.

    Whatever is committed before a notification is sent is seen by the look that follows it, and a
    notification that comes during a look ends the next wait at once.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        """Take over a connection that is open."""
        self._connection = connection
        self._looking = connection.cursor(row_factory=dict_row)
        self._has_heard = False
        self.leads = False

    @classmethod
    @contextmanager
    def opened(cls, plan: ConnectionPlan) -> Iterator["Ear"]:
        """Connect, and listen within the block. Raises psycopg.OperationalError."""
        with open_connection(plan) as connection:
            ear = cls(connection)
            connection.add_notify_handler(ear._hear)
            connection.execute(outlook.SESSION_SETTINGS)
            connection.execute(f"LISTEN {WAKE_CHANNEL}")
            connection.prepare_threshold = 0  # It leads to one server, and asks one thing for ever.
            yield ear

    def look(self, redispatch_seconds: float) -> Outlook:
        """Look once, with one statement."""
        self._has_heard = False
        found = outlook.look(self._execute, redispatch_seconds, leads=self.leads)
        self.leads = found.leads
        return found

    def wait(self, seconds: float, stop: StopBell) -> bool:
        """Wait so long, or until there is something to hear or to stop; say whether it heard.

        Raises psycopg.OperationalError where the server has gone.
        """
        if not self._has_heard:
            stop.wait(seconds, self._connection.fileno())
            self._connection.pgconn.consume_input()
            while self._connection.pgconn.notifies() is not None:
                self._has_heard = True
        return self._has_heard

    def _hear(self, _notification: psycopg.Notify) -> None:
        self._has_heard = True

    def _execute(self, statement: str, parameters: Any) -> DictRow:  # noqa: ANN401 - psycopg's
        row = self._looking.execute(statement.encode(), parameters).fetchone()
        assert row is not None, "it has no FROM that could be empty"  # noqa: S101
        return row
