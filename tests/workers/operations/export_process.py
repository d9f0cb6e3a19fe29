"""A worker that makes one copy, slowly, and ends when it is made."""

import sys
import time
from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

from webapp.adapters.logs import configure_logs
from webapp.bootstrap import worker_context
from webapp.services.operations import personal_files
from webapp.services.operations.personal_files import Piece
from webapp.settings import Settings
from workers.handlers import HANDLERS
from workers.runner import run_job

_pieces = personal_files.pieces


def slowly(session: Session, account_id: int) -> Iterator[Piece]:
    """Leave time between two pieces, so that a kill finds the copy half made."""
    for piece in _pieces(session, account_id):
        yield piece
        time.sleep(0.05)


def main() -> None:
    """Run the job until no copy is wanted any more."""
    personal_files.pieces = slowly
    personal_files.FILE_BYTES = 20_000
    settings = Settings.from_environment()
    configure_logs(settings)
    context = worker_context(settings, application_name="imprint-worker")
    unfinished = text("SELECT id FROM jobs WHERE kind = 'account_export.make' AND state <> 'done'")
    while True:
        with context.transaction() as session:
            job_id = session.scalar(unfinished)
        if job_id is None:
            sys.exit(0)
        run_job(context, HANDLERS, job_id)


if __name__ == "__main__":
    main()
