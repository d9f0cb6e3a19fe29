"""The mails of an event, one committed answer at a time."""

import time
from email.message import EmailMessage

import structlog
from sqlalchemy.orm import Session

from webapp.adapters.mail import MailAnswer, Verdict, build_message
from webapp.adapters.mail_headers import NAME_LIMIT, UnmailableAddressError
from webapp.adapters.mail_templates import render_mail
from webapp.jobs.messages import SendEventMails
from webapp.jobs.outcomes import Done, Outcome, Snooze
from webapp.kit.backoff import with_jitter
from webapp.kit.visible_lines import make_line
from webapp.services.audience import mail_deliveries, unsubscribing
from webapp.services.audience.mail_deliveries import DueMail, MailedEvent
from workers.context import InSteps, RunningJob

log = structlog.get_logger()

SECONDS_AT_A_STRETCH = 10.0
SERVER_AWAY_SECONDS = 15.0
TITLE_LIMIT = 120
WORD_OF = {"content.updated": "updated", "content.corrected": "corrected"}

# How long to wait after each refusal; a mail that is refused once more is given up, three days
# after its first attempt.
MINUTE, HOUR = 60.0, 3600.0
POSTPONEMENTS = (
    MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR, 24 * HOUR, 30 * HOUR,
)  # fmt: skip


def send_event_mails(job: RunningJob, message: SendEventMails) -> Outcome:
    """Send the due mails of a range of readers.

    The server's answer to each mail is committed before the next one goes out, so a kill costs at
    most one second copy, with the same Message-ID. No transaction is open while SMTP talks. The
    commit before each mail prolongs the lease, of which the mailer uses a part, so a slow server
    ends in a written attempt: a reader gets no more copies than there are attempts. With each
    answer it asks whether the item is still public; a withdrawal can miss the mail under way.
    """
    reach = (message.event_id, message.after_user_id, message.to_user_id)
    with job.step() as session:
        event = mail_deliveries.mailed_event(session, message.event_id)
        if event is None:
            mail_deliveries.suppress_withdrawn(session, *reach)
            return Done()
        mail_deliveries.suppress_unwanted(session, *reach)
        if not job.context.settings.mail_to_unproven:
            mail_deliveries.suppress_unproven(session, *reach)
        due = mail_deliveries.due_mails(session, *reach)
    with job.step():
        # The look-up above may have used the lease up; this renews it for the first mail.
        pass
    stop_at = time.monotonic() + SECONDS_AT_A_STRETCH
    for mail in due:
        answer = _send(job, event, mail)
        if answer.verdict is Verdict.AWAY:
            log.warning("mail.server_away", error=answer.words)
            return Snooze(SERVER_AWAY_SECONDS)
        with job.step() as session:
            _note(session, event, mail, answer)
            # An editor may have withdrawn the item, or corrected it: the next mail goes by that.
            event = mail_deliveries.mailed_event(session, message.event_id)
        if event is None or not job.goes_on(stop_at):
            return Snooze()
    with job.step() as session:
        wait = mail_deliveries.seconds_to_next_attempt(session, *reach)
    return Done() if wait is None else Snooze(wait)


def _send(job: RunningJob, event: MailedEvent, mail: DueMail) -> MailAnswer:
    try:
        message = _message(job, event, mail)
    except UnmailableAddressError as error:
        return MailAnswer(Verdict.NEVER, str(error))
    return job.context.bulk_mailer.send(message)


def _note(session: Session, event: MailedEvent, mail: DueMail, answer: MailAnswer) -> None:
    if answer.verdict is Verdict.TAKEN:
        mail_deliveries.mark_sent(session, event.id, mail.user_id, answer.words)
    elif answer.verdict is Verdict.NEVER or mail.attempts >= len(POSTPONEMENTS):
        mail_deliveries.mark_failed(session, event.id, mail.user_id, answer.words)
    else:
        wait = with_jitter(POSTPONEMENTS[mail.attempts])
        mail_deliveries.postpone(session, event.id, mail.user_id, answer.words, wait)


def _message(job: RunningJob, event: MailedEvent, mail: DueMail) -> EmailMessage:
    settings = job.context.settings
    title = make_line(event.title, TITLE_LIMIT) or settings.link_to_content(event.slug)
    unsubscribe_url = unsubscribing.unsubscribe_link(
        settings.base_url, settings.require_secret_key(), mail.user_id
    )
    text = render_mail(
        "content_event",
        f"{title} ({WORD_OF.get(event.kind, 'new')})",
        name=make_line(mail.display_name, NAME_LIMIT),
        is_new=event.kind == "content.published",
        is_correction=event.kind == "content.corrected",
        note=event.note,
        author_name=make_line(event.author_name, NAME_LIMIT),
        title=title,
        url=settings.link_to_content(event.slug),
        unsubscribe_url=unsubscribe_url,
    )
    return build_message(
        text,
        sender=settings.mail_from,
        address=mail.address,
        name=mail.display_name,
        message_id=settings.message_id("event", str(event.id), str(mail.user_id)),
        unsubscribe_url=unsubscribe_url,
    )


HANDLERS = (InSteps(SendEventMails, send_event_mails),)
