"""A look at the broker from outside the workers."""

from kombu import Connection

SECONDS = 2


def broker_answers(url: str) -> bool:
    """Say whether the broker at this URL accepts a connection within two seconds."""
    options = {"socket_connect_timeout": SECONDS, "socket_timeout": SECONDS}
    redis = url.startswith("redis")
    connection = Connection(
        url, connect_timeout=SECONDS, transport_options=options if redis else {}
    )
    try:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=SECONDS)
        if redis:
            connection.default_channel.client.ping()
    except Exception:  # noqa: BLE001 - each transport has errors of its own, and all mean no.
        return False
    else:
        return True
    finally:
        connection.release()
