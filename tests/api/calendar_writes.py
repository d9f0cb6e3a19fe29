"""One successful call of each route that writes what belongs to the calendar."""

from collections.abc import Callable
from typing import Any

FEED = {"name": "Desk"}
MONDAYS = {
    "rule": "FREQ=WEEKLY;BYDAY=MO", "zone": "UTC", "start": "2027-03-01T07:00",
    "in_gap": "after", "in_fold": "earlier",
}  # fmt: skip
_RECURRENCES = "/api/v1/content/<int:content_id>/recurrences"

CALENDAR_WRITES: dict[str, Callable[[Any], Any]] = {
    "POST /api/v1/calendar-feeds": lambda room: room.do("POST", "/calendar-feeds", FEED),
    "DELETE /api/v1/calendar-feeds/<int:feed_id>": lambda room: room.do(
        "DELETE", f"/calendar-feeds/{_new_id(room, '/calendar-feeds', FEED)}"
    ),
    f"POST {_RECURRENCES}": lambda room: room.do("POST", f"{room.item()}/recurrences", MONDAYS),
    f"PATCH {_RECURRENCES}/<int:recurrence_id>": lambda room: room.do(
        "PATCH", _recurrence(room), {"count": 3}
    ),
    f"DELETE {_RECURRENCES}/<int:recurrence_id>": lambda room: room.do("DELETE", _recurrence(room)),
}


def _recurrence(room: Any) -> str:
    path = f"{room.item()}/recurrences"
    return f"{path}/{_new_id(room, path, MONDAYS)}"


def _new_id(room: Any, path: str, body: dict[str, Any]) -> int:
    return int(room.do("POST", path, body).get_json()["id"])
