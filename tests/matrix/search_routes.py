"""How the search is asked about each item, and what nobody may hear of it in public."""

from collections.abc import Iterator

from tests.matrix.route_rows import CommonRoute, Request
from tests.matrix.world import PUBLIC_WORD, World

# In every item's title and body, as beginnings, and as what only the rows of drafts have.
OF_ANY_ITEM = ("title", "body", "zq*", "z*", "plain", "zqdraf*", f"{PUBLIC_WORD} OR title")


def asked_of_each_item(world: World, more: str = "") -> Iterator[Request]:
    """Search for what each item says, and by what each is filed under."""
    for q in OF_ANY_ITEM:
        yield Request(f"/search?q={q}&limit=50{more}")
    for item in world.items.values():
        yield Request(f"/search?q={item.word}{more}")
        yield Request(f"/search?q={item.word[:-1]}&typing=true{more}")
        yield Request(f"/search?q=title&tag=tag-{item.word}{more}")
        yield Request(f"/search?q=title&category={item.shelf_word or 'none'}{more}")


SEARCH_ROUTES: dict[str, CommonRoute] = {
    "GET /api/v1/search": CommonRoute(None, asked_of_each_item)
}
