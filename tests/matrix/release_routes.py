"""How the routes of releases are asked: of one that there is not, and of items that few may see."""

from tests.matrix.route_rows import CommonRoute, Request, once
from tests.matrix.world import World
from webapp.kit.roles import RoleName

PATH = "/releases"
NOBODY = f"/releases/{10**9}"
AUTHOR, EDITOR, NOT_THERE = RoleName.AUTHOR, RoleName.EDITOR, frozenset({404})
ANY_TAG = (("If_Match", "*"),)
_RELEASES = "/api/v1/releases"
_ONE = f"{_RELEASES}/<int:release_id>"


def _entries(world: World) -> list[Request]:
    wishes = [{"content_id": item.id} for item in world.items.values()]
    return [Request(f"{NOBODY}/entries", {"entries": wishes}, ANY_TAG)]


RELEASE_ROUTES: dict[str, CommonRoute] = {
    # A body that says too little: nothing is made by asking.
    f"POST {_RELEASES}": CommonRoute(EDITOR, once(PATH, {}), frozenset({422})),
    f"GET {_RELEASES}": CommonRoute(AUTHOR, once(f"{PATH}?limit=100")),
    f"GET {_ONE}": CommonRoute(AUTHOR, once(NOBODY), NOT_THERE),
    f"GET {_ONE}/entries": CommonRoute(AUTHOR, once(f"{NOBODY}/entries"), NOT_THERE),
    f"PATCH {_ONE}": CommonRoute(EDITOR, once(NOBODY, {"name": "x"}, ANY_TAG), NOT_THERE),
    f"DELETE {_ONE}": CommonRoute(EDITOR, once(NOBODY, None, ANY_TAG), NOT_THERE),
    f"POST {_ONE}/entries": CommonRoute(
        EDITOR, lambda world: iter(_entries(world)), NOT_THERE
    ),
    f"POST {_ONE}/entries/remove": CommonRoute(
        EDITOR, once(f"{NOBODY}/entries/remove", {"content_ids": [1]}, ANY_TAG), NOT_THERE
    ),
    f"POST {_ONE}/approve": CommonRoute(
        EDITOR, once(f"{NOBODY}/approve", None, ANY_TAG), NOT_THERE
    ),
    f"POST {_ONE}/schedule": CommonRoute(
        EDITOR, once(f"{NOBODY}/schedule", {"at": "2099-01-01T00:00:00Z"}, ANY_TAG), NOT_THERE
    ),
    f"POST {_ONE}/publish": CommonRoute(
        EDITOR, once(f"{NOBODY}/publish", None, ANY_TAG), NOT_THERE
    ),
    f"POST {_ONE}/cancel": CommonRoute(EDITOR, once(f"{NOBODY}/cancel", None, ANY_TAG), NOT_THERE),
    f"POST {_ONE}/undo": CommonRoute(EDITOR, once(f"{NOBODY}/undo", None, ANY_TAG), NOT_THERE),
}  # fmt: skip
