"""`make run`: all of Imprint on one machine, in the foreground, until Ctrl-C.

It starts the embedded servers that the environment does not replace, brings the database up to
date, keeps the processes alive under supervisord, and takes everything down again in the reverse
order. All it keeps is in `var/`.
"""

import io
import os
import sys
from contextlib import ExitStack

from dev.process import ServerError
from dev.run_folder import AlreadyRunningError, RunFolder
from dev.run_options import RunError, check_port, read_options
from dev.run_steps import PROJECT, Run, say
from dev.stop_signal import StopRequestedError, StopSignal


def main() -> int:
    """Run until asked to stop; return the exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    folder = RunFolder(PROJECT / "var")
    try:
        options = read_options(folder.without_own_servers(os.environ))
        folder.lock()
        check_port(options.port)
        folder.withdraw()
        stop = StopSignal()
        stop.listen()
        with ExitStack() as stack:
            run = Run(folder, options, stack, stop)
            try:
                run.watch(run.start())
            except StopRequestedError:
                say("\nStopping …")
    except (RunError, AlreadyRunningError, ServerError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
