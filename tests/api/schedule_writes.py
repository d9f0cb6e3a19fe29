"""One successful call of each route that writes one schedule."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import update

from webapp.models import Schedule

SCHEDULE_WRITES: dict[str, Callable[[Any], Any]] = {
    "PATCH /api/v1/schedule/<int:schedule_id>": lambda room: room.do(
        "PATCH", room.schedule(), {"at": "2099-01-02T00:00:00Z"}
    ),
    "DELETE /api/v1/schedule/<int:schedule_id>": lambda room: room.do("DELETE", room.schedule()),
    "POST /api/v1/schedule/<int:schedule_id>/decide": lambda room: room.do(
        "POST", f"{_schedule_that(room, 'waiting')}/decide", {"decision": "skip"}
    ),
    "POST /api/v1/schedule/<int:schedule_id>/retry": lambda room: room.do(
        "POST", f"{_schedule_that(room, 'failed')}/retry"
    ),
}


def _schedule_that(room: Any, state: str) -> str:
    """Return the path of a schedule that its moment has left in a state."""
    path: str = room.schedule()
    with room.sessions.begin() as session:
        mine = Schedule.id == int(path.rpartition("/")[2])
        session.execute(update(Schedule).where(mine).values(state=state))
    return path
