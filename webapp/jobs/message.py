"""What all messages are: a kind, a queue and the ids that it carries."""

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from webapp.jobs.queues import Queue

BatchOfIds = Annotated[tuple[int, ...], Field(min_length=1, max_length=500)]


class Message(BaseModel):
    """The parent of all messages. They carry ids, never text or secrets.

    `payload_version` counts the changes of a message's shape, of which docs/recipes.md tells.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[str]
    queue: ClassVar[Queue]
    max_starts: ClassVar[int] = 8
    payload_version: ClassVar[int] = 1

    @classmethod
    def fields_of_older(cls, _version: int, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of a payload of an older version as those of the present one.

        They stay as they are where the new version has only new fields with a default.
        """
        return fields

    def dedupe_key(self) -> str | None:
        """Name the duty, so that the same one is never written twice; None where each is new."""
        return None


class AccountMail(Message):
    """The parent of mails about somebody's own account, which are sent before all others."""

    queue: ClassVar[Queue] = Queue.ACCOUNTS
    max_starts: ClassVar[int] = 20  # Some eight hours of a mail server that is away.
