"""How a worker ends that is asked to stop: its job is done or put back, and no start is lost.

Celery's own ways wait for a job as long as it takes (its warm shutdown), or sleep for a fixed time
whether the job ends or not and then drop it (its soft and cold ones). Here the first signal asks:
the job at hand goes on, handlers that work in steps end with the present one, and no other job is
taken. A second signal, or the end of the grace, cuts a job off that may be cut off; its transaction
is rolled back and the job is ready again at once.
"""

import mmap
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

log = structlog.get_logger()

# How soon the processes that run jobs notice what their main process was asked, in seconds.
LOOK_SECONDS = 0.1
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
_CUT_OFF_SIGNAL = signal.SIGUSR2


class JobCutOff(SystemExit):
    """The job at hand ends now, wherever it is.

    A SystemExit, because neither handlers nor libraries may take it for an error that they can
    deal with, and psycopg cancels a statement that runs.
    """


class StopRequest:
    """What the main process was asked, in memory that it shares with the processes that it forks.

    It has to be made before they are. Nobody is asked in a process that is no worker's, such as a
    test's.
    """

    def __init__(self) -> None:
        self._signals = mmap.mmap(-1, 1)
        self._may_cut_off = False
        self._is_time_over = False

    @property
    def is_asked(self) -> bool:
        """Whether no other job may begin."""
        return self._signals[0] > 0

    @property
    def is_urgent(self) -> bool:
        """Whether the job at hand may not end in its own time either."""
        return self._signals[0] > 1

    def ask(self) -> None:
        """Note one more request to stop. Safe in a signal handler."""
        self._signals[0] = min(self._signals[0] + 1, 2)

    def listen(self, then: Callable[[], None]) -> None:
        """Take the signals to stop, in the main process; `then` is called after each.

        They come to a whole process group as well, so the processes that run jobs do not listen,
        and one that was forked a moment ago, with this handler, does not count them again.
        """
        main_process = os.getpid()

        def note(_number: int, _frame: object) -> None:
            if os.getpid() == main_process:
                self.ask()
                then()

        for number in STOP_SIGNALS:
            signal.signal(number, note)

    def obey(self, grace_seconds: float) -> None:
        """Follow the main process, in one that runs jobs in its main thread."""
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        signal.signal(_CUT_OFF_SIGNAL, self._cut_off)
        watch = threading.Thread(
            target=self._watch,
            args=(threading.get_ident(), grace_seconds),
            name="stop-watch",
            daemon=True,
        )
        watch.start()

    @contextmanager
    def may_cut_off(self) -> Iterator[None]:
        """Let a job be cut off inside the block, which then ends with JobCutOff."""
        self._may_cut_off = True
        try:
            if self._is_time_over:
                raise JobCutOff
            yield
        finally:
            self._may_cut_off = False

    def _watch(self, main_thread: int, grace_seconds: float) -> None:
        while not self.is_asked:
            time.sleep(LOOK_SECONDS)
        log.info("worker.stopping", grace_seconds=grace_seconds)
        over_at = time.monotonic() + grace_seconds
        while not self.is_urgent and time.monotonic() < over_at:
            time.sleep(LOOK_SECONDS)
        # To the thread itself: a wait of the main thread ends only by a signal that reaches it.
        signal.pthread_kill(main_thread, _CUT_OFF_SIGNAL)
        log.info("worker.grace_over")

    def _cut_off(self, _number: int, _frame: object) -> None:
        self._is_time_over = True
        if self._may_cut_off:
            raise JobCutOff
