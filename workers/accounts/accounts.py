"""Account mail: proofs of addresses, password resets, and notices of what was changed."""

from dataclasses import dataclass

import structlog
from sqlalchemy import select

from webapp.adapters.mail import MailText, Verdict, build_message
from webapp.adapters.mail_headers import NAME_LIMIT, UnmailableAddressError
from webapp.adapters.mail_templates import render_mail
from webapp.jobs.account_messages import (
    SendAddressChanged,
    SendEmailVerification,
    SendPasswordChanged,
    SendPasswordReset,
)
from webapp.jobs.outcomes import Done, Outcome, Retry, Snooze
from webapp.kit.visible_lines import make_line
from webapp.models import User
from webapp.services.accounts import address_changes, freezes, password_resets, verifications
from webapp.services.accounts.password_resets import PostponedReset
from webapp.services.accounts.verifications import PostponedVerification
from workers.context import InSteps, RunningJob

log = structlog.get_logger()

FREEZE_PAGE = "freeze-account"


@dataclass(frozen=True)
class Reader:
    """Whom an account mail goes to; a guest of a review has no account."""

    user_id: int | None
    address: str
    name: str


def send_password_reset(job: RunningJob, message: SendPasswordReset) -> Outcome:
    """Mint a token, commit it, and mail the only copy to the stored address.

    Each start makes its own, which ends that of the start before: a worker that is killed between
    the commit and the mail leaves a token that nobody knows and that the next start ends.
    """
    settings = job.context.settings
    with job.step() as session:
        minted = password_resets.mint_token(
            session,
            bytes.fromhex(message.email_hash),
            minutes=settings.password_reset_minutes,
            asked_at=job.claimed.created_at,
            login=message.login,
        )
    if minted is None:
        return Done()
    if isinstance(minted, PostponedReset):
        return Snooze(minted.seconds)
    mail = render_mail(
        "password_reset",
        "Set a new password",
        name=make_line(minted.display_name, NAME_LIMIT),
        token=minted.token,
        link=settings.link_to_password_reset(minted.token),
        minutes=settings.password_reset_minutes,
        base_url=settings.base_url,
    )
    # A mail with another token is another mail; with the Message-ID of the one before, a mailbox
    # that drops second copies would drop the one that works.
    reader = Reader(minted.user_id, minted.address, minted.display_name)
    outcome = send_account_mail(job, mail, reader, minted.token)
    if isinstance(outcome, Done):
        with job.step() as session:
            password_resets.note_mailed(session, minted.token)
    return outcome


def send_email_verification(job: RunningJob, message: SendEmailVerification) -> Outcome:
    """Mint a token, commit it, and mail the only copy to the address that it proves.

    Where another account has proven the address, its owner is told instead, and gets nothing that
    would help the account that asked.
    """
    settings = job.context.settings
    with job.step() as session:
        minted = verifications.mint(session, message.verification_id)
    if minted is None:
        return Done()
    if isinstance(minted, PostponedVerification):
        return Snooze(minted.seconds)
    reader = Reader(minted.user_id, minted.address, "")
    if minted.token is None:
        mail = render_mail(
            "address_known",
            "You have an account already",
            base_url=settings.base_url,
        )
        return send_account_mail(job, mail, reader, str(job.claimed.id))
    mail = render_mail(
        "email_verification",
        "Confirm your address",
        link=settings.link_to_page("verify-email", minted.token),
        token=minted.token,
        base_url=settings.base_url,
    )
    return send_account_mail(job, mail, reader, minted.token)


def send_password_changed(job: RunningJob, message: SendPasswordChanged) -> Outcome:
    """Tell the owner that the password was changed, with a link to freeze the account.

    Each start makes a token of its own, and all are good, so a second copy is the same mail.
    """
    settings = job.context.settings
    with job.step() as session:
        user = session.execute(
            select(User.email, User.display_name, User.email_proven_at).where(
                User.id == message.user_id
            )
        ).one_or_none()
        token = "" if user is None else freezes.mint(session, message.user_id)
    if user is None:
        return Done()
    name = user.display_name if user.email_proven_at else ""
    mail = render_mail(
        "password_changed",
        "Your password was changed",
        name=make_line(name, NAME_LIMIT),
        link=settings.link_to_page(FREEZE_PAGE, token),
        days=freezes.TOKEN_DAYS,
        base_url=settings.base_url,
    )
    reader = Reader(message.user_id, user.email, name)
    return send_account_mail(job, mail, reader, str(job.claimed.id))


def send_address_changed(job: RunningJob, message: SendAddressChanged) -> Outcome:
    """Tell the former address of an account that it has another one, with a link to take it back.

    An address that nobody had proven may be a stranger's, who must not get the account by it.
    """
    settings = job.context.settings
    with job.step() as session:
        former = address_changes.find_former(session, message.verification_id)
        token = ""
        if former is not None and former.is_proven:
            token = freezes.mint(session, former.user_id, message.verification_id)
    if former is None:
        return Done()
    mail = render_mail(
        "address_changed",
        "Your account has another address",
        name=make_line(former.display_name, NAME_LIMIT),
        link=settings.link_to_page(FREEZE_PAGE, token) if token else "",
        days=freezes.TOKEN_DAYS,
        base_url=settings.base_url,
    )
    reader = Reader(former.user_id, former.address, former.display_name)
    return send_account_mail(job, mail, reader, str(job.claimed.id))


def send_account_mail(job: RunningJob, mail: MailText, reader: Reader, identity: str) -> Outcome:
    """Hand one mail over; the same `identity` marks a second copy as the same mail.

    An address that the server refuses for good, or until the last start, settles the duty: anybody
    may ask for a mail to a dead address, so no operator has to look at it.
    """
    settings = job.context.settings
    try:
        message = build_message(
            mail,
            sender=settings.mail_from,
            address=reader.address,
            name=reader.name,
            message_id=settings.message_id(job.claimed.kind, identity),
        )
    except UnmailableAddressError as error:
        return _give_up_quietly(reader, str(error))
    answer = job.context.account_mailer.send(message)
    is_last = job.claimed.starts >= job.claimed.max_starts
    if answer.verdict is Verdict.TAKEN:
        return Done()
    if answer.is_refusal and (answer.verdict is Verdict.NEVER or is_last):
        return _give_up_quietly(reader, answer.words)
    return Retry(answer.words)


def _give_up_quietly(reader: Reader, answer: str) -> Done:
    log.warning("mail.refused", user_id=reader.user_id, answer=answer)
    return Done()


HANDLERS = (
    InSteps(SendPasswordReset, send_password_reset),
    InSteps(SendEmailVerification, send_email_verification),
    InSteps(SendPasswordChanged, send_password_changed),
    InSteps(SendAddressChanged, send_address_changed),
)
