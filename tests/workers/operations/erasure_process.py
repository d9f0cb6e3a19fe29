"""A worker that erases one account and ends when all but the last look is done."""

import sys

from sqlalchemy import text

from webapp.adapters.logs import configure_logs
from webapp.bootstrap import worker_context
from webapp.settings import Settings
from workers.handlers import HANDLERS
from workers.runner import run_job


def main() -> None:
    """Run the job of the erasure whenever it is ready, until nothing is left for it to do now."""
    settings = Settings.from_environment()
    configure_logs(settings)
    context = worker_context(settings, application_name="imprint-worker")
    unfinished = text(
        "SELECT id FROM jobs WHERE kind = 'account.erase' AND state IN ('ready', 'running')"
        " AND run_at < clock_timestamp() + interval '10 seconds'"
    )
    while True:
        with context.transaction() as session:
            job_id = session.scalar(unfinished)
        if job_id is None:
            sys.exit(0)
        run_job(context, HANDLERS, job_id)


if __name__ == "__main__":
    main()
