"""A Celery application for one test: its worker dies of the job that seals version 666."""

import os
import signal
import sys
from collections.abc import Sequence

from sqlalchemy.orm import Session

from celery_app import app
from tests.chaos.lethal_job import LAST_WORDS, LETHAL_VERSION_ID
from webapp.jobs.messages import SealVersion
from webapp.jobs.outcomes import Outcome
from workers.content.versions import seal_versions
from workers.context import InBatch, WorkerContext
from workers.handlers import HANDLERS

__all__ = ["app"]


def seal_or_die(
    session: Session, context: WorkerContext, messages: Sequence[SealVersion]
) -> list[Outcome]:
    """Kill the process that runs this, as a memory bomb would, or seal as usual."""
    if LETHAL_VERSION_ID in {message.version_id for message in messages}:
        os.write(sys.stderr.fileno(), f"{LAST_WORDS}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)
    return seal_versions(session, context, messages)


HANDLERS[SealVersion.kind] = InBatch(SealVersion, seal_or_die)
