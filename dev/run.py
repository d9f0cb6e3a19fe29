"""`make run`: all of Imprint on one machine, in the foreground, until Ctrl-C.

It starts the embedded servers that the environment does not replace, brings the database up to
date, keeps the processes alive under supervisord, and takes everything down again in the reverse
order. All it keeps is in `var/`.
"""

import io
import os
import signal
import sys
from contextlib import ExitStack
from types import FrameType

from dev.process import ServerError
from dev.run_folder import AlreadyRunningError, RunFolder
from dev.run_options import RunError, check_port, read_options
from dev.run_steps import PROJECT, Run, say


class StopRequested(BaseException):
    """SIGINT, SIGTERM or SIGHUP came; raised in the main thread, once."""


def _request_stop(_number: int, _frame: FrameType | None) -> None:
    # From here on everything is being stopped, and a second Ctrl-C would only interrupt that.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise StopRequested


def _listen_for_stop() -> None:
    # A shell starts background commands with SIGINT ignored; it is wanted all the same.
    signal.signal(signal.SIGINT, _request_stop)
    signal.signal(signal.SIGTERM, _request_stop)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _request_stop)


def main() -> int:
    """Run until asked to stop; return the exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    folder = RunFolder(PROJECT / "var")
    try:
        options = read_options(os.environ)
        folder.lock()
        check_port(options.port)
        folder.withdraw()
        _listen_for_stop()
        with ExitStack() as stack:
            run = Run(folder, options, stack)
            try:
                run.watch(run.start())
            except StopRequested:
                say("\nStopping …")
    except (RunError, AlreadyRunningError, ServerError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
