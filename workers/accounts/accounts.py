"""Account mail: password resets and the notice that a password was changed."""

from sqlalchemy import select

from webapp.adapters.mail import MailText, UnmailableAddressError, Verdict, build_message
from webapp.adapters.mail_templates import render_mail
from webapp.jobs.messages import SendPasswordChanged, SendPasswordReset
from webapp.jobs.outcomes import Done, GiveUp, Outcome, Retry
from webapp.models import User
from webapp.services.accounts import password_resets
from workers.context import InSteps, RunningJob


def send_password_reset(job: RunningJob, message: SendPasswordReset) -> Outcome:
    """Mint this job's token, commit it, and mail the only copy to the stored address.

    A repeated start mails the same token, so however long the mail server is away, the account
    gathers no tokens whose mail never left.
    """
    settings = job.context.settings
    with job.step() as session:
        minted = password_resets.mint_token(
            session,
            bytes.fromhex(message.email_hash),
            minutes=settings.password_reset_minutes,
            secret_key=settings.secret_key.get_secret_value(),
            job_id=job.claimed.id,
        )
    if minted is None:
        return Done()
    mail = render_mail(
        "password_reset",
        "Set a new password",
        name=minted.display_name,
        token=minted.token,
        link=settings.link_to_password_reset(minted.token),
        minutes=settings.password_reset_minutes,
        base_url=settings.base_url,
    )
    return _send(job, mail, minted.address, minted.display_name)


def send_password_changed(job: RunningJob, message: SendPasswordChanged) -> Outcome:
    """Tell the owner that the password was changed."""
    with job.step() as session:
        user = session.execute(
            select(User.email, User.display_name).where(User.id == message.user_id)
        ).one_or_none()
    if user is None:
        return Done()
    mail = render_mail(
        "password_changed",
        "Your password was changed",
        name=user.display_name,
        base_url=job.context.settings.base_url,
    )
    return _send(job, mail, user.email, user.display_name)


def _send(job: RunningJob, mail: MailText, address: str, name: str) -> Outcome:
    settings = job.context.settings
    try:
        message = build_message(
            mail,
            sender=settings.mail_from,
            address=address,
            name=name,
            message_id=f"<job-{job.claimed.id}@{settings.mail_domain}>",
        )
    except UnmailableAddressError as error:
        return GiveUp(str(error))
    answer = job.context.account_mailer.send(message)
    if answer.verdict is Verdict.TAKEN:
        return Done()
    if answer.verdict is Verdict.NEVER:
        return GiveUp(answer.words)
    return Retry(answer.words)


HANDLERS = (
    InSteps(SendPasswordReset, send_password_reset),
    InSteps(SendPasswordChanged, send_password_changed),
)
