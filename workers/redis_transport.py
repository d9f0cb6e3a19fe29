"""Kombu's Redis transport, mended in two places.

It gets over an acknowledgement that Redis never received, and knows a queue that has a prefix.
"""

from kombu.transport import TRANSPORT_ALIASES, redis, virtual


class ForgivingQoS(redis.QoS):  # type: ignore[misc]  # kombu carries no usable types.
    """The account of unacknowledged messages, which a lost acknowledgement does not jam.

    Where Redis goes away while a task runs, the acknowledgement fails, and kombu's own class goes
    on counting the message. With a prefetch of one the worker then takes no further message, and
    as it does not read from Redis, it never learns that the connection is dead: it stays up and
    does nothing until somebody restarts it. A hint is worth nothing, so it is struck off the
    account; the next read finds the dead connection, and the worker connects again.
    """

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
        return bool(self._size(queue) > 0)


class Transport(redis.Transport):  # type: ignore[misc]
    """The transport behind `redis://` and `rediss://`."""

    Channel = Channel


def install() -> None:
    """Let kombu use this transport for the URLs of Redis."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{Transport.__module__}:{Transport.__qualname__}"
