"""A look at the broker from outside the workers."""

import threading

from kombu import Connection

SECONDS = 1


class BrokerProbe:
    """Asks whether the broker answers, in a thread of its own.

    Each transport has deadlines of its own and none covers every step of a connection, so the
    end of the wait for the thread is the only one that holds. While a question hangs no other is
    asked.
    """

    def __init__(self, url: str) -> None:
        """Ask nothing yet."""
        self._url = url
        self._question: threading.Thread | None = None

    def answers(self) -> bool:
        """Say whether the broker accepts a connection and answers within a second."""
        if self._question is not None and self._question.is_alive():
            return False
        answers: list[bool] = []
        self._question = threading.Thread(
            target=lambda: answers.append(_ask(self._url)), name="broker probe", daemon=True
        )
        self._question.start()
        self._question.join(SECONDS)
        return answers == [True]


def _ask(url: str) -> bool:
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
