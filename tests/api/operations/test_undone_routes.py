"""Promise: whatever a key may change is either put back by an undo, or said to stay."""

from tests.api import writes
from tests.matrix.key_routes import ITEM, RELEASE, SCHEDULE, SCOPES_OF_ROUTE
from webapp.services.operations import undone_items, undone_records

READS = ("GET ",)
ITEMS, RECORDS = undone_items.__name__, undone_records.__name__
NO_LINE = "it is in no log"
LEFT = "it is left, as irreversible"

PUT_BACK_BY = {
    "POST /api/v1/content": ITEMS,
    f"PATCH {ITEM}": ITEMS,
    f"POST {ITEM}/versions/<int:number>/restore": ITEMS,
    f"DELETE {ITEM}": ITEMS,
    f"POST {ITEM}/autosave/save": ITEMS,
    f"POST {ITEM}/versions/<int:number>/labels": ITEMS,
    f"DELETE {ITEM}/labels/<int:label_id>": ITEMS,
    f"POST {ITEM}/comments": ITEMS,
    f"POST {ITEM}/comments/threads/<int:thread_id>/replies": ITEMS,
    f"POST {ITEM}/comments/threads/<int:thread_id>/resolve": ITEMS,
    f"POST {ITEM}/comments/threads/<int:thread_id>/reopen": ITEMS,
    f"PATCH {ITEM}/comments/<int:comment_id>": "its own goes as a whole; others are irreversible",
    f"DELETE {ITEM}/comments/<int:comment_id>": "it is left, as irreversible",
    f"POST {ITEM}/versions/<int:number>/previews": ITEMS,
    f"DELETE {ITEM}/previews/<int:preview_id>": "it is left, as irreversible",
    f"PUT {ITEM}/autosave": NO_LINE,
    f"DELETE {ITEM}/autosave": NO_LINE,
    f"POST {ITEM}/trash": ITEMS,
    f"POST {ITEM}/untrash": ITEMS,
    f"POST {ITEM}/archive": ITEMS,
    f"POST {ITEM}/unarchive": ITEMS,
    f"POST {ITEM}/publish": ITEMS,
    f"POST {ITEM}/unpublish": ITEMS,
    f"POST {ITEM}/correct": ITEMS,
    f"POST {ITEM}/retract": ITEMS,
    f"POST {ITEM}/schedule": ITEMS,
    f"POST {ITEM}/reviews": ITEMS,
    f"DELETE {ITEM}/reviews/<int:review_id>": "it is left, as irreversible",
    f"PATCH {SCHEDULE}": ITEMS,
    f"POST {SCHEDULE}/decide": "what its moment has passed is left, as irreversible",
    f"POST {SCHEDULE}/retry": "its moment has passed, so it is left, as irreversible",
    f"DELETE {SCHEDULE}": ITEMS,
    "POST /api/v1/releases": LEFT,
    f"PATCH {RELEASE}": LEFT,
    f"DELETE {RELEASE}": LEFT,
    f"POST {RELEASE}/entries": LEFT,
    f"POST {RELEASE}/entries/remove": LEFT,
    f"POST {RELEASE}/schedule": LEFT,
    f"POST {RELEASE}/publish": f"{LEFT}; the release has an undo of its own",
    f"POST {RELEASE}/cancel": LEFT,
    f"POST {RELEASE}/undo": LEFT,
    "POST /api/v1/bulk-actions": "by the lines of the items, which carry the name of the session",
    "POST /api/v1/bulk-actions/<int:bulk_action_id>/cancel": "what is cancelled can be asked anew",
    "POST /api/v1/bulk-actions/<int:bulk_action_id>/undo": "by the lines of its steps",
    "PATCH /api/v1/accounts/me": RECORDS,
    "PUT /api/v1/users/<int:user_id>/role": RECORDS,
    "PUT /api/v1/notifications/preferences": RECORDS,
    "POST /api/v1/categories": RECORDS,
    "PUT /api/v1/categories/<int:category_id>": RECORDS,
    "DELETE /api/v1/categories/<int:category_id>": "it is left, as irreversible",
    "POST /api/v1/categories/<int:category_id>/merge": "it is left, as irreversible",
    "PUT /api/v1/tags/<int:tag_id>": RECORDS,
    "DELETE /api/v1/tags/<int:tag_id>": "it is left, as irreversible",
    "POST /api/v1/tags/<int:tag_id>/merge": "it is left, as irreversible",
    "POST /api/v1/activity/sessions/<path:agent_session>/undo": "by the lines of its steps",
    "PUT /api/v1/follows/<target>/<int:target_id>": NO_LINE,
    "DELETE /api/v1/follows/<target>/<int:target_id>": NO_LINE,
    "POST /api/v1/notifications/<int:notification_id>/read": NO_LINE,
    "POST /api/v1/notifications/read-all": NO_LINE,
    "POST /api/v1/notices/read": NO_LINE,
}


def test_every_change_that_a_key_may_make_has_its_way_back() -> None:
    changing = {
        route for route, scopes in SCOPES_OF_ROUTE.items() if scopes and not route.startswith(READS)
    }
    assert changing == set(PUT_BACK_BY)
    without_line = {route for route, way in PUT_BACK_BY.items() if way == NO_LINE}
    assert without_line == changing & set(writes.WITHOUT_LINE)
