"""How the routes of the reviews of an item are asked, and what they may say to whom."""

from tests.matrix.route_rows import ItemRoute, Request, plain, stale
from webapp.kit.roles import RoleName

OK = frozenset({200})
REVIEWED = frozenset({"reviewed"})

REVIEW_ROUTES: dict[str, ItemRoute] = {
    "GET /api/v1/content/<int:content_id>/reviews": ItemRoute(
        RoleName.AUTHOR, plain("/content/{item.id}/reviews"), OK, shows=True, states=REVIEWED
    ),
    "GET /api/v1/content/<int:content_id>/reviews/<int:review_id>": ItemRoute(
        RoleName.AUTHOR,
        plain("/content/{item.id}/reviews/{item.review_id}"),
        OK,
        shows=True,
        states=REVIEWED,
    ),
    "POST /api/v1/content/<int:content_id>/reviews": ItemRoute(
        RoleName.AUTHOR, stale("/content/{item.id}/reviews", {})
    ),
    "POST /api/v1/content/<int:content_id>/reviews/<int:review_id>/decisions": ItemRoute(
        RoleName.EDITOR,
        stale(
            "/content/{item.id}/reviews/{item.review_id}/decisions",
            {"decision": "approve", "version": 10**9},
        ),
        states=REVIEWED,
    ),
    "POST /api/v1/content/<int:content_id>/reviews/<int:review_id>/links": ItemRoute(
        RoleName.AUTHOR,
        lambda item: Request(
            f"/content/{item.id}/reviews/{item.review_id}/links",
            {"name": "Guest", "step": "none", "hours": 1},
        ),
        frozenset({403, 409}),
        states=REVIEWED,
    ),
    "GET /api/v1/content/<int:content_id>/reviews/<int:review_id>/links": ItemRoute(
        RoleName.AUTHOR,
        plain("/content/{item.id}/reviews/{item.review_id}/links"),
        OK,
        states=REVIEWED,
    ),
    "DELETE /api/v1/content/<int:content_id>/reviews/<int:review_id>/links/<int:link_id>": (
        ItemRoute(
            RoleName.AUTHOR,
            plain("/content/{item.id}/reviews/{item.review_id}/links/999999999"),
            frozenset({404}),
            states=REVIEWED,
        )
    ),
    "PUT /api/v1/content/<int:content_id>/reviews/<int:review_id>/claim": ItemRoute(
        RoleName.EDITOR,
        plain("/content/{item.id}/reviews/{item.review_id}/claim"),
        frozenset({200, 409}),
        states=REVIEWED,
    ),
    "DELETE /api/v1/content/<int:content_id>/reviews/<int:review_id>/claim": ItemRoute(
        RoleName.EDITOR,
        plain("/content/{item.id}/reviews/{item.review_id}/claim"),
        frozenset({204, 404}),
        states=REVIEWED,
    ),
    "DELETE /api/v1/content/<int:content_id>/reviews/<int:review_id>": ItemRoute(
        RoleName.AUTHOR, stale("/content/{item.id}/reviews/{item.review_id}"), states=REVIEWED
    ),
}
