"""What a worker notes of the kinds that it serves, so that those which nobody serves stand out."""

import time

NOTED_EVERY_SECONDS = 10.0


class ServedKinds:
    """Remembers when this process last noted each kind; once in some seconds is enough."""

    def __init__(self) -> None:
        """Begin with no kind noted."""
        self._due_at: dict[str, float] = {}

    def is_due(self, kind: str) -> bool:
        """Say whether a start of this kind shall be noted now, and take it for noted."""
        now = time.monotonic()
        if now < self._due_at.get(kind, now):
            return False
        self._due_at[kind] = now + NOTED_EVERY_SECONDS
        return True
