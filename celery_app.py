"""Entry point of the workers: `celery -A celery_app worker -Q accounts`."""

import os
from typing import Any

from celery.signals import setup_logging, worker_init, worker_process_init, worker_ready
from celery.worker import state

from webapp.kit.loading import undisturbed

with undisturbed():
    from webapp.adapters.lifeline import end_with_parent
    from webapp.adapters.logs import configure_logs
    from webapp.bootstrap import worker_context
    from webapp.settings import Settings
    from workers.broker import RUN_JOBS, make_celery
    from workers.context import WorkerContext
    from workers.handlers import HANDLERS
    from workers.runner import run_jobs
    from workers.startup import check_database
    from workers.stopping import StopRequest

settings = Settings.from_environment(needs_secret_key=True)
app = make_celery(settings)
_contexts: list[WorkerContext] = []
_main_processes: list[int] = []
_stop = StopRequest()


@setup_logging.connect
def configure_worker_logs(**_: Any) -> None:  # noqa: ANN401
    """Keep Celery from configuring logs, and do it as everywhere else."""
    configure_logs(settings)


@worker_init.connect
def note_main_process(**_: Any) -> None:  # noqa: ANN401
    """Keep the id of the process that starts the others, before there are any."""
    _main_processes.append(os.getpid())


@worker_init.connect
def check_before_work(**_: Any) -> None:  # noqa: ANN401
    """Look at the database once, before the processes that will use it are forked."""
    check_database(settings)


def end_when_idle() -> None:
    """Let Celery's main process end as soon as no task runs."""
    state.should_stop = 0


@worker_ready.connect
def take_stop_signals(**_: Any) -> None:  # noqa: ANN401
    """Take the signals from Celery, which has set up its own by now and has no task yet."""
    _stop.listen(end_when_idle)


@worker_process_init.connect
def assemble_worker(**_: Any) -> None:  # noqa: ANN401
    """Connect after the fork: a database connection must not be shared by two processes."""
    if _main_processes and _main_processes[0] != os.getpid():
        end_with_parent(_main_processes[0])
    _stop.obey(settings.worker_stop_seconds)
    _contexts.append(worker_context(settings, application_name="imprint-worker", stop=_stop))


@app.task(name=RUN_JOBS)
def run_hinted_jobs(job_ids: list[int]) -> None:
    """Run the jobs that a hint names."""
    run_jobs(_contexts[0], HANDLERS, job_ids)
