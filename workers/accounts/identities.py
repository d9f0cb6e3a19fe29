"""The notice of a link between an account and an issuer."""

from urllib.parse import urlsplit

from sqlalchemy import select

from webapp.adapters.mail_headers import NAME_LIMIT
from webapp.adapters.mail_templates import render_mail
from webapp.jobs.account_messages import SendIdentityLinked
from webapp.jobs.outcomes import Done, Outcome
from webapp.kit.visible_lines import make_line
from webapp.models import Identity, User
from workers.accounts.accounts import Reader, send_account_mail
from workers.context import InSteps, RunningJob


def send_identity_linked(job: RunningJob, message: SendIdentityLinked) -> Outcome:
    """Tell the owner who signs in to the account from now on; nothing where it is unlinked."""
    with job.step() as session:
        linked = session.execute(
            select(User.id, User.email, User.display_name, Identity.issuer)
            .join(User, User.id == Identity.user_id)
            .where(Identity.id == message.identity_id)
        ).one_or_none()
    if linked is None:
        return Done()
    name = make_line(linked.display_name, NAME_LIMIT)
    mail = render_mail(
        "identity_linked",
        "Another way to sign in",
        name=name,
        issuer=urlsplit(linked.issuer).netloc,
        base_url=job.context.settings.base_url,
    )
    reader = Reader(linked.id, linked.email, name)
    return send_account_mail(job, mail, reader, str(job.claimed.id))


HANDLERS = (InSteps(SendIdentityLinked, send_identity_linked),)
