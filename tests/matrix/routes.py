"""How each route of the API is asked, and what it may say to whom.

A route that is not in one of the two tables fails `test_every_route_has_its_row`.
"""

from collections.abc import Callable, Iterator
from typing import Any

from tests.matrix.bulk_routes import BULK_ROUTES
from tests.matrix.calendar_routes import CALENDAR_ROUTES, RECURRENCE_ROUTES
from tests.matrix.comment_routes import COMMENT_ROUTES
from tests.matrix.plan_routes import PLAN_ROUTES
from tests.matrix.release_routes import RELEASE_ROUTES
from tests.matrix.review_routes import REVIEW_ROUTES
from tests.matrix.route_rows import CommonRoute, ItemRoute, Request, once, plain, stale
from tests.matrix.search_routes import SEARCH_ROUTES
from tests.matrix.taxonomy_routes import TAXONOMY_ROUTES, about_each_shelf
from tests.matrix.world import Item, World
from webapp.kit.lifecycle import Standing
from webapp.kit.roles import RoleName

ANY_TAG = (("If_Match", "*"),)
NOBODY = 10**9


def _about_each_item(*paths: str, json: Any = None) -> Callable[[World], Iterator[Request]]:
    def build(world: World) -> Iterator[Request]:
        for item in world.items.values():
            yield from (Request(path.format(item=item), json) for path in paths)

    return build


OK = frozenset({200})
NOT_THERE = frozenset({404})
AUTHOR, EDITOR, MANAGER, READER = (
    RoleName.AUTHOR, RoleName.EDITOR, RoleName.MANAGER, RoleName.READER,
)  # fmt: skip
SOON = {"at": "2099-01-01T00:00:00Z"}

