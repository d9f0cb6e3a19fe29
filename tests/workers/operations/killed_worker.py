"""A worker process that a test kills: how it starts, what it does, and what its death leaves."""

import subprocess
import sys
from pathlib import Path

from sqlalchemy import func, text, update
from sqlalchemy.orm import Session, sessionmaker

from dev.run_options import child_environment
from webapp.adapters.database import plain_url
from webapp.adapters.logs import configure_logs
from webapp.bootstrap import worker_context
from webapp.jobs.leases import take_back_expired
from webapp.models import Job
from webapp.settings import Settings
from workers.handlers import HANDLERS
from workers.runner import run_job

ROOT = Path(__file__).resolve().parents[3]


def start_process(
    settings: Settings, module: str, smtp_url: str | None = None
) -> "subprocess.Popen[bytes]":
    """Start a module of this folder on the database of a test, with the leases of production."""
    mail = {} if smtp_url is None else {"SMTP_URL": smtp_url}
    environment = child_environment(
        {"DATABASE_URL": plain_url(settings), "SECRET_KEY": settings.require_secret_key(), **mail}
    )
    command = [sys.executable, "-m", f"tests.workers.operations.{module}"]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)


def work(unfinished: str) -> None:
    """Run whichever job a statement finds, in this process, until it finds none."""
    settings = Settings.from_environment()
    configure_logs(settings)
    context = worker_context(settings, application_name="imprint-worker")
    while True:
        with context.transaction() as session:
            job_id = session.scalar(text(unfinished))
        if job_id is None:
            return
        run_job(context, HANDLERS, job_id)


def take_back(sessions: sessionmaker[Session]) -> None:
    """Let the time pass that the lease of a dead process has left, and take its job back."""
    with sessions.begin() as session:
        session.execute(
            update(Job).where(Job.state == "running").values(lease_until=func.clock_timestamp())
        )
        take_back_expired(session)
        session.execute(update(Job).values(run_at=func.clock_timestamp()))
