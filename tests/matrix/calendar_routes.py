"""How what is planned is asked for by days, and the feeds of calendars."""

from tests.matrix.route_rows import CommonRoute, ItemRoute, once, plain, stale
from webapp.kit.roles import RoleName

NOBODY = 10**9

MONDAYS = {
    "rule": "FREQ=WEEKLY;BYDAY=MO", "zone": "Europe/Vienna", "start": "2027-03-01T07:00",
    "in_gap": "after", "in_fold": "earlier",
}  # fmt: skip
_RECURRENCES = "/api/v1/content/<int:content_id>/recurrences"
_ONE = f"/content/{{item.id}}/recurrences/{NOBODY}"

RECURRENCE_ROUTES: dict[str, ItemRoute] = {
    f"GET {_RECURRENCES}": ItemRoute(
        RoleName.AUTHOR, plain("/content/{item.id}/recurrences"), frozenset({200})
    ),
    f"POST {_RECURRENCES}": ItemRoute(
        RoleName.AUTHOR, stale("/content/{item.id}/recurrences", MONDAYS)
    ),
    f"GET {_RECURRENCES}/<int:recurrence_id>": ItemRoute(
        RoleName.AUTHOR, plain(_ONE), frozenset({404})
    ),
    f"PATCH {_RECURRENCES}/<int:recurrence_id>": ItemRoute(
        RoleName.AUTHOR, stale(_ONE, {"count": 3}), frozenset({404})
    ),
    f"DELETE {_RECURRENCES}/<int:recurrence_id>": ItemRoute(
        RoleName.AUTHOR, stale(_ONE), frozenset({404})
    ),
}
CALENDAR_ROUTES: dict[str, CommonRoute] = {
    "GET /api/v1/timeline": CommonRoute(
        RoleName.AUTHOR,
        once("/timeline?from=2098-12-25T00:00:00Z&to=2099-01-05T00:00:00Z&limit=100"),
    ),
    "GET /api/v1/schedule/days": CommonRoute(
        RoleName.AUTHOR, once("/schedule/days?from=2098-12-25&to=2099-01-05&limit=100")
    ),
    "GET /api/v1/calendar-feeds": CommonRoute(RoleName.READER, once("/calendar-feeds")),
    "POST /api/v1/calendar-feeds": CommonRoute(
        RoleName.READER, once("/calendar-feeds", {}), frozenset({422})
    ),
    "DELETE /api/v1/calendar-feeds/<int:feed_id>": CommonRoute(
        RoleName.READER, once(f"/calendar-feeds/{NOBODY}"), frozenset({404})
    ),
    "GET /calendar/<token>.ics": CommonRoute(None, once("!/calendar/nobody.ics"), frozenset({404})),
}
