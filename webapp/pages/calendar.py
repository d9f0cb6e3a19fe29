"""The calendar that a program reads under a secret address."""

from typing import Literal

from flask import Flask, Response

from webapp.api.answers import OWN, conditional, digest_etag
from webapp.api.auth import public
from webapp.api.edge import open_session, web_context
from webapp.kit.calendar_texts import CalendarEvent, write_calendar
from webapp.kit.zones import zone_named
from webapp.services.errors import NotFoundError
from webapp.services.publishing import calendar_feeds
from webapp.services.publishing.calendar_feeds import OpenedFeed
from webapp.services.publishing.planned_moments import PlannedMoment
from webapp.settings import Settings

NOT_FOR_ROBOTS = {
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "X-Content-Type-Options": "nosniff",
}
LONGEST_TOKEN = 100
Status = Literal["CONFIRMED", "TENTATIVE", "CANCELLED"]
# What did not happen stays in sight: calendars hide what is cancelled, and nobody would hear of it.
_STATUS: dict[str, Status] = {"cancelled": "CANCELLED", "waiting": "TENTATIVE"}
_SAID = {"failed": "Failed: ", "missed": "Missed: ", "waiting": "Undecided: "}


def install_calendar(app: Flask) -> None:
    """Add `/calendar/TOKEN.ics`."""
    app.add_url_rule("/calendar/<token>.ics", "calendar", show, methods=["GET"])


@public
def show(token: str) -> Response:
    """Show what the owner of this address may see; unchanged, it is not sent again."""
    settings = web_context().settings
    try:
        feed = calendar_feeds.open_feed(open_session(), token[:LONGEST_TOKEN], settings)
    except NotFoundError as error:
        plain = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
        return Response(str(error), 404, {**NOT_FOR_ROBOTS, **plain})
    body = _write(feed, settings)
    response = Response(body, content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = 'inline; filename="imprint.ics"'
    shown = conditional(response, digest_etag(body), OWN)
    shown.headers.update(NOT_FOR_ROBOTS)
    return shown


def _write(feed: OpenedFeed, settings: Settings) -> bytes:
    events = (_event(moment, feed.zone, settings) for moment in feed.moments)
    return write_calendar(feed.name, events)


def _event(moment: PlannedMoment, zone: str, settings: Settings) -> CalendarEvent:
    title = moment.title or "Without a title"
    return CalendarEvent(
        uid=f"{_name(moment)}@{settings.site_name}",
        starts_at=moment.due_at,
        summary=f"{_SAID.get(moment.state, '')}{moment.action.capitalize()} “{title}”",
        description="\n".join(_lines(moment, zone)),
        url=f"{settings.base_url}/api/v1/content/{moment.content_id}",
        status=_STATUS.get(moment.state, "CONFIRMED"),
        sequence=moment.revision,
        changed_at=moment.updated_at,
    )


def _name(moment: PlannedMoment) -> str:
    """Return what stays the same of a moment, also when a schedule is made of what was expected."""
    if moment.local_time is None:
        return f"schedule-{moment.schedule_id}"
    return f"recurrence-{moment.recurrence_id}-{moment.local_time:%Y%m%dT%H%M%S}"


def _lines(moment: PlannedMoment, zone: str) -> list[str]:
    local = moment.due_at.astimezone(zone_named(zone))
    lines = [
        f"{local.isoformat(sep=' ', timespec='seconds')} ({zone})",
        f"State: {moment.state}",
    ]
    if moment.version is not None:
        lines.append(f"Version: {moment.version}")
    if moment.made_by_name is not None:
        lines.append(f"Planned by: {moment.made_by_name}")
    if moment.failure is not None:
        lines.append(f"Why: {moment.failure}")
    return lines
