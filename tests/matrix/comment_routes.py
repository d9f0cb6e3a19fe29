"""How the routes of the comments on an item are asked, and what they may say to whom."""

from tests.matrix.route_rows import ItemRoute, Request, plain
from tests.matrix.world import Item
from webapp.kit.roles import RoleName

AUTHOR = RoleName.AUTHOR
OK = frozenset({200})
# There is no such thread or comment; one that is put aside takes none.
REFUSED = frozenset({404, 409})
_NOBODY = 10**9
_COMMENTS = "/api/v1/content/<int:content_id>/comments"
_THREAD = f"{_COMMENTS}/threads/<int:thread_id>"


def _said(item: Item) -> Request:
    return Request(f"/content/{item.id}/comments", {"body": "x", "version": _NOBODY})


def _about(item: Item) -> Request:
    return Request(f"/content/{item.id}/comments/threads/{_NOBODY}/replies", {"body": "x"})


def _edited(item: Item) -> Request:
    return Request(f"/content/{item.id}/comments/{_NOBODY}", {"body": "x"})


COMMENT_ROUTES: dict[str, ItemRoute] = {
    f"GET {_COMMENTS}": ItemRoute(AUTHOR, plain("/content/{item.id}/comments"), OK, shows=True),
    "GET /api/v1/content/<int:content_id>/people": ItemRoute(
        AUTHOR, plain("/content/{item.id}/people"), OK
    ),
    f"GET {_THREAD}": ItemRoute(
        AUTHOR,
        plain("/content/{item.id}/comments/threads/{item.thread_id}"),
        OK,
        shows=True,
    ),
    f"POST {_COMMENTS}": ItemRoute(AUTHOR, _said, REFUSED),
    f"POST {_THREAD}/replies": ItemRoute(AUTHOR, _about, REFUSED),
    f"POST {_THREAD}/resolve": ItemRoute(
        AUTHOR, plain(f"/content/{{item.id}}/comments/threads/{_NOBODY}/resolve"), REFUSED
    ),
    f"POST {_THREAD}/reopen": ItemRoute(
        AUTHOR, plain(f"/content/{{item.id}}/comments/threads/{_NOBODY}/reopen"), REFUSED
    ),
    f"PATCH {_COMMENTS}/<int:comment_id>": ItemRoute(AUTHOR, _edited, REFUSED),
    f"DELETE {_COMMENTS}/<int:comment_id>": ItemRoute(
        AUTHOR, plain(f"/content/{{item.id}}/comments/{_NOBODY}"), REFUSED
    ),
}
