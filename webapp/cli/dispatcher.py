"""`flask dispatcher`: the process that hands due work to the broker."""

import signal
from types import FrameType

import click
from flask.cli import with_appcontext

from webapp.adapters.database import plan_listener
from webapp.bootstrap import worker_context
from webapp.cli.database import command_settings
from workers.broker import make_celery
from workers.dispatcher import Dispatcher
from workers.startup import check_database


@click.command()
@with_appcontext
def dispatcher() -> None:
    """Run a dispatcher until it is told to stop. Any number may run at once."""
    settings = command_settings()
    check_database(settings)
    running = Dispatcher(
        worker_context(settings, application_name="imprint-dispatcher"),
        make_celery(settings),
        plan_listener(settings),
    )

    def stop(_signal: int, _frame: FrameType | None) -> None:
        running.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    running.run()
