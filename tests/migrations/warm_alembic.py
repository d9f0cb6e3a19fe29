"""Alembic's command in a process of its own that begins with everything imported.

The imports take most of the time of a command that does one step. They are done once, in the
process that all the others are forked from.
"""

import os
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess

from alembic.config import main

from tests.migrations.commands import INI, environment


def start_alembic(arguments: list[str], database_url: str) -> ForkServerProcess:
    """Start `alembic` with these arguments; its process can be killed as any other."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_run, args=(arguments, database_url))
    process.start()
    return process


def _run(arguments: list[str], database_url: str) -> None:
    os.environ.clear()
    os.environ.update(environment(database_url))
    main(argv=["-c", str(INI), *arguments])
