"""How the routes of categories and tags are asked, and what they may say to whom."""

from collections.abc import Callable, Iterator
from typing import Any

from tests.matrix.route_rows import CommonRoute, Request, once
from tests.matrix.world import World
from webapp.kit.roles import RoleName

ANY_TAG = (("If_Match", "*"),)
NOBODY = 10**9
MANAGER = RoleName.MANAGER


def about_each_shelf(path: str, json: Any = None) -> Callable[[World], Iterator[Request]]:
    """Ask about the category of each item that has one."""

    def build(world: World) -> Iterator[Request]:
        for item in world.items.values():
            if item.category_id is not None:
                yield Request(path.format(item=item), json)

    return build


def _about_each_tag(world: World) -> Iterator[Request]:
    for item in world.items.values():
        yield Request(f"/tags/{item.tag_id}?counts=true")


TAXONOMY_ROUTES: dict[str, CommonRoute] = {
    "GET /api/v1/categories": CommonRoute(None, once("/categories?limit=100&counts=true")),
    "POST /api/v1/categories": CommonRoute(MANAGER, once("/categories", {}), frozenset({422})),
    # It is there for authors; that nobody else is told of it, the words show.
    "GET /api/v1/categories/<int:category_id>": CommonRoute(
        None, about_each_shelf("/categories/{item.category_id}?counts=true"), frozenset({200, 404})
    ),
    "PUT /api/v1/categories/<int:category_id>": CommonRoute(
        MANAGER, once(f"/categories/{NOBODY}", {"name": "x"}, ANY_TAG), frozenset({404})
    ),
    "DELETE /api/v1/categories/<int:category_id>": CommonRoute(
        MANAGER, once(f"/categories/{NOBODY}", None, ANY_TAG), frozenset({404})
    ),
    "GET /api/v1/refreshes/<named>/<int:named_id>": CommonRoute(
        MANAGER, about_each_shelf("/refreshes/category/{item.category_id}")
    ),
    "GET /api/v1/tags": CommonRoute(None, once("/tags?limit=100&counts=true")),
    "GET /api/v1/tags/<int:tag_id>": CommonRoute(None, _about_each_tag, frozenset({200, 404})),
    "PUT /api/v1/tags/<int:tag_id>": CommonRoute(
        MANAGER, once(f"/tags/{NOBODY}", {"name": "x"}, ANY_TAG), frozenset({404})
    ),
    "DELETE /api/v1/tags/<int:tag_id>": CommonRoute(
        MANAGER, once(f"/tags/{NOBODY}", None, ANY_TAG), frozenset({404})
    ),
    "POST /api/v1/tags/<int:tag_id>/merge": CommonRoute(
        MANAGER, once(f"/tags/{NOBODY}/merge", {"into_id": 1}, ANY_TAG), frozenset({404})
    ),
    "POST /api/v1/categories/<int:category_id>/merge": CommonRoute(
        MANAGER,
        once(f"/categories/{NOBODY}/merge", {"into_id": NOBODY}, ANY_TAG),
        frozenset({404}),
    ),
}
