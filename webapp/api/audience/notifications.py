"""A reader's inbox and what they want to be told by mail."""

from datetime import datetime
from typing import Any

from flask import Response
from pydantic import BaseModel, ConfigDict

from webapp.api.answers import answer, no_content, page_of
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, Blueprint
from webapp.api.edge import keeps_no_answer, open_session
from webapp.api.fields import Flag, Id, Input, Omittable, PageQuery, Query
from webapp.kit.cursors import decode_cursor
from webapp.kit.permissions import Permission
from webapp.services.audience import notifications
from webapp.services.audience.notifications import MOST_COUNTED, InboxLine

blueprint = Blueprint("notifications", title="Notifications")


class InboxQuery(PageQuery):
    """Which notifications."""

    unread_only: Flag = False


class NotificationPath(Query):
    """Which notification."""

    notification_id: Id


class NotificationAnswer(BaseModel):
    """One notification."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    kind: str
    title: str
    slug: str
    content_id: int
    created_at: datetime
    read_at: datetime | None


class NotificationPage(BaseModel):
    """A page of notifications."""

    items: list[NotificationAnswer]
    next: str | None


class UnreadCount(BaseModel):
    """How many are unread; `is_exact` is false where counting stopped."""

    unread: int
    is_exact: bool


class Preferences(Input):
    """What somebody wants to be told by mail.

    `by_mail` is of what they follow, `notices_by_mail` of their own work at the desk; a `PUT`
    without it leaves that as it is. The mails about their reviews and their account come always.
    """

    by_mail: bool
    notices_by_mail: Omittable[bool] = None


class PreferencesAnswer(BaseModel):
    """What somebody is told by mail: of what they follow, and of their own work at the desk."""

    model_config = ConfigDict(from_attributes=True)

    by_mail: bool
    notices_by_mail: bool


@blueprint.get(
    "/notifications", responses={200: NotificationPage, **ACCOUNT_PROBLEMS}, security=BEARER
)
@requires(Permission.NOTIFICATION_READ)
def list_notifications(query: InboxQuery) -> Response:
    """List one's notifications, newest first.

    Those of items that are not public any more are hidden until the item is public again. A title
    is the one that is public now.
    """
    below: Any = None
    if query.cursor is not None:
        (below,) = decode_cursor(query.cursor, int)
    rows = notifications.list_inbox(
        open_session(),
        current_actor(),
        unread_only=query.unread_only,
        below=below,
        limit=query.limit + 1,
    )
    return answer(NotificationPage(**page_of(rows, query.limit, _shape, lambda row: (row.id,))))


@blueprint.get(
    "/notifications/unread-count", responses={200: UnreadCount, **ACCOUNT_PROBLEMS}, security=BEARER
)
@requires(Permission.NOTIFICATION_READ)
def count_unread() -> Response:
    """Count one's unread notifications."""
    unread = notifications.count_unread(open_session(), current_actor())
    return answer(UnreadCount(unread=unread, is_exact=unread < MOST_COUNTED))


@blueprint.post(
    "/notifications/<int:notification_id>/read",
    responses={204: None, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.NOTIFICATION_MANAGE)
@keeps_no_answer
def mark_read(path: NotificationPath) -> Response:
    """Mark one notification as read."""
    notifications.mark_read(open_session(), current_actor(), path.notification_id)
    return no_content()


@blueprint.post(
    "/notifications/read-all", responses={204: None, **ACCOUNT_PROBLEMS}, security=BEARER
)
@requires(Permission.NOTIFICATION_MANAGE)
@keeps_no_answer
def mark_all_read() -> Response:
    """Mark everything as read."""
    notifications.mark_all_read(open_session(), current_actor())
    return no_content()


@blueprint.get(
    "/notifications/preferences",
    responses={200: PreferencesAnswer, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.NOTIFICATION_READ)
def show_preferences() -> Response:
    """Show what one is told by mail."""
    return _show(current_actor().user_id)


@blueprint.put(
    "/notifications/preferences",
    responses={200: PreferencesAnswer, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.NOTIFICATION_MANAGE)
def set_preferences(body: Preferences) -> Response:
    """Choose what one is told by mail; mails that are queued obey it too."""
    me = current_actor().user_id
    notifications.set_wants_mail(
        open_session(), me, by_mail=body.by_mail, notices_by_mail=body.notices_by_mail, actor_id=me
    )
    return _show(me)


def _show(user_id: int) -> Response:
    wishes = notifications.mail_wishes(open_session(), user_id)
    return answer(PreferencesAnswer.model_validate(wishes))


def _shape(line: InboxLine) -> NotificationAnswer:
    return NotificationAnswer.model_validate(line)
