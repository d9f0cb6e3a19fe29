"""One successful call of each route that changes tags."""

from typing import Any, Protocol


class Room(Protocol):
    """Whoever calls the API as an admin."""

    def do(self, method: str, path: str, json: Any = None) -> Any:
        """Call the API, whatever the revision is."""


def _tag(room: Room, word: str) -> int:
    """Write an item with a tag of its own and return the id of the tag."""
    made = room.do("POST", "/content", {"title": "Tagged", "tags": [word]})
    tag_id: int = made.get_json()["tags"][0]["id"]
    return tag_id


TAG_WRITES: dict[str, Any] = {
    "PUT /api/v1/tags/<int:tag_id>": lambda room: room.do(
        "PUT", f"/tags/{_tag(room, 'renamed')}", {"name": "Another"}
    ),
    "POST /api/v1/tags/<int:tag_id>/merge": lambda room: room.do(
        "POST", f"/tags/{_tag(room, 'merged')}/merge", {"into_id": _tag(room, "kept")}
    ),
    "DELETE /api/v1/tags/<int:tag_id>": lambda room: room.do(
        "DELETE", f"/tags/{_tag(room, 'deleted')}"
    ),
}
