"""A costly answer that is made once for all who ask at the same time."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """The newest value, good for some time after it was made.

    One caller makes it and the others wait for that, so many who ask cost no more than one.
    """

    def __init__(self, seconds: float) -> None:
        """Hold nothing yet."""
        self._seconds = seconds
        self._lock = threading.Lock()
        self._value: Value | None = None
        self._made_at = 0.0

    def get(self, make: Callable[[], Value]) -> Value:
        """Return the value, made anew where it has grown old. What `make` raises is not kept."""
        with self._lock:
            if self._value is None or time.monotonic() - self._made_at >= self._seconds:
                self._value = make()
                self._made_at = time.monotonic()
            return self._value
