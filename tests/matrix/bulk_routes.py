"""How the routes of bulk actions are asked: by trials over all items, which change none."""

from collections.abc import Iterator

from tests.matrix.route_rows import CommonRoute, Request, once
from tests.matrix.world import World
from webapp.kit.roles import RoleName

PATH = "/bulk-actions"
NOBODY = 10**9
AUTHOR, NOT_THERE = RoleName.AUTHOR, frozenset({404})


def _trials(world: World) -> Iterator[Request]:
    ids = [item.id for item in world.items.values()]
    trial = {"action": "tag", "tags": ["x"], "dry_run": True}
    yield Request(PATH, {**trial, "content_ids": [*ids, NOBODY]})
    for item in world.items.values():
        yield Request(PATH, {**trial, "filter": {"tag": f"tag-{item.word}"}})
    yield Request(PATH, {"action": "trash", "dry_run": True, "content_ids": ids})


BULK_ROUTES: dict[str, CommonRoute] = {
    # A key of one scope may do one of the two.
    "POST /api/v1/bulk-actions": CommonRoute(AUTHOR, _trials, frozenset({200, 403})),
    "GET /api/v1/bulk-actions": CommonRoute(AUTHOR, once(f"{PATH}?limit=100")),
    "GET /api/v1/bulk-actions/<int:bulk_action_id>": CommonRoute(
        AUTHOR, once(f"{PATH}/{NOBODY}"), NOT_THERE
    ),
    "GET /api/v1/bulk-actions/<int:bulk_action_id>/items": CommonRoute(
        AUTHOR, once(f"{PATH}/{NOBODY}/items"), NOT_THERE
    ),
    "POST /api/v1/bulk-actions/<int:bulk_action_id>/cancel": CommonRoute(
        AUTHOR, once(f"{PATH}/{NOBODY}/cancel"), NOT_THERE
    ),
    "POST /api/v1/bulk-actions/<int:bulk_action_id>/undo": CommonRoute(
        RoleName.READER, once(f"{PATH}/{NOBODY}/undo"), NOT_THERE
    ),
}
