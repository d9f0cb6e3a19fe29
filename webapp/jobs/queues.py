"""The queues of jobs, and how much of each may be under way."""

from enum import StrEnum


class Queue(StrEnum):
    """The queues, in the order in which the dispatcher serves them."""

    ACCOUNTS = "accounts"
    PUBLISHING = "publishing"
    VERSIONS = "versions"
    NOTIFICATIONS = "notifications"
    MAIL = "mail"
    HOUSEKEEPING = "housekeeping"

    @property
    def is_urgent(self) -> bool:
        """Say whether a person or a deadline waits, so that a later start is told of as well."""
        return self in {Queue.ACCOUNTS, Queue.PUBLISHING}

    @property
    def window(self) -> int:
        """How many hints may be on the broker at once; the rest waits in the table."""
        return {Queue.MAIL: 100, Queue.NOTIFICATIONS: 200}.get(self, 1000)

    @property
    def jobs_per_hint(self) -> int:
        """How many job ids one broker message carries.

        A message costs about a millisecond, so short jobs travel together. Account mail travels
        alone, because it waits for nobody.
        """
        return {Queue.VERSIONS: 50, Queue.NOTIFICATIONS: 10}.get(self, 1)