ITEM_ROUTES: dict[str, ItemRoute] = {
    "GET /api/v1/content/<int:content_id>": ItemRoute(
        AUTHOR, plain("/content/{item.id}"), OK, shows=True
    ),
    "PATCH /api/v1/content/<int:content_id>": ItemRoute(
        AUTHOR, stale("/content/{item.id}", {"title": "x"})
    ),
    "DELETE /api/v1/content/<int:content_id>": ItemRoute(AUTHOR, stale("/content/{item.id}")),
    "POST /api/v1/content/<int:content_id>/publish": ItemRoute(
        AUTHOR, stale("/content/{item.id}/publish", {})
    ),
    "POST /api/v1/content/<int:content_id>/unpublish": ItemRoute(
        EDITOR, stale("/content/{item.id}/unpublish")
    ),
    "POST /api/v1/content/<int:content_id>/correct": ItemRoute(
        AUTHOR, stale("/content/{item.id}/correct", {"note": "x"})
    ),
    "POST /api/v1/content/<int:content_id>/retract": ItemRoute(
        EDITOR, stale("/content/{item.id}/retract", {"reason": "x"})
    ),
    "POST /api/v1/content/<int:content_id>/trash": ItemRoute(
        AUTHOR, stale("/content/{item.id}/trash")
    ),
    "POST /api/v1/content/<int:content_id>/untrash": ItemRoute(
        AUTHOR, stale("/content/{item.id}/untrash")
    ),
    "POST /api/v1/content/<int:content_id>/archive": ItemRoute(
        AUTHOR, stale("/content/{item.id}/archive")
    ),
    "POST /api/v1/content/<int:content_id>/unarchive": ItemRoute(
        AUTHOR, stale("/content/{item.id}/unarchive")
    ),
    **REVIEW_ROUTES,
    **COMMENT_ROUTES,
    **RECURRENCE_ROUTES,
    **PLAN_ROUTES,
    "POST /api/v1/content/<int:content_id>/schedule": ItemRoute(
        AUTHOR, stale("/content/{item.id}/schedule", {"action": "publish", **SOON})
    ),
    "GET /api/v1/content/<int:content_id>/import": ItemRoute(
        AUTHOR, plain("/content/{item.id}/import"), OK, shows=True, states=frozenset({"draft"})
    ),
    "GET /api/v1/content/<int:content_id>/schedule": ItemRoute(
        AUTHOR, plain("/content/{item.id}/schedule"), OK
    ),
    # What is unsaved is shown to its author alone, and these have none.
    "GET /api/v1/content/<int:content_id>/autosave": ItemRoute(
        AUTHOR, plain("/content/{item.id}/autosave"), NOT_THERE
    ),
    "PUT /api/v1/content/<int:content_id>/autosave": ItemRoute(
        AUTHOR,
        lambda item: Request(
            f"/content/{item.id}/autosave", {"base_version": NOBODY, "changes": {"title": "x"}}
        ),
        frozenset({409, 422}),
    ),
    "DELETE /api/v1/content/<int:content_id>/autosave": ItemRoute(
        AUTHOR, stale("/content/{item.id}/autosave"), NOT_THERE
    ),
    "POST /api/v1/content/<int:content_id>/autosave/save": ItemRoute(
        AUTHOR, stale("/content/{item.id}/autosave/save")
    ),
    "GET /api/v1/content/<int:content_id>/versions": ItemRoute(
        AUTHOR, plain("/content/{item.id}/versions"), OK, shows=True
    ),
    "GET /api/v1/content/<int:content_id>/versions/<int:number>": ItemRoute(
        AUTHOR, lambda item: Request(f"/content/{item.id}/versions/{_newest(item)}"), OK, shows=True
    ),
    "GET /api/v1/content/<int:content_id>/versions/<int:number>/checks": ItemRoute(
        AUTHOR, lambda item: Request(f"/content/{item.id}/versions/{_newest(item)}/checks"), OK
    ),
    "GET /api/v1/content/<int:content_id>/versions/<int:number>/comparison": ItemRoute(
        AUTHOR, lambda item: _compared(item), OK, shows=True
    ),
    "POST /api/v1/content/<int:content_id>/versions/<int:number>/previews": ItemRoute(
        AUTHOR,
        lambda item: Request(f"/content/{item.id}/versions/999999/previews", {}),
        frozenset({404, 409}),
    ),
    "POST /api/v1/content/<int:content_id>/versions/<int:number>/labels": ItemRoute(
        AUTHOR,
        lambda item: Request(f"/content/{item.id}/versions/999999/labels", {"name": "x"}),
        NOT_THERE,
    ),
    "GET /api/v1/content/<int:content_id>/labels": ItemRoute(
        AUTHOR, plain("/content/{item.id}/labels"), OK
    ),
    "DELETE /api/v1/content/<int:content_id>/labels/<int:label_id>": ItemRoute(
        AUTHOR, plain(f"/content/{{item.id}}/labels/{NOBODY}"), NOT_THERE
    ),
    "GET /api/v1/content/<int:content_id>/previews": ItemRoute(
        AUTHOR, plain("/content/{item.id}/previews"), OK
    ),
    "DELETE /api/v1/content/<int:content_id>/previews/<int:preview_id>": ItemRoute(
        AUTHOR, plain(f"/content/{{item.id}}/previews/{NOBODY}"), NOT_THERE
    ),
    "POST /api/v1/content/<int:content_id>/versions/<int:number>/restore": ItemRoute(
        AUTHOR, stale("/content/{item.id}/versions/1/restore")
    ),
}


def _follow(world: World) -> Iterator[Request]:
    yield from _about_each_item("/follows/tag/{item.tag_id}", "/follows/content/{item.id}")(world)
    yield from about_each_shelf("/follows/category/{item.category_id}")(world)


