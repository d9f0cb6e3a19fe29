"""A request to stop (Ctrl-C, SIGTERM, a closed terminal), noticed at points that can bear it.

The handlers only take a note. One that raised an exception could do so in the middle of anything,
such as between taking a lock and being ready to give it back, which then hangs the stopping.
"""

import signal
import time
from types import FrameType

_SLICE_SECONDS = 0.1


class StopRequestedError(Exception):
    """Somebody asked this process to stop."""


class StopSignal:
    """Whether SIGINT, SIGTERM or SIGHUP has come since `listen()`."""

    def __init__(self) -> None:
        self._requested = False

    def listen(self) -> None:
        """Take notes from now on; to be called in the main thread."""
        # A shell starts background commands with SIGINT ignored; it is wanted all the same.
        signal.signal(signal.SIGINT, self._note)
        signal.signal(signal.SIGTERM, self._note)
        # Under nohup, SIGHUP is ignored on purpose.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._note)

    def check(self) -> None:
        """Raise StopRequestedError when a request has come."""
        if self._requested:
            raise StopRequestedError

    def pause(self, seconds: float) -> None:
        """Sleep, but raise StopRequestedError within 0.1 s of a request."""
        deadline = time.monotonic() + seconds
        self.check()
        while (remaining := deadline - time.monotonic()) > 0:
            time.sleep(min(_SLICE_SECONDS, remaining))
            self.check()

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._requested = True
