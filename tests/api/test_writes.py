"""Promise: every write of the API leaves a line in the activity log, in its own transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session, sessionmaker

from tests.api.writes import OF_A_SECRET, WITHOUT_LINE, WRITES, Newsroom
from webapp.adapters import built_statements
from webapp.api.edge import ImprintApp
from webapp.app import create_app
from webapp.models import ActivityLog
from webapp.settings import Settings

WRITING = ("INSERT", "UPDATE", "DELETE", "WITH")
LINE = "INSERT INTO activity_logs"


def test_every_route_that_writes_has_its_row() -> None:
    app = create_app(Settings(_env_file=None, environment="development"))
    routed = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}
    }
    assert routed == set(WRITES) | set(WITHOUT_LINE)
    assert not set(WRITES) & set(WITHOUT_LINE)


@contextmanager
def noting_transactions(engine: Engine) -> Iterator[list[list[str]]]:
    """Note the statements of each transaction that is committed inside the block."""
    open_: dict[Any, list[str]] = {}
    committed: list[list[str]] = []

    def note(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        open_.setdefault(connection, []).append(statement)

    def commit(connection: Any) -> None:
        committed.append(open_.pop(connection, []))

    def roll_back(connection: Any) -> None:
        open_.pop(connection, None)

    listeners = (("before_cursor_execute", note), ("commit", commit), ("rollback", roll_back))
    for name, listener in listeners:
        event.listen(engine, name, listener)
    first = built_statements.first

    def note_built(connection: Any, statement: Any, parameters: Any) -> Any:
        note(connection, None, str(statement))
        return first(connection, statement, parameters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(built_statements, "first", note_built)
        yield committed
    for name, listener in listeners:
        event.remove(engine, name, listener)


@pytest.mark.parametrize("route", WRITES)
def test_a_write_leaves_its_line_in_its_own_transaction(
    app: ImprintApp,
    client: FlaskClient,
    sessions: sessionmaker[Session],
    settings: Settings,
    route: str,
) -> None:
    room = Newsroom(client, sessions, settings)
    assert app.context is not None
    with noting_transactions(app.context.engine) as committed:
        answer = WRITES[route](room)
    assert answer.status_code < 300, answer.get_data(as_text=True)
    last = [statement for statement in committed[-1] if statement.lstrip().startswith(WRITING)]
    assert [statement for statement in last if LINE in statement], last
    assert [statement for statement in last if not statement.startswith(LINE)], last
    with sessions() as session:
        request_id = answer.headers["X-Request-ID"]
        lines = session.scalars(
            select(ActivityLog).where(ActivityLog.request_id == request_id)
        ).all()
    assert lines
    assert {line.address for line in lines} == {"127.0.0.1"}
    assert all(line.user_agent for line in lines)
    if route.startswith(("PATCH", "PUT")):
        assert all(set(change) == {"old", "new"} for change in lines[-1].changes.values())
        assert bool(lines[-1].changes) is (route not in OF_A_SECRET)
