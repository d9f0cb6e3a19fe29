"""A process that does not outlive the one that started it.

A worker whose main process was killed would go on serving the port, beside the next start's, with
an old release and open connections. Nobody is left to stop it, so it looks itself.
"""

import os
import signal
import threading
import time

# How soon it is noticed, in seconds.
LOOK_SECONDS = 0.25


def end_with_parent(parent: int) -> None:
    """End this process by SIGKILL soon after its parent has ended, however that came.

    `parent` is the id that the parent had when it started this process: the parent may be gone
    before this is called, and this has another one already.

    A look at the parent's id rather than PR_SET_PDEATHSIG, which exists on Linux alone and fires
    when the thread that started this process ends. SIGKILL, because all that this process holds is
    safe to lose at any moment, and nothing less ends one that hangs.
    """
    watch = threading.Thread(target=_watch, args=(parent,), name="lifeline", daemon=True)
    watch.start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
