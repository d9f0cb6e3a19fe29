"""Guests are asked for reviews, and authors are told what became of theirs."""

from webapp.adapters.mail_headers import NAME_LIMIT
from webapp.adapters.mail_templates import render_mail
from webapp.jobs.outcomes import Done, Outcome
from webapp.jobs.review_messages import (
    RemindOfReview,
    SendGuestDecision,
    SendReviewDecision,
    SendReviewLink,
)
from webapp.kit.visible_lines import make_line
from webapp.services.publishing import guest_reviews, review_reminders, review_views
from workers.accounts.accounts import Reader, send_account_mail
from workers.context import InSteps, RunningJob

TITLE_LIMIT = 100
SUBJECTS = {
    "approve": "Your text was approved",
    "changes_wanted": "Your text wants changes",
    "reject": "Your text was rejected",
}


def send_review_decision(job: RunningJob, message: SendReviewDecision) -> Outcome:
    """Mail the author what was decided, of which version, and why.

    An address that nobody has proven may be a stranger's, who gets no word of a draft.
    """
    with job.step() as session:
        notice = review_views.find_notice(session, message.decision_id)
    if notice is None:
        return Done()
    mail = render_mail(
        "review_decision",
        SUBJECTS[notice.decision],
        name=make_line(notice.name, NAME_LIMIT) if notice.is_proven else "",
        decision=notice.decision,
        version=notice.number,
        title=make_line(notice.title, TITLE_LIMIT) if notice.is_proven else "",
        comment=notice.comment if notice.is_proven else "",
        base_url=job.context.settings.base_url,
    )
    reader = Reader(notice.user_id, notice.address, notice.name if notice.is_proven else "")
    return send_account_mail(job, mail, reader, str(message.decision_id))


def send_review_link(job: RunningJob, message: SendReviewLink) -> Outcome:
    """Mint a token, commit it, and mail the only copy to the guest; each start makes its own."""
    settings = job.context.settings
    with job.step() as session:
        invitation = guest_reviews.mint(session, message.link_id, settings.review_policy)
    if invitation is None:
        return Done()
    mail = render_mail(
        "review_link",
        "You are asked for a review",
        guest_name=make_line(invitation.guest_name, NAME_LIMIT),
        asked_by=make_line(invitation.asked_by, NAME_LIMIT),
        title=make_line(invitation.title, TITLE_LIMIT),
        decides=invitation.decides,
        link=settings.link_to_page("review", invitation.token),
        expires_at=f"{invitation.expires_at:%d %B %Y, %H:%M} UTC",
    )
    reader = Reader(None, invitation.address, invitation.guest_name)
    return send_account_mail(job, mail, reader, invitation.token)


def send_guest_decision(job: RunningJob, message: SendGuestDecision) -> Outcome:
    """Mail the author what a guest said, of which version, and whether it decides anything."""
    with job.step() as session:
        notice = review_views.find_guest_notice(session, message.link_id)
    if notice is None:
        return Done()
    mail = render_mail(
        "guest_decision",
        "A guest has answered your review",
        name=make_line(notice.name, NAME_LIMIT) if notice.is_proven else "",
        guest_name=make_line(notice.guest_name, NAME_LIMIT) if notice.is_proven else "",
        decision=notice.decision,
        version=notice.number,
        title=make_line(notice.title, TITLE_LIMIT) if notice.is_proven else "",
        comment=notice.comment if notice.is_proven else "",
        step=notice.step,
        base_url=job.context.settings.base_url,
    )
    reader = Reader(notice.user_id, notice.address, notice.name if notice.is_proven else "")
    return send_account_mail(job, mail, reader, str(message.link_id))


def remind_of_review(job: RunningJob, message: RemindOfReview) -> Outcome:
    """Mail who is reviewing, or has asked for it, that a review is wanted and not decided."""
    with job.step() as session:
        reminder = review_reminders.find(session, message.review_id)
    if reminder is None:
        return Done()
    mail = render_mail(
        "review_reminder",
        "A review is due" if message.is_due else "A review is due in a day",
        name=make_line(reminder.name, NAME_LIMIT) if reminder.is_proven else "",
        version=reminder.number,
        title=make_line(reminder.title, TITLE_LIMIT) if reminder.is_proven else "",
        due_at=f"{reminder.due_at:%d %B %Y, %H:%M} UTC",
        is_due=message.is_due,
        is_reviewing=reminder.is_reviewing,
        base_url=job.context.settings.base_url,
    )
    reader = Reader(reminder.user_id, reminder.address, reminder.name if reminder.is_proven else "")
    return send_account_mail(job, mail, reader, message.dedupe_key())


HANDLERS = (
    InSteps(SendReviewDecision, send_review_decision),
    InSteps(SendReviewLink, send_review_link),
    InSteps(SendGuestDecision, send_guest_decision),
    InSteps(RemindOfReview, remind_of_review),
)
