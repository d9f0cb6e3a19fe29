"""Messages about accounts: their mails, copies of their data, and their end."""

from typing import ClassVar, Literal

from webapp.jobs.message import AccountMail, Message
from webapp.jobs.queues import Queue


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
