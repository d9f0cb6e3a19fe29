"""Which scopes of an API key open each route, written by hand: what the table of permissions is
held against.

A route that is not in here fails `test_every_route_says_which_scopes_open_it`.
"""

from webapp.kit.permissions import Scope

READ, PROPOSE, PUBLISH, SEND, MANAGE = Scope
PEOPLE_ALONE: frozenset[Scope] = frozenset()
EVERY = frozenset(Scope)
ITEMS = frozenset({READ, PROPOSE, PUBLISH})
DRAFTS = frozenset({PROPOSE})
DECISIONS = frozenset({PUBLISH})
OWN = frozenset({READ, MANAGE})
CHANGES = frozenset({PROPOSE, PUBLISH, MANAGE})
CHANGES_OF_ITEMS = frozenset({PROPOSE, PUBLISH})
ADMINISTRATION = frozenset({MANAGE})

ITEM = "/api/v1/content/<int:content_id>"
SCHEDULE = "/api/v1/schedule/<int:schedule_id>"

SCOPES_OF_ROUTE: dict[str, frozenset[Scope]] = {
    f"GET {ITEM}": ITEMS,
    f"GET {ITEM}/import": ITEMS,
    f"GET {ITEM}/schedule": ITEMS,
    f"GET {ITEM}/versions": ITEMS,
    f"GET {ITEM}/versions/<int:number>": ITEMS,
    f"GET {ITEM}/versions/<int:number>/comparison": ITEMS,
    f"GET {ITEM}/versions/<int:number>/checks": ITEMS,
    f"GET {ITEM}/labels": ITEMS,
    f"POST {ITEM}/versions/<int:number>/labels": DRAFTS,
    f"DELETE {ITEM}/labels/<int:label_id>": DRAFTS,
    f"GET {ITEM}/previews": ITEMS,
    f"POST {ITEM}/versions/<int:number>/previews": DECISIONS,
    f"DELETE {ITEM}/previews/<int:preview_id>": DECISIONS,
    f"GET {SCHEDULE}": ITEMS,
    "GET /api/v1/content": ITEMS,
    "GET /api/v1/schedule": ITEMS,
    "POST /api/v1/content": DRAFTS,
    f"PATCH {ITEM}": DRAFTS,
    f"PUT {ITEM}/autosave": DRAFTS,
    f"GET {ITEM}/autosave": DRAFTS,
    f"DELETE {ITEM}/autosave": DRAFTS,
    f"POST {ITEM}/autosave/save": DRAFTS,
    f"POST {ITEM}/versions/<int:number>/restore": DRAFTS,
    f"GET {ITEM}/reviews": ITEMS,
    f"GET {ITEM}/reviews/<int:review_id>": ITEMS,
    "GET /api/v1/reviews": ITEMS,
    f"POST {ITEM}/reviews": DRAFTS,
    f"DELETE {ITEM}/reviews/<int:review_id>": DRAFTS,
    f"POST {ITEM}/reviews/<int:review_id>/decisions": PEOPLE_ALONE,
    f"POST {ITEM}/reviews/<int:review_id>/links": PEOPLE_ALONE,
    f"GET {ITEM}/reviews/<int:review_id>/links": ITEMS,
    f"DELETE {ITEM}/reviews/<int:review_id>/links/<int:link_id>": PEOPLE_ALONE,
    f"DELETE {ITEM}": DECISIONS,
    f"POST {ITEM}/trash": DECISIONS,
    f"POST {ITEM}/untrash": DECISIONS,
    f"POST {ITEM}/archive": DECISIONS,
    f"POST {ITEM}/unarchive": DECISIONS,
    f"POST {ITEM}/publish": DECISIONS,
    f"POST {ITEM}/unpublish": DECISIONS,
    f"POST {ITEM}/schedule": DECISIONS,
    f"PATCH {SCHEDULE}": DECISIONS,
    f"DELETE {SCHEDULE}": DECISIONS,
    "POST /api/v1/bulk-actions": CHANGES_OF_ITEMS,
    "GET /api/v1/bulk-actions": ITEMS,
    "GET /api/v1/bulk-actions/<int:bulk_action_id>": ITEMS,
    "GET /api/v1/bulk-actions/<int:bulk_action_id>/items": ITEMS,
    "POST /api/v1/bulk-actions/<int:bulk_action_id>/cancel": CHANGES_OF_ITEMS,
    "POST /api/v1/bulk-actions/<int:bulk_action_id>/undo": CHANGES,
    "GET /api/v1/accounts/me": EVERY,
    "PATCH /api/v1/accounts/me": ADMINISTRATION,
    "PUT /api/v1/accounts/me/password": PEOPLE_ALONE,
    "PUT /api/v1/accounts/me/email": PEOPLE_ALONE,
    "GET /api/v1/accounts/me/activity": ADMINISTRATION,
    "GET /api/v1/activity": ADMINISTRATION,
    "POST /api/v1/activity/sessions/<path:agent_session>/undo": CHANGES,
    "GET /api/v1/users": ADMINISTRATION,
    "GET /api/v1/users/<int:user_id>": ADMINISTRATION,
    "PUT /api/v1/users/<int:user_id>/role": ADMINISTRATION,
    "POST /api/v1/categories": ADMINISTRATION,
    "PUT /api/v1/categories/<int:category_id>": ADMINISTRATION,
    "DELETE /api/v1/categories/<int:category_id>": ADMINISTRATION,
    "POST /api/v1/categories/<int:category_id>/merge": ADMINISTRATION,
    "GET /api/v1/refreshes/<named>/<int:named_id>": ADMINISTRATION,
    "GET /api/v1/follows": OWN,
    "PUT /api/v1/follows/<target>/<int:target_id>": ADMINISTRATION,
    "DELETE /api/v1/follows/<target>/<int:target_id>": ADMINISTRATION,
    "GET /api/v1/notifications": OWN,
    "GET /api/v1/notifications/unread-count": OWN,
    "GET /api/v1/notifications/preferences": OWN,
    "PUT /api/v1/notifications/preferences": ADMINISTRATION,
    "POST /api/v1/notifications/<int:notification_id>/read": ADMINISTRATION,
    "POST /api/v1/notifications/read-all": ADMINISTRATION,
    "POST /api/v1/accounts/me/exports": PEOPLE_ALONE,
    "GET /api/v1/accounts/me/exports/<int:export_id>": PEOPLE_ALONE,
    "POST /api/v1/accounts/me/exports/<int:export_id>/files/<int:number>": PEOPLE_ALONE,
    "POST /api/v1/accounts/me/deletion": PEOPLE_ALONE,
    "GET /api/v1/accounts/me/deletion": PEOPLE_ALONE,
    "DELETE /api/v1/accounts/me/deletion": PEOPLE_ALONE,
    "GET /api/v1/auth/sessions": PEOPLE_ALONE,
    "DELETE /api/v1/auth/sessions": PEOPLE_ALONE,
    "DELETE /api/v1/auth/sessions/<int:session_id>": PEOPLE_ALONE,
    "DELETE /api/v1/auth/token": PEOPLE_ALONE,
    "POST /api/v1/auth/verify-email/resend": PEOPLE_ALONE,
    "GET /api/v1/auth/identities": PEOPLE_ALONE,
    "DELETE /api/v1/auth/identities/<int:identity_id>": PEOPLE_ALONE,
    "GET /api/v1/auth/api-keys": PEOPLE_ALONE,
    "POST /api/v1/auth/api-keys": PEOPLE_ALONE,
    "DELETE /api/v1/auth/api-keys/<int:key_id>": PEOPLE_ALONE,
    "POST /api/v1/auth/passkeys/creation-options": PEOPLE_ALONE,
    "POST /api/v1/auth/passkeys/proof-options": PEOPLE_ALONE,
    "POST /api/v1/auth/passkeys": PEOPLE_ALONE,
    "GET /api/v1/auth/passkeys": PEOPLE_ALONE,
    "PATCH /api/v1/auth/passkeys/<int:passkey_id>": PEOPLE_ALONE,
    "POST /api/v1/auth/passkeys/<int:passkey_id>/remove": PEOPLE_ALONE,
    "GET /api/v1/auth/second-factors": PEOPLE_ALONE,
    "POST /api/v1/auth/second-factors/totp": PEOPLE_ALONE,
    "POST /api/v1/auth/second-factors/totp/confirm": PEOPLE_ALONE,
    "POST /api/v1/auth/second-factors/totp/remove": PEOPLE_ALONE,
    "POST /api/v1/auth/second-factors/recovery-codes": PEOPLE_ALONE,
}
