"""Kombu's Redis transport, made to get over an acknowledgement that Redis never received."""

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
    """A channel that keeps such an account."""

    QoS = ForgivingQoS


class Transport(redis.Transport):  # type: ignore[misc]
    """The transport behind `redis://` and `rediss://`."""

    Channel = Channel


def install() -> None:
    """Let kombu use this transport for the URLs of Redis."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{Transport.__module__}:{Transport.__qualname__}"
