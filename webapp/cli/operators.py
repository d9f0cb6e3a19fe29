"""Who runs a command, for the activity log."""

import os
import pwd
import socket


def operator_name() -> str:
    """Return the user and the host of this process, as in root@web1.

    The user is the one that the system knows by the process's number, and nothing that the
    environment says.
    """
    number = os.geteuid()
    try:
        user = pwd.getpwuid(number).pw_name
    except KeyError:
        user = f"uid-{number}"
    return f"{user}@{socket.gethostname()}"
