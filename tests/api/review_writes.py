"""One successful call of each route that writes about reviews and their guests."""

from collections.abc import Callable
from typing import Any


def _uninvited(room: Any) -> Any:
    links = f"{room.review()}/links"
    made = room.do("POST", links, {"name": "Guest"}).get_json()
    return room.do("DELETE", f"{links}/{made['id']}")


def _answered(room: Any) -> Any:
    asked = {"name": "Guest", "step": "review"}
    url = room.do("POST", f"{room.review()}/links", asked).get_json()["url"]
    form = {"token": url.partition("=")[2], "decision": "approve"}
    return room.client.post("/review", data=form)


def _released(room: Any) -> Any:
    claim = f"{room.review()}/claim"
    room.do("PUT", claim)
    return room.do("DELETE", claim)


_REVIEW = "/api/v1/content/<int:content_id>/reviews/<int:review_id>"
REVIEW_WRITES: dict[str, Callable[[Any], Any]] = {
    f"POST {_REVIEW}/links": lambda room: room.do(
        "POST", f"{room.review()}/links", {"name": "Guest"}
    ),
    f"DELETE {_REVIEW}/links/<int:link_id>": _uninvited,
    "POST /review": _answered,
    f"PUT {_REVIEW}/claim": lambda room: room.do("PUT", f"{room.review()}/claim"),
    f"DELETE {_REVIEW}/claim": _released,
}
