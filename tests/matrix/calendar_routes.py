"""How what is planned is asked for by days, and the feeds of calendars."""

from tests.matrix.route_rows import CommonRoute, once
from webapp.kit.roles import RoleName

NOBODY = 10**9

CALENDAR_ROUTES: dict[str, CommonRoute] = {
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
