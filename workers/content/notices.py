"""The mails of notices, one committed answer at a time."""

import time
from email.message import EmailMessage

import structlog

from webapp.adapters.mail import MailAnswer, Verdict, build_message
from webapp.adapters.mail_headers import NAME_LIMIT, UnmailableAddressError
from webapp.adapters.mail_templates import render_mail
from webapp.jobs.notice_messages import MailNotices
from webapp.jobs.outcomes import Decline, Done, Outcome, Retry, Snooze
from webapp.kit.notice_kinds import NOTICE_KINDS, line_of, subject_of
from webapp.kit.visible_lines import make_line
from webapp.services.content import notice_mails
from webapp.services.content.notice_mails import NoticeMail
from workers.context import InSteps, RunningJob

log = structlog.get_logger()

SECONDS_AT_A_STRETCH = 2.0
MAILS_AT_A_STRETCH = 50
MOST_LINES = 20


def mail_notices(job: RunningJob, message: MailNotices) -> Outcome:
    """Mail what some notices tell.

    What a mail tells of is committed before it goes out, and the server's answer before the next
    one does, so a kill costs at most one second copy, with the same Message-ID. The queue is that
    of account mail, so after two seconds others have their turn.
    """
    with job.step() as session:
        notice_mails.gather(session, message.notice_ids)
    with job.step() as session:
        notice_mails.suppress_unwanted(session, message.notice_ids)
        mails = notice_mails.find_mails(session, message.notice_ids, MAILS_AT_A_STRETCH)
    unknown = {notice.kind for mail in mails for notice in mail.notices} - set(NOTICE_KINDS)
    if unknown:
        return Decline(f"This release has no words for {', '.join(sorted(unknown))}.")
    return _send_all(job, mails)


def _send_all(job: RunningJob, mails: list[NoticeMail]) -> Outcome:
    stop_at = time.monotonic() + SECONDS_AT_A_STRETCH
    is_last = job.claimed.starts >= job.claimed.max_starts
    settled, refusal = 0, ""
    for mail in mails:
        with job.step():
            # The mail before may have used the lease up.
            pass
        answer = _send(job, mail)
        if answer.verdict is Verdict.AWAY:
            return Retry(answer.words)
        if answer.verdict is Verdict.LATER and not (answer.is_refusal and is_last):
            refusal = answer.words
        else:
            _settle(job, mail, answer)
            settled += 1
        if not job.goes_on(stop_at):
            return Snooze() if settled else Retry(refusal)
    if refusal:
        return Snooze(60) if settled else Retry(refusal)
    return Snooze() if len(mails) == MAILS_AT_A_STRETCH else Done()


def _settle(job: RunningJob, mail: NoticeMail, answer: MailAnswer) -> None:
    is_taken = answer.verdict is Verdict.TAKEN
    with job.step() as session:
        notice_mails.settle(session, mail.id, "sent" if is_taken else "failed")
    if not is_taken:
        log.warning("mail.refused", user_id=mail.user_id, answer=answer.words)


def _send(job: RunningJob, mail: NoticeMail) -> MailAnswer:
    try:
        message = _message(job, mail)
    except UnmailableAddressError as error:
        return MailAnswer(Verdict.NEVER, str(error))
    return job.context.account_mailer.send(message)


def _message(job: RunningJob, mail: NoticeMail) -> EmailMessage:
    settings = job.context.settings
    first, shown = mail.notices[0], mail.notices[:MOST_LINES]
    text = render_mail(
        "notices",
        subject_of(first.kind, **first.values),
        name=make_line(mail.name, NAME_LIMIT),
        notices=[{"line": line_of(one.kind, **one.values), "words": one.words} for one in shown],
        left_out=len(mail.notices) - len(shown),
        base_url=settings.base_url,
    )
    return build_message(
        text,
        sender=settings.mail_from,
        address=mail.address,
        name=mail.name,
        message_id=settings.message_id(MailNotices.kind, str(mail.id)),
    )


HANDLERS = (InSteps(MailNotices, mail_notices),)
