"""TCP ports on 127.0.0.1: whether one is free, and one that is."""

import random
import socket

LOOPBACK = "127.0.0.1"
# Below the range that Linux hands to outgoing connections (32768 and up), so that a server which
# is stopped and started again does not find a client's socket on its own port.
_FIRST_PORT, _LAST_PORT = 20_000, 31_999
_ATTEMPTS = 200


def is_free(port: int) -> bool:
    """Say whether a server could listen on `port` of 127.0.0.1 at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Every server here sets this too: closed connections in TIME_WAIT are no obstacle to it.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port(preferred: int | None = None) -> int:
    """Return `preferred` where that is free, else another free port of 127.0.0.1.

    The port is not reserved: another process may take it before the caller listens on it.
    Raises RuntimeError when no free port is found.
    """
    if preferred is not None and is_free(preferred):
        return preferred
    for _ in range(_ATTEMPTS):
        port = random.randint(_FIRST_PORT, _LAST_PORT)
        if is_free(port):
            return port
    raise RuntimeError(f"No free port found between {_FIRST_PORT} and {_LAST_PORT}.")
