"""Seal the activity log as a dispatcher does, and look at its chain as an operator does."""

from typing import Any

import orjson
from flask.testing import FlaskCliRunner
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from webapp.services.operations import activity_chain


def seal_all(sessions: sessionmaker[Session]) -> int:
    """Take the turns of a dispatcher until nothing is left to seal; returns how many blocks."""
    horizon, blocks = None, 0
    while True:
        with sessions.begin() as session:
            horizon, sealed = activity_chain.advance(session, horizon)
        blocks += sealed is not None
        if horizon is None:
            return blocks


def verify(commands: FlaskCliRunner, *options: str) -> dict[str, Any]:
    """Return what `flask activity verify` finds; its exit code says the same."""
    result = commands.invoke(args=["activity", "verify", "--json", *options])
    report: dict[str, Any] = orjson.loads(result.output)
    assert result.exit_code == (0 if report["is_whole"] else 3), result.output
    return report


def tamper(sessions: sessionmaker[Session], statement: str) -> None:
    """Change the database as one does who may switch its rules off."""
    with sessions.begin() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text(statement))
