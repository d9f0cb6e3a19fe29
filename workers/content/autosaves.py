"""Unsaved changes that have been left alone."""

from sqlalchemy.orm import Session

from webapp.jobs.messages import KeepAutosave
from webapp.jobs.outcomes import Done, Outcome, Snooze
from webapp.services.content import autosaves
from workers.context import InOneTransaction, WorkerContext


def keep_autosave(session: Session, context: WorkerContext, message: KeepAutosave) -> Outcome:
    """Make a version of them, or look again once they have been quiet for long enough."""
    seconds = autosaves.keep_quiet_one(session, message.autosave_id, context.settings.quotas_of)
    return Done() if seconds is None else Snooze(seconds)


HANDLERS = (InOneTransaction(KeepAutosave, keep_autosave),)
