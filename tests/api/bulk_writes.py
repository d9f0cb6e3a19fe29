"""One successful call of each route of bulk actions that writes.

A `room` is a Newsroom of `tests/api/writes.py`, which imports this file.
"""

from collections.abc import Callable
from typing import Any


def _begun(room: Any) -> Any:
    asked = {"action": "trash", "content_ids": [int(room.item().rpartition("/")[2])]}
    return room.do("POST", "/bulk-actions", asked)


def _cancelled(room: Any) -> Any:
    return room.do("POST", f"/bulk-actions/{_begun(room).get_json()['id']}/cancel")


def _undone(room: Any) -> Any:
    return room.do("POST", f"/bulk-actions/{_cancelled(room).get_json()['id']}/undo")


BULK_WRITES: dict[str, Callable[[Any], Any]] = {
    "POST /api/v1/bulk-actions": _begun,
    "POST /api/v1/bulk-actions/<int:bulk_action_id>/cancel": _cancelled,
    "POST /api/v1/bulk-actions/<int:bulk_action_id>/undo": _undone,
}
