"""Authors are told what became of the reviews of their versions."""

from webapp.adapters.mail_headers import NAME_LIMIT
from webapp.adapters.mail_templates import render_mail
from webapp.jobs.messages import SendReviewDecision
from webapp.jobs.outcomes import Done, Outcome
from webapp.kit.visible_lines import make_line
from webapp.services.publishing import review_views
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


HANDLERS = (InSteps(SendReviewDecision, send_review_decision),)
