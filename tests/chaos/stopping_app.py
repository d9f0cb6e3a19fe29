"""A Celery application whose jobs last until the test lets them go: what a stop can meet."""

import time

from sqlalchemy import text
from sqlalchemy.orm import Session

from celery_app import app
from tests.chaos.gate import is_open
from webapp.jobs.account_messages import SendPasswordChanged
from webapp.jobs.messages import FanOutEvent, SealVersion
from webapp.jobs.outcomes import Done, Outcome, Snooze
from workers.context import InOneTransaction, InSteps, RunningJob, WorkerContext
from workers.handlers import HANDLERS

__all__ = ["app"]

LOOK_SECONDS = 0.05

_NOTE = text("INSERT INTO ticks (task, slot) VALUES (:task, clock_timestamp())")


def note(session: Session, task: str) -> None:
    """Leave a row that tells how far a job came."""
    session.execute(_NOTE, {"task": task})


def wait_at_gate(context: WorkerContext) -> None:
    """Wait until the test no longer holds its lock."""
    while True:
        with context.transaction() as session:
            if is_open(session):
                return
        time.sleep(LOOK_SECONDS)


def seal_at_gate(session: Session, context: WorkerContext, message: SealVersion) -> Outcome:
    """Write; a version of an even number then waits at the gate, in the same transaction."""
    note(session, f"sealed {message.version_id}")
    if message.version_id % 2 == 0:
        with context.transaction() as another:
            note(another, "waiting")
        wait_at_gate(context)
    return Done()


def send_at_gate(job: RunningJob, message: SendPasswordChanged) -> Outcome:
    """Tell the outside, which a commit stands for that cannot be rolled back, and wait."""
    with job.context.transaction() as session:
        note(session, f"sent {message.user_id}")
        note(session, "waiting")
    wait_at_gate(job.context)
    return Done()


def fan_out_for_ever(job: RunningJob, _message: FanOutEvent) -> Outcome:
    """Do steps until the worker is asked to stop."""
    while True:
        with job.step() as session:
            note(session, "step")
        if not job.goes_on(time.monotonic() + 1):
            return Snooze(3600)
        time.sleep(LOOK_SECONDS)


HANDLERS[SealVersion.kind] = InOneTransaction(SealVersion, seal_at_gate)
HANDLERS[SendPasswordChanged.kind] = InSteps(SendPasswordChanged, send_at_gate)
HANDLERS[FanOutEvent.kind] = InSteps(FanOutEvent, fan_out_for_ever, may_be_cut_off=True)
