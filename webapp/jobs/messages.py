"""Every kind of job as a typed message; the other files of messages come together here."""

from datetime import UTC, datetime
from typing import ClassVar, Literal

from webapp.jobs.account_messages import (
    DeleteAccount,
    EraseAccount,
    MakeAccountExport,
    SendAccountDeletion,
    SendAccountDeletionCancelled,
    SendAccountExport,
    SendAddressChanged,
    SendEmailVerification,
    SendFactorNotice,
    SendIdentityLinked,
    SendPasswordChanged,
    SendPasswordReset,
)
from webapp.jobs.message import (
    BatchOfIds,
    Message,
)
from webapp.jobs.notice_messages import MailNotices
from webapp.jobs.queues import Queue
from webapp.jobs.review_messages import (
    RemindOfReview,
    SendGuestDecision,
    SendReviewDecision,
    SendReviewLink,
)


class FireSchedules(Message):
    """Carry out schedules that are due."""

    kind: ClassVar[str] = "schedules.fire"
    queue: ClassVar[Queue] = Queue.PUBLISHING
    max_starts: ClassVar[int] = 1000  # A deadline is not given up because workers die.

    schedule_ids: BatchOfIds


class RehearseSchedules(Message):
    """Rehearse the schedules of one minute that were not rehearsed in the `minutes` before it."""

    kind: ClassVar[str] = "schedules.rehearse"
    queue: ClassVar[Queue] = Queue.HOUSEKEEPING

    slot: datetime
    first_id: int
    minutes: int

    def dedupe_key(self) -> str:
        """One job for each minute, and one more for what is put into it after that."""
        return f"{self.slot.astimezone(UTC):%Y-%m-%dT%H:%M}:{self.first_id}"


class PrepareRelease(Message):
    """Render and judge the versions of a release that were added to it."""

    kind: ClassVar[str] = "release.prepare"
    queue: ClassVar[Queue] = Queue.VERSIONS

    release_id: int

    def dedupe_key(self) -> str:
        """One for each release, which begins anew when more is added."""
        return str(self.release_id)


class PublishRelease(Message):
    """Let a release go live, if it still is as it was when that was asked for."""

    kind: ClassVar[str] = "release.publish"
    queue: ClassVar[Queue] = Queue.PUBLISHING
    max_starts: ClassVar[int] = 1000  # A deadline is not given up because workers die.

    release_id: int
    revision: int

    def dedupe_key(self) -> str:
        """One for each moment that a release was given."""
        return f"{self.release_id}:{self.revision}"


class PlanRecurrence(Message):
    """Make the schedules of a recurrence that are near; one job goes on as long as its rule."""

    kind: ClassVar[str] = "recurrence.plan"
    queue: ClassVar[Queue] = Queue.PUBLISHING

    recurrence_id: int

    def dedupe_key(self) -> str:
        """One for each recurrence, which begins anew with each change of it."""
        return str(self.recurrence_id)


class RefreshPublications(Message):
    """Bring the present name of an author, a category or a tag into the public documents.

    A category of None is that of items without one, as they are when theirs was deleted; a tag of
    None was deleted, and any item may have had it. The last two fields say how far an earlier
    stretch came. The release before knows no tags.
    """

    kind: ClassVar[str] = "publications.refresh"
    queue: ClassVar[Queue] = Queue.HOUSEKEEPING

    payload_version: ClassVar[int] = 2

    named: Literal["author", "category", "tag"]
    named_id: int | None
    after_published_at: datetime | None = None
    after_content_id: int = 0

    def dedupe_key(self) -> str:
        """One for each name, which begins anew with each change of it."""
        return f"{self.named}:{self.named_id}"


class SealVersion(Message):
    """Check a version against its digest, add its statistics, and have its item found by it."""

    kind: ClassVar[str] = "version.seal"
    queue: ClassVar[Queue] = Queue.VERSIONS
    payload_version: ClassVar[int] = 2  # A worker of the release before leaves it unsearched.

    version_id: int

    def dedupe_key(self) -> str:
        """One seal a version."""
        return str(self.version_id)


class KeepAutosave(Message):
    """Make a version of unsaved changes once they have been left alone."""

    kind: ClassVar[str] = "autosave.keep"
    queue: ClassVar[Queue] = Queue.VERSIONS

    autosave_id: int


class FanOutEvent(Message):
    """Tell the followers of an event."""

    kind: ClassVar[str] = "event.fan_out"
    queue: ClassVar[Queue] = Queue.NOTIFICATIONS

    event_id: int

    def dedupe_key(self) -> str:
        """One fan-out an event."""
        return str(self.event_id)


class SendEventMails(Message):
    """Send the queued mails of one event to the readers in a range of ids."""

    kind: ClassVar[str] = "event_mails.send"
    queue: ClassVar[Queue] = Queue.MAIL
    max_starts: ClassVar[int] = 50

    event_id: int
    after_user_id: int
    to_user_id: int

    def dedupe_key(self) -> str:
        """One sender for each range of an event."""
        return f"{self.event_id}:{self.after_user_id}:{self.to_user_id}"


class PruneTable(Message):
    """Delete what has outlived its use from one table."""

    kind: ClassVar[str] = "table.prune"
    queue: ClassVar[Queue] = Queue.HOUSEKEEPING

    table: str


class PruneVersions(Message):
    """Delete versions that have outlived their use; the fields say how far it came."""

    kind: ClassVar[str] = "versions.prune"
    queue: ClassVar[Queue] = Queue.HOUSEKEEPING

    content_id: int = 0
    chain: int = -1


class RunBackfill(Message):
    """Go on with a backfill from where its cursor is."""

    kind: ClassVar[str] = "backfill.run"
    queue: ClassVar[Queue] = Queue.HOUSEKEEPING

    name: str
    run: int

    def dedupe_key(self) -> str:
        """One job each time that an operator starts it."""
        return f"{self.name}:{self.run}"


class RunBulkAction(Message):
    """Go on with a bulk action from the item behind its cursor."""

    kind: ClassVar[str] = "bulk_action.run"
    queue: ClassVar[Queue] = Queue.HOUSEKEEPING

    bulk_action_id: int

    def dedupe_key(self) -> str:
        """One job for each bulk action."""
        return str(self.bulk_action_id)


MESSAGES: dict[str, type[Message]] = {
    message.kind: message
    for message in (
        SendPasswordReset,
        SendEmailVerification,
        SendPasswordChanged,
        SendAddressChanged,
        SendFactorNotice,
        SendIdentityLinked,
        SendReviewDecision,
        SendReviewLink,
        SendGuestDecision,
        RemindOfReview,
        MailNotices,
        FireSchedules,
        RehearseSchedules,
        PlanRecurrence,
        PrepareRelease,
        PublishRelease,
        RefreshPublications,
        SealVersion,
        KeepAutosave,
        FanOutEvent,
        SendEventMails,
        SendAccountDeletion,
        SendAccountDeletionCancelled,
        DeleteAccount,
        MakeAccountExport,
        SendAccountExport,
        EraseAccount,
        PruneTable,
        PruneVersions,
        RunBackfill,
        RunBulkAction,
    )
}
