"""Hang the commands on the application."""

from flask import Flask

from webapp.cli.accounts import accounts
from webapp.cli.content import content
from webapp.cli.demo import demo
from webapp.cli.dispatcher import dispatcher
from webapp.cli.jobs import jobs
from webapp.cli.migrations import init_migrations


def install_commands(app: Flask) -> None:
    """Add `flask accounts`, `content`, `db`, `demo`, `dispatcher` and `jobs`."""
    init_migrations(app)
    for command in (accounts, content, demo, dispatcher, jobs):
        app.cli.add_command(command)
    # The library's own command writes the document to a file; `/openapi.json` serves it.
    app.cli.commands.pop("openapi", None)
