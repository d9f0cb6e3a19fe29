"""Run one server for as long as the process that asked for it lives.

Run as a script: `python tether.py SIGNAL GRACE COMMAND...`. It starts COMMAND, writes its process
id on standard output, and then reads standard input, a pipe whose other end the owner holds and
never writes to. However the owner ends, also by SIGKILL, the kernel closes that end; the server
then gets SIGNAL, and SIGKILL when it is still there GRACE seconds later. When the server ends by
itself, so does this process, with the server's exit status (128 + the signal's number for one
that was killed).

A pipe rather than PR_SET_PDEATHSIG, because that one is lost when a process changes its
credentials, fires when the thread that started the server ends, and exists on Linux alone. Only
the standard library is used, so that this starts in some ten milliseconds with `python -I -S`.
"""

import os
import subprocess
import sys
import threading
import time

_NOT_STARTED = 127


def _leave_with(server: subprocess.Popen[bytes]) -> None:
    status = server.wait()
    os._exit(status if status >= 0 else 128 - status)


def main(arguments: list[str]) -> int:
    """Start the command and end it when standard input closes; return the exit status."""
    farewell, grace_seconds, command = int(arguments[0]), float(arguments[1]), arguments[2:]
    try:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno())
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return _NOT_STARTED
    print(server.pid, flush=True)
    waiter = threading.Thread(target=_leave_with, args=(server,))
    waiter.start()
    while os.read(sys.stdin.fileno(), 64):
        pass
    server.send_signal(farewell)
    time.sleep(grace_seconds)
    server.kill()
    waiter.join()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
