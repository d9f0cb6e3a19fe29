"""The notice of each change of an account's second factors."""

from sqlalchemy import select

from webapp.adapters.mail_headers import NAME_LIMIT
from webapp.adapters.mail_templates import render_mail
from webapp.jobs.account_messages import FactorChange, SendFactorNotice
from webapp.jobs.outcomes import Done, Outcome
from webapp.kit.visible_lines import make_line
from webapp.models import User
from webapp.services.accounts import freezes
from workers.accounts.accounts import FREEZE_PAGE, Reader, send_account_mail
from workers.context import InSteps, RunningJob

_TOLD: dict[FactorChange, str] = {
    "totp_added": "an authenticator app was added to your account",
    "totp_removed": "the authenticator app of your account was removed",
    "passkey_added": "a passkey was added to your account",
    "passkey_removed": "a passkey of your account was removed",
    "recovery_codes_made": "new recovery codes were made for your account; the old ones are void",
    "recovery_code_used": "a recovery code of your account was used",
    "all_removed": "all second factors of your account were removed by those who run the place",
}


def send_factor_notice(job: RunningJob, message: SendFactorNotice) -> Outcome:
    """Tell the owner what was changed, with a link to freeze the account."""
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
        "second_factor_changed",
        "Your second factor was changed",
        name=make_line(name, NAME_LIMIT),
        told=_TOLD[message.change],
        link=settings.link_to_page(FREEZE_PAGE, token),
        days=freezes.TOKEN_DAYS,
        base_url=settings.base_url,
    )
    reader = Reader(message.user_id, user.email, name)
    return send_account_mail(job, mail, reader, str(job.claimed.id))


HANDLERS = (InSteps(SendFactorNotice, send_factor_notice),)
