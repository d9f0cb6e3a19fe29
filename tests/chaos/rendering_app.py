"""A Celery application for one test: main process and children of its worker render."""

import os
import sys
import time
from typing import Any

import psutil
from celery.signals import worker_init
from sqlalchemy.orm import Session

from celery_app import app
from webapp.adapters.rendering import rendering_processes
from webapp.jobs.messages import SealVersion
from webapp.jobs.outcomes import Done, Outcome
from workers.context import InOneTransaction, WorkerContext
from workers.handlers import HANDLERS

__all__ = ["app"]

RENDERED = "rendered:"


def render_and_tell(number: int) -> None:
    """Render a text, and print who did it, in which child, and what came of it."""
    html = rendering_processes().render("markdown", f"text {number}").html.strip()
    mine = [
        child.pid
        for child in psutil.Process().children()
        if "webapp.adapters.rendering_child" in child.cmdline()
    ]
    line = f"{RENDERED}{os.getpid()}:{','.join(map(str, mine))}:{html}\n"
    os.write(sys.stderr.fileno(), line.encode())


@worker_init.connect  # type: ignore[untyped-decorator]
def render_before_the_fork(**_: Any) -> None:
    """Render in the main process, before it forks: the worst that can be."""
    render_and_tell(0)


def render(_session: Session, _context: WorkerContext, message: SealVersion) -> Outcome:
    """Render in a child of the worker, and give the other one time to take a job too."""
    render_and_tell(message.version_id)
    time.sleep(0.5)
    return Done()


HANDLERS[SealVersion.kind] = InOneTransaction(SealVersion, render)
