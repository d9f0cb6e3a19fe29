"""Copies of what is kept of a person: made in one go, and begun anew after a kill."""

from sqlalchemy import text

from webapp.adapters.mail_headers import NAME_LIMIT
from webapp.adapters.mail_templates import render_mail
from webapp.jobs.account_messages import MakeAccountExport, SendAccountExport
from webapp.jobs.outcomes import Done, Outcome, Snooze
from webapp.kit.visible_lines import make_line
from webapp.services.operations import account_exports, personal_files
from workers.accounts.accounts import Reader, send_account_mail
from workers.context import InSteps, RunningJob

_ONE_MOMENT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def make_account_export(job: RunningJob, message: MakeAccountExport) -> Outcome:
    """Read all that is theirs at one moment, and keep it file by file.

    Each piece is a step, which prolongs the lease. Whoever was killed, or has to stop, leaves files
    that the next start takes away before it makes its own.
    """
    with job.step() as session:
        is_wanted = account_exports.begin_anew(session, message.export_id)
    if not is_wanted:
        return Done()
    number = 1
    with job.context.transaction() as reading:
        reading.execute(_ONE_MOMENT)
        for piece in personal_files.pieces(reading, message.user_id):
            with job.step() as session:
                account_exports.add_piece(session, message.export_id, number, piece)
            number += piece.file is not None
            if job.context.stop.is_asked:
                return Snooze()
    with job.step() as session:
        account_exports.end(
            session, message.export_id, message.user_id, hours=job.context.settings.export_hours
        )
    return Done()


def send_account_export(job: RunningJob, message: SendAccountExport) -> Outcome:
    """Mail the owner the link; each start makes its own, which ends that of the one before."""
    settings = job.context.settings
    with job.step() as session:
        notice = account_exports.mint_link(session, message.export_id)
    if notice is None:
        return Done()
    mail = render_mail(
        "account_export",
        "A copy of your data is ready",
        name=make_line(notice.display_name, NAME_LIMIT),
        link=settings.link_to_page("export", notice.token),
        expires_at=f"{notice.expires_at:%d %B %Y, %H:%M} UTC",
    )
    reader = Reader(notice.user_id, notice.address, notice.display_name)
    return send_account_mail(job, mail, reader, notice.token)


HANDLERS = (
    InSteps(MakeAccountExport, make_account_export, may_be_cut_off=True),
    InSteps(SendAccountExport, send_account_export),
)
