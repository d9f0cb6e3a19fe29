"""Versions after their save."""

from sqlalchemy.orm import Session

from webapp.jobs.messages import SealVersion
from webapp.jobs.outcomes import Done, GiveUp, Outcome
from webapp.services.content import versions
from workers.context import InOneTransaction, WorkerContext


def seal_version(session: Session, _context: WorkerContext, message: SealVersion) -> Outcome:
    """Check a version and add its statistics; a text that is not what was saved is reported."""
    if versions.seal_version(session, message.version_id):
        return Done()
    return GiveUp("The text of this version is not the one that was saved.")


HANDLERS = (InOneTransaction(SealVersion, seal_version),)
