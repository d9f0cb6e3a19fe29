"""Accounts are deleted when their time has come, and their owners told before."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.adapters.mail_headers import NAME_LIMIT
from webapp.adapters.mail_templates import render_mail
from webapp.jobs.account_messages import (
    DeleteAccount,
    SendAccountDeletion,
    SendAccountDeletionCancelled,
)
from webapp.jobs.outcomes import Done, Outcome, Snooze
from webapp.kit.visible_lines import make_line
from webapp.models import User
from webapp.services.operations import account_deletions
from workers.accounts.accounts import Reader, send_account_mail
from workers.context import InOneTransaction, InSteps, RunningJob, WorkerContext


def delete_account(session: Session, context: WorkerContext, message: DeleteAccount) -> Outcome:
    """Begin the erasure that was asked for; its end is another job."""
    wait = account_deletions.carry_out(
        session, message.deletion_id, default_heir=context.settings.content_heir
    )
    return Snooze(wait) if wait > 0 else Done()


def send_account_deletion(job: RunningJob, message: SendAccountDeletion) -> Outcome:
    """Tell the owner when the account is deleted, and how to take it back."""
    with job.step() as session:
        notice = account_deletions.find_notice(session, message.deletion_id)
    if notice is None:
        return Done()
    mail = render_mail(
        "account_deletion",
        "Your account will be deleted",
        name=make_line(notice.display_name, NAME_LIMIT),
        due_at=f"{notice.due_at:%d %B %Y, %H:%M} UTC",
        base_url=job.context.settings.base_url,
    )
    reader = Reader(notice.user_id, notice.address, notice.display_name)
    return send_account_mail(job, mail, reader, str(message.deletion_id))


def send_account_deletion_cancelled(
    job: RunningJob, message: SendAccountDeletionCancelled
) -> Outcome:
    """Tell the owner that the account stays."""
    with job.step() as session:
        user = session.execute(
            select(User.email, User.display_name, User.email_proven_at).where(
                User.id == message.user_id
            )
        ).one_or_none()
    if user is None:
        return Done()
    name = user.display_name if user.email_proven_at else ""
    mail = render_mail(
        "account_deletion_cancelled",
        "Your account stays",
        name=make_line(name, NAME_LIMIT),
        base_url=job.context.settings.base_url,
    )
    reader = Reader(message.user_id, user.email, name)
    return send_account_mail(job, mail, reader, str(job.claimed.id))


HANDLERS = (
    InOneTransaction(DeleteAccount, delete_account),
    InSteps(SendAccountDeletion, send_account_deletion),
    InSteps(SendAccountDeletionCancelled, send_account_deletion_cancelled),
)