COMMON_ROUTES: dict[str, CommonRoute] = {
    **BULK_ROUTES,
    **RELEASE_ROUTES,
    **SEARCH_ROUTES,
    "POST /api/v1/accounts": CommonRoute(None, once("/accounts", {}), frozenset({422})),
    "GET /api/v1/accounts/me": CommonRoute(READER, once("/accounts/me")),
    "PATCH /api/v1/accounts/me": CommonRoute(
        READER, once("/accounts/me", {"bio": 1}, ANY_TAG), frozenset({422})
    ),
    "PUT /api/v1/accounts/me/email": CommonRoute(
        READER, once("/accounts/me/email", {}), frozenset({422})
    ),
    "PUT /api/v1/accounts/me/password": CommonRoute(
        READER, once("/accounts/me/password", {}), frozenset({422})
    ),
    "POST /api/v1/auth/token": CommonRoute(None, once("/auth/token", {}), frozenset({422})),
    # A token that nobody has: with one's own, everything that follows would be refused.
    "DELETE /api/v1/auth/token": CommonRoute(
        None,
        lambda _world: iter([Request("/auth/token", None, (("Authorization", "Bearer no"),))]),
        frozenset({401}),
    ),
    "POST /api/v1/auth/password-reset": CommonRoute(
        None, once("/auth/password-reset", {}), frozenset({422})
    ),
    "POST /api/v1/auth/password-reset/confirm": CommonRoute(
        None, once("/auth/password-reset/confirm", {}), frozenset({422})
    ),
    "POST /api/v1/auth/verify-email": CommonRoute(
        None, once("/auth/verify-email", {}), frozenset({422})
    ),
    # The accounts there are proven, or become so by what the world does; both are told.
    "POST /api/v1/auth/verify-email/resend": CommonRoute(
        READER, once("/auth/verify-email/resend"), frozenset({202, 409, 429})
    ),
    "GET /api/v1/auth/identities": CommonRoute(READER, once("/auth/identities")),
    "DELETE /api/v1/auth/identities/<int:identity_id>": CommonRoute(
        READER, once(f"/auth/identities/{NOBODY}"), frozenset({404})
    ),
    "GET /api/v1/auth/issuers": CommonRoute(None, once("/auth/issuers")),
    "POST /api/v1/auth/issuers/<issuer_name>/sign-ins": CommonRoute(
        None, once("/auth/issuers/none/sign-ins", {}), frozenset({422})
    ),
    "POST /api/v1/auth/issuers/<issuer_name>/token": CommonRoute(
        None, once("/auth/issuers/none/token", {}), frozenset({422})
    ),
    # A token that nobody has: the sessions of the world shall go on.
    "DELETE /api/v1/auth/sessions": CommonRoute(
        None,
        lambda _world: iter([Request("/auth/sessions", None, (("Authorization", "Bearer no"),))]),
        frozenset({401}),
    ),
    "GET /api/v1/auth/sessions": CommonRoute(READER, once("/auth/sessions")),
    "DELETE /api/v1/auth/sessions/<int:session_id>": CommonRoute(
        READER, once(f"/auth/sessions/{NOBODY}"), frozenset({404})
    ),
    "GET /api/v1/activity": CommonRoute(
        MANAGER,
        lambda _world: iter(
            [
                Request("/activity?limit=100"),
                *(
                    Request(f"/activity?limit=100&{asked}")
                    for asked in ("subject_kind=content", "action=content.", "address=127.0.0.1")
                ),
            ]
        ),
    ),
    "POST /api/v1/activity/sessions/<path:agent_session>/undo": CommonRoute(
        READER, once("/activity/sessions/none/undo", {}), frozenset({404})
    ),
    "GET /api/v1/accounts/me/activity": CommonRoute(READER, once("/accounts/me/activity")),
    "POST /api/v1/accounts/me/exports": CommonRoute(
        READER, once("/accounts/me/exports"), frozenset({202, 409, 429})
    ),
    "GET /api/v1/accounts/me/exports/<int:export_id>": CommonRoute(
        READER, once(f"/accounts/me/exports/{NOBODY}"), frozenset({404})
    ),
    "POST /api/v1/accounts/me/exports/<int:export_id>/files/<int:number>": CommonRoute(
        READER, once(f"/accounts/me/exports/{NOBODY}/files/1"), frozenset({404})
    ),
    "POST /api/v1/accounts/me/deletion": CommonRoute(
        READER, once("/accounts/me/deletion", {}), frozenset({422})
    ),
    "GET /api/v1/accounts/me/deletion": CommonRoute(
        READER, once("/accounts/me/deletion"), frozenset({404})
    ),
    "DELETE /api/v1/accounts/me/deletion": CommonRoute(
        READER, once("/accounts/me/deletion"), frozenset({404})
    ),
    "GET /api/v1/auth/api-keys": CommonRoute(READER, once("/auth/api-keys")),
    "POST /api/v1/auth/api-keys": CommonRoute(READER, once("/auth/api-keys", {}), frozenset({422})),
    "DELETE /api/v1/auth/api-keys/<int:key_id>": CommonRoute(
        READER, once(f"/auth/api-keys/{NOBODY}"), frozenset({404})
    ),
    "POST /api/v1/auth/second-factor": CommonRoute(
        None, once("/auth/second-factor", {}), frozenset({422})
    ),
    "POST /api/v1/auth/second-factor/passkey-options": CommonRoute(
        None, once("/auth/second-factor/passkey-options", {}), frozenset({422})
    ),
    "POST /api/v1/auth/passkeys/sign-in-options": CommonRoute(
        None, once("/auth/passkeys/sign-in-options")
    ),
    "POST /api/v1/auth/passkeys/sign-in": CommonRoute(
        None, once("/auth/passkeys/sign-in", {}), frozenset({422})
    ),
    "POST /api/v1/auth/passkeys/creation-options": CommonRoute(
        READER, once("/auth/passkeys/creation-options", {}), frozenset({422})
    ),
    "POST /api/v1/auth/passkeys/proof-options": CommonRoute(
        READER, once("/auth/passkeys/proof-options")
    ),
    "POST /api/v1/auth/passkeys": CommonRoute(READER, once("/auth/passkeys", {}), frozenset({422})),
    "GET /api/v1/auth/passkeys": CommonRoute(READER, once("/auth/passkeys")),
    "PATCH /api/v1/auth/passkeys/<int:passkey_id>": CommonRoute(
        READER, once(f"/auth/passkeys/{NOBODY}", {"name": "x"}), frozenset({404})
    ),
    "POST /api/v1/auth/passkeys/<int:passkey_id>/remove": CommonRoute(
        READER, once(f"/auth/passkeys/{NOBODY}/remove", {}), frozenset({422})
    ),
    "GET /api/v1/auth/second-factors": CommonRoute(READER, once("/auth/second-factors")),
    "POST /api/v1/auth/second-factors/totp": CommonRoute(
        READER, once("/auth/second-factors/totp", {}), frozenset({422})
    ),
    "POST /api/v1/auth/second-factors/totp/confirm": CommonRoute(
        READER, once("/auth/second-factors/totp/confirm", {}), frozenset({422})
    ),
    "POST /api/v1/auth/second-factors/totp/remove": CommonRoute(
        READER, once("/auth/second-factors/totp/remove", {}), frozenset({422})
    ),
    "POST /api/v1/auth/second-factors/recovery-codes": CommonRoute(
        READER, once("/auth/second-factors/recovery-codes", {}), frozenset({422})
    ),
    "GET /api/v1/users": CommonRoute(MANAGER, once("/users")),
    "GET /api/v1/users/<int:user_id>": CommonRoute(
        MANAGER, once(f"/users/{NOBODY}"), frozenset({404})
    ),
    "PUT /api/v1/users/<int:user_id>/role": CommonRoute(
        MANAGER, once(f"/users/{NOBODY}/role", {"role": "reader"}, ANY_TAG), frozenset({404})
    ),
    **TAXONOMY_ROUTES,
    "POST /api/v1/content": CommonRoute(AUTHOR, once("/content", {"title": 5}), frozenset({422})),
    "GET /api/v1/content": CommonRoute(
        AUTHOR,
        lambda _world: iter(
            [
                Request("/content?limit=100"),
                *(Request(f"/content?limit=100&status={s}") for s in Standing),
            ]
        ),
        shows=True,
    ),
    "GET /api/v1/reviews": CommonRoute(AUTHOR, once("/reviews?limit=100&state=open")),
    "GET /api/v1/schedule": CommonRoute(AUTHOR, once("/schedule?limit=100")),
    **CALENDAR_ROUTES,
    "GET /api/v1/published": CommonRoute(
        None,
        lambda world: iter(
            [
                Request("/published?limit=100"),
                Request("/published?author=owner&limit=100"),
                *_about_each_item("/published?q={item.word}", "/published?tag=tag-{item.word}")(
                    world
                ),
                *about_each_shelf("/published?category={item.shelf_word}")(world),
                *about_each_shelf("/published?category={item.shelf_word}&subtree=true")(world),
            ]
        ),
    ),
    "GET /api/v1/published/<slug>": CommonRoute(
        None, _about_each_item("/published/{item.slug}"), frozenset({404})
    ),
    "GET /api/v1/follows": CommonRoute(READER, once("/follows?limit=100")),
    "PUT /api/v1/follows/<target>/<int:target_id>": CommonRoute(
        READER,
        lambda world: iter(
            request for request in _follow(world) if request.path != _public_follow(world)
        ),
        frozenset({404}),
    ),
    "DELETE /api/v1/follows/<target>/<int:target_id>": CommonRoute(
        READER, _follow, frozenset({204})
    ),
    "GET /api/v1/notifications": CommonRoute(READER, once("/notifications?limit=100")),
    "GET /api/v1/notifications/unread-count": CommonRoute(
        READER, once("/notifications/unread-count")
    ),
    "POST /api/v1/notifications/<int:notification_id>/read": CommonRoute(
        READER, once(f"/notifications/{NOBODY}/read"), frozenset({404})
    ),
    "POST /api/v1/notifications/read-all": CommonRoute(
        READER, once("/notifications/read-all"), frozenset({200, 204})
    ),
    "GET /api/v1/notifications/preferences": CommonRoute(
        READER, once("/notifications/preferences")
    ),
    "PUT /api/v1/notifications/preferences": CommonRoute(
        READER, once("/notifications/preferences", {}), frozenset({422})
    ),
    "GET /api/v1/notices": CommonRoute(READER, once("/notices?limit=100")),
    "POST /api/v1/notices/read": CommonRoute(
        READER, once("/notices/read", {"ids": [NOBODY]}), frozenset({204})
    ),
    "GET /docs": CommonRoute(None, once("!/docs")),
    "GET /docs/scalar.standalone.js": CommonRoute(None, once("!/docs/scalar.standalone.js")),
    "GET /health": CommonRoute(None, once("!/health")),
    "GET /metrics": CommonRoute(None, once("!/metrics")),
    "GET /openapi.json": CommonRoute(None, once("!/openapi.json")),
    # There is no dispatcher, so it is not ready.
    "GET /ready": CommonRoute(None, once("!/ready"), frozenset({200, 503})),
    "GET /reset-password": CommonRoute(None, once("!/reset-password")),
    "GET /unsubscribe": CommonRoute(None, once("!/unsubscribe")),
    "POST /unsubscribe": CommonRoute(None, once("!/unsubscribe"), frozenset({404})),
    "POST /reset-password": CommonRoute(None, once("!/reset-password"), frozenset({422})),
    "GET /export": CommonRoute(None, once("!/export")),
    "POST /export": CommonRoute(None, once("!/export"), frozenset({404})),
    "GET /verify-email": CommonRoute(None, once("!/verify-email")),
    "POST /verify-email": CommonRoute(None, once("!/verify-email"), frozenset({404})),
    "GET /freeze-account": CommonRoute(None, once("!/freeze-account")),
    "POST /freeze-account": CommonRoute(None, once("!/freeze-account"), frozenset({404})),
    "GET /preview": CommonRoute(None, once("!/preview"), NOT_THERE),
    "GET /review": CommonRoute(None, once("!/review?token=nobody"), NOT_THERE),
    "POST /review": CommonRoute(None, once("!/review"), frozenset({422})),
    "GET /api/v1/previews": CommonRoute(None, once("/previews?token=nobody"), NOT_THERE),
    "GET /page.js": CommonRoute(None, once("!/page.js")),
}


def _newest(item: Item) -> int:
    """Return the number of the version that holds the item's word."""
    return 2 if item.state in ("public with newer draft", "retracted") else 1


def _compared(item: Item) -> Request:
    """Ask for what the version that holds the item's word changed, or did not change in itself."""
    number = _newest(item)
    return Request(
        f"/content/{item.id}/versions/{number}/comparison?former={max(1, number - 1)}&html=true"
    )


def _public_follow(world: World) -> str:
    return f"/follows/content/{world.items['public with newer draft'].id}"
