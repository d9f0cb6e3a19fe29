"""A server that accepts connections and never says a word."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from dev.ports import LOOPBACK


@contextmanager
def mute_server() -> Iterator[int]:
    """Hold every connection until the end of the block; yields the port."""
    with socket.create_server((LOOPBACK, 0), backlog=64) as server:
        held: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in held:
                connection.close()
