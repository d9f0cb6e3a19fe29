"""How one plan, and what it will make public, is asked for."""

from tests.matrix.route_rows import ItemRoute, plain, stale
from webapp.kit.roles import RoleName

_AT = "2099-01-01T00:00:00Z"
_SCHEDULED = frozenset({"scheduled"})
# Authors change only those that they made themselves; these are an editor's.
_NOT_THEIRS = frozenset({403, 412})

PLAN_ROUTES: dict[str, ItemRoute] = {
    "GET /api/v1/schedule/<int:schedule_id>": ItemRoute(
        RoleName.AUTHOR, plain("/schedule/{item.schedule_id}"), frozenset({200}), shows=True,
        states=_SCHEDULED,
    ),
    "PATCH /api/v1/schedule/<int:schedule_id>": ItemRoute(
        RoleName.AUTHOR, stale("/schedule/{item.schedule_id}", {"at": _AT}), _NOT_THEIRS,
        states=_SCHEDULED,
    ),
    "POST /api/v1/schedule/<int:schedule_id>/decide": ItemRoute(
        RoleName.AUTHOR, stale("/schedule/{item.schedule_id}/decide", {"decision": "skip"}),
        _NOT_THEIRS, states=_SCHEDULED,
    ),
    "POST /api/v1/schedule/<int:schedule_id>/retry": ItemRoute(
        RoleName.AUTHOR, stale("/schedule/{item.schedule_id}/retry"), _NOT_THEIRS,
        states=_SCHEDULED,
    ),
    "DELETE /api/v1/schedule/<int:schedule_id>": ItemRoute(
        RoleName.AUTHOR, stale("/schedule/{item.schedule_id}"), _NOT_THEIRS, states=_SCHEDULED
    ),
    # What is planned is in a forecast, and no other draft, not even for an editor.
    "GET /api/v1/content/<int:content_id>/forecast": ItemRoute(
        RoleName.EDITOR, plain(f"/content/{{item.id}}/forecast?at={_AT}"), frozenset({200}),
        shows=True, states=_SCHEDULED,
    ),
}  # fmt: skip
