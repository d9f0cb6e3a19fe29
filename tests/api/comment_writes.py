"""One successful call of each route that writes comments."""

from collections.abc import Callable
from typing import Any

SAID = {"body": "This is not so."}


def _thread(room: Any, rest: str) -> str:
    path = f"{room.item()}/comments"
    made = room.do("POST", path, SAID).get_json()
    return f"{path}/threads/{made['id']}/{rest}"


def _comment(room: Any) -> str:
    path = f"{room.item()}/comments"
    return f"{path}/{room.do('POST', path, SAID).get_json()['first']['id']}"


def _reopened(room: Any) -> Any:
    path = _thread(room, "resolve")
    room.do("POST", path)
    return room.do("POST", path.replace("resolve", "reopen"))


_COMMENTS = "/api/v1/content/<int:content_id>/comments"
_THREAD = f"{_COMMENTS}/threads/<int:thread_id>"
COMMENT_WRITES: dict[str, Callable[[Any], Any]] = {
    f"POST {_COMMENTS}": lambda room: room.do("POST", f"{room.item()}/comments", SAID),
    f"POST {_THREAD}/replies": lambda room: room.do("POST", _thread(room, "replies"), SAID),
    f"POST {_THREAD}/resolve": lambda room: room.do("POST", _thread(room, "resolve")),
    f"POST {_THREAD}/reopen": _reopened,
    f"PATCH {_COMMENTS}/<int:comment_id>": lambda room: room.do(
        "PATCH", _comment(room), {"body": "It is so after all."}
    ),
    f"DELETE {_COMMENTS}/<int:comment_id>": lambda room: room.do("DELETE", _comment(room)),
}
