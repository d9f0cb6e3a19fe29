"""One successful call of each route that writes what belongs to the calendar."""

from collections.abc import Callable
from typing import Any

FEED = {"name": "Desk"}

CALENDAR_WRITES: dict[str, Callable[[Any], Any]] = {
    "POST /api/v1/calendar-feeds": lambda room: room.do("POST", "/calendar-feeds", FEED),
    "DELETE /api/v1/calendar-feeds/<int:feed_id>": lambda room: room.do(
        "DELETE", f"/calendar-feeds/{_new_id(room, '/calendar-feeds', FEED)}"
    ),
}


def _new_id(room: Any, path: str, body: dict[str, Any]) -> int:
    return int(room.do("POST", path, body).get_json()["id"])
