"""What a call asks of the database."""

from collections.abc import Callable

from sqlalchemy import event
from sqlalchemy.orm import Session


def statements_of(session: Session, run: Callable[[], object]) -> list[str]:
    """Return the statements that a call sends."""
    statements: list[str] = []

    def note(*arguments: object) -> None:
        statements.append(str(arguments[2]))

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", note)
    run()
    event.remove(connection, "before_cursor_execute", note)
    return statements
