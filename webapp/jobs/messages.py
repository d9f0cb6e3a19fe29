"""Every kind of job as a typed message: its kind, its queue and the ids that it carries."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from webapp.jobs.queues import Queue as Queue

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


class SendPasswordReset(AccountMail):
    """Mail a reset token to the account with this address, if there is one."""

    kind: ClassVar[str] = "password_reset.send"
    payload_version: ClassVar[int] = 2

    email_hash: str
    login: str | None = None


class SendEmailVerification(AccountMail):
    """Mail the token that proves an address, as the row of its request says."""

    kind: ClassVar[str] = "email_verification.send"

    verification_id: int


class SendPasswordChanged(AccountMail):
    """Tell the owner of an account that its password was changed."""

    kind: ClassVar[str] = "password_changed.send"

    user_id: int


class SendAddressChanged(AccountMail):
    """Tell the former address of an account that it has another one, as that one's proof says."""

    kind: ClassVar[str] = "address_changed.send"

    verification_id: int


FactorChange = Literal[
    "totp_added", "totp_removed", "passkey_added", "passkey_removed", "recovery_codes_made",
    "recovery_code_used", "all_removed",
]  # fmt: skip


class SendFactorNotice(AccountMail):
    """Tell the owner of an account what became of its second factors."""

    kind: ClassVar[str] = "factor_notice.send"

    user_id: int
    change: FactorChange


class SendIdentityLinked(AccountMail):
    """Tell the owner of an account that an issuer signs somebody in to it from now on."""

    kind: ClassVar[str] = "identity_linked.send"

    identity_id: int

    def dedupe_key(self) -> str:
        """One notice for each link."""
        return str(self.identity_id)


class SendReviewDecision(AccountMail):
    """Tell the author of an item what became of the review of a version of it."""

    kind: ClassVar[str] = "review_decision.send"

    decision_id: int

    def dedupe_key(self) -> str:
        """One mail for each decision."""
        return str(self.decision_id)


class SendReviewLink(AccountMail):
    """Mail a guest the link by which they may say what they think of a version."""

    kind: ClassVar[str] = "review_link.send"

    link_id: int

    def dedupe_key(self) -> str:
        """One mail for each link."""
        return str(self.link_id)


class SendGuestDecision(AccountMail):
    """Tell the author of an item what a guest said of a version of it."""

    kind: ClassVar[str] = "guest_decision.send"

    link_id: int

    def dedupe_key(self) -> str:
        """One mail for each answer, of which a link takes one."""
        return str(self.link_id)


class RemindOfReview(AccountMail):
    """Remind who is reviewing, or has asked for it, of a review that is wanted by a moment."""

    kind: ClassVar[str] = "review.remind"

    review_id: int
    is_due: bool

    def dedupe_key(self) -> str:
        """One a day before the moment, and one at it."""
        return f"{self.review_id}:{'due' if self.is_due else 'ahead'}"


class FireSchedules(Message):
    """Carry out schedules that are due."""

    kind: ClassVar[str] = "schedules.fire"
    queue: ClassVar[Queue] = Queue.PUBLISHING
    max_starts: ClassVar[int] = 1000  # A deadline is not given up because workers die.

    schedule_ids: BatchOfIds


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


class SendAccountDeletion(AccountMail):
    """Tell the owner of an account when it will be deleted, as asked for."""

    kind: ClassVar[str] = "account_deletion.send"

    user_id: int
    deletion_id: int


class SendAccountDeletionCancelled(AccountMail):
    """Tell the owner of an account that it will not be deleted after all."""

    kind: ClassVar[str] = "account_deletion_cancelled.send"

    user_id: int


class DeleteAccount(Message):
    """Carry out the deletion that an owner has asked for, if it was not taken back."""

    kind: ClassVar[str] = "account.delete"
    queue: ClassVar[Queue] = Queue.ACCOUNTS
    max_starts: ClassVar[int] = 1000  # What was promised to somebody is not given up.

    deletion_id: int

    def dedupe_key(self) -> str:
        """One for each wish."""
        return str(self.deletion_id)


class MakeAccountExport(Message):
    """Make the copy of what is kept of an account that its owner has asked for."""

    kind: ClassVar[str] = "account_export.make"
    queue: ClassVar[Queue] = Queue.HOUSEKEEPING

    export_id: int
    user_id: int

    def dedupe_key(self) -> str:
        """One for each copy."""
        return str(self.export_id)


class SendAccountExport(AccountMail):
    """Mail the owner of an account where the copy can be fetched."""

    kind: ClassVar[str] = "account_export.send"

    export_id: int
    user_id: int


class EraseAccount(Message):
    """Erase what is left of an account that has lost its name."""

    kind: ClassVar[str] = "account.erase"
    queue: ClassVar[Queue] = Queue.HOUSEKEEPING
    max_starts: ClassVar[int] = 1000  # What was promised to somebody is not given up.

    account_id: int

    def dedupe_key(self) -> str:
        """One for each account, which begins anew when a backup was restored."""
        return str(self.account_id)


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
        FireSchedules,
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
