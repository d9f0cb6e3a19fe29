"""Kombu's Redis transport, mended where hints are not worth what it does for messages.

It gets over an acknowledgement that Redis never received, works on while Redis is full, and knows a
queue that has a prefix.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis, virtual
from redis.exceptions import ResponseError


class ForgivingQoS(redis.QoS):  # type: ignore[misc]  # kombu carries no usable types.
    """The account of unacknowledged messages, which a lost acknowledgement does not jam.

    Where Redis goes away while a task runs, the acknowledgement fails, and kombu's own class goes
    on counting the message. With a prefetch of one the worker then takes no further message, and
    as it does not read from Redis, it never learns that the connection is dead: it stays up and
    does nothing until somebody restarts it. A hint is worth nothing, so it is struck off the
    account; the next read finds the dead connection, and the worker connects again.

    Where Redis is full, it takes no new key, and kombu's own class would end the worker, because it
    cannot note what it has just received. A hint need not be noted: a job whose hint is lost gets
    another one.
    """

    @contextmanager
    def pipe_or_acquire(self, pipe: object = None, client: object = None) -> Iterator[Any]:
        """Give a pipeline without MULTI: a full Redis queues no command at all, not even a ZREM.

        (Redis 6.2 and 7.0, processCommand in server.c; outside MULTI the deleting commands pass.)
        """
        if pipe is not None:
            yield pipe
        else:
            with self.channel.conn_or_acquire(client) as connected:
                yield connected.pipeline(transaction=False)

    def append(self, message: object, delivery_tag: str) -> None:
        """Note a message that was received, in this process alone where Redis refuses it."""
        try:
            super().append(message, delivery_tag)
        except ResponseError:
            virtual.QoS.append(self, message, delivery_tag)

    def restore_visible(self, *args: object, **options: object) -> None:
        """Give back what workers that died had received; a Redis that refuses is asked later."""
        with suppress(ResponseError):
            super().restore_visible(*args, **options)

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge a message, and forget it also when Redis cannot be told."""
        try:
            super().ack(delivery_tag)
        except self.channel.connection_errors:
            virtual.QoS.ack(self, delivery_tag)
            raise


class Channel(redis.Channel):  # type: ignore[misc]
    """A channel that keeps such an account, and finds its queues."""

    QoS = ForgivingQoS

    def _has_queue(self, queue: str, **_options: object) -> bool:
        """Say whether a queue is there; in Redis there is none that is empty.

        Kombu's own asks with EXISTS, a command that it sends without the prefix of the keys, so
        that it finds no queue at all.
        """
        return self._size(queue) > 0

    def _size(self, queue: str) -> int:
        """Return how many messages a queue holds, also while Redis is full."""
        with self.conn_or_acquire() as client, client.pipeline(transaction=False) as pipe:
            for priority in self.priority_steps:
                pipe.llen(self._q_for_pri(queue, priority))
            return sum(pipe.execute())


class Transport(redis.Transport):  # type: ignore[misc]
    """The transport behind `redis://` and `rediss://`.

    What Redis refuses (it is full, a replica, unable to save) counts as a broker that is away, and
    ends no worker: it connects again, and goes on when there is room.
    """

    Channel = Channel
    connection_errors: tuple[type[Exception], ...] = (
        *redis.Transport.connection_errors,
        ResponseError,
    )

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        # Kombu reads them from the class and from the object, and sets those of the object here.
        self.connection_errors = type(self).connection_errors


def install() -> None:
    """Let kombu use this transport for the URLs of Redis."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{Transport.__module__}:{Transport.__qualname__}"
