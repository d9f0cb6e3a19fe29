"""What comes of recurrences is planned in time."""

from sqlalchemy.orm import Session

from webapp.jobs.messages import PlanRecurrence
from webapp.jobs.outcomes import Done, Outcome, Snooze
from webapp.services.publishing import recurrence_planning
from workers.context import InOneTransaction, WorkerContext


def plan_recurrence(session: Session, context: WorkerContext, message: PlanRecurrence) -> Outcome:
    """Make the schedules that are near, and wait for the next."""
    seconds = recurrence_planning.plan(session, message.recurrence_id, context.settings)
    return Done() if seconds is None else Snooze(seconds)


HANDLERS = (InOneTransaction(PlanRecurrence, plan_recurrence),)
