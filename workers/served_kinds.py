"""What a worker notes now and then: the kinds that it serves, and how far its clock is off.

So kinds that nobody serves stand out.
"""

import math
import time

from webapp.services.operations import clocks

NOTED_EVERY_SECONDS = 10.0


class ServedKinds:
    """Remembers when this process last noted each kind; once in some seconds is enough."""

    def __init__(self) -> None:
        """Begin with no kind noted."""
        self._due_at: dict[str, float] = {}
        self._clock_due_at = -math.inf

    def is_due(self, kind: str) -> bool:
        """Say whether a start of this kind shall be noted now, and take it for noted."""
        now = time.monotonic()
        if now < self._due_at.get(kind, now):
            return False
        self._due_at[kind] = now + NOTED_EVERY_SECONDS
        return True

    def is_clock_due(self) -> bool:
        """Say whether this process shall hold its clock against PostgreSQL's, and take it for done.

        That is as it notes a start, so a process that does nothing writes nothing.
        """
        now = time.monotonic()
        if now < self._clock_due_at:
            return False
        self._clock_due_at = now + clocks.READ_EVERY_SECONDS
        return True
