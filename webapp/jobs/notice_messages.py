"""Messages about notices."""

from typing import ClassVar

from webapp.jobs.message import AccountMail, BatchOfIds


class MailNotices(AccountMail):
    """Mail what some notices tell, with what has come to the same people meanwhile."""

    kind: ClassVar[str] = "notices.mail"

    notice_ids: BatchOfIds
