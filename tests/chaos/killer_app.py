"""A Celery application for one test: its worker dies of the job that seals version 666."""

import os
import signal
import sys

from sqlalchemy.orm import Session

from celery_app import app
from tests.chaos.lethal_job import LAST_WORDS, LETHAL_VERSION_ID
from webapp.jobs.messages import SealVersion
from webapp.jobs.outcomes import Outcome
from workers.content.versions import seal_version
from workers.context import InOneTransaction, WorkerContext
from workers.handlers import HANDLERS

__all__ = ["app"]


def seal_or_die(session: Session, context: WorkerContext, message: SealVersion) -> Outcome:
    """Kill the process that runs this, as a memory bomb would, or seal as usual."""
    if message.version_id == LETHAL_VERSION_ID:
        os.write(sys.stderr.fileno(), f"{LAST_WORDS}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)
    return seal_version(session, context, message)


HANDLERS[SealVersion.kind] = InOneTransaction(SealVersion, seal_or_die)
