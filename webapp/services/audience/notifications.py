"""A reader's inbox: what was told of items that are public.

The row of an item that was withdrawn is hidden, and neither counted nor marked, until the item is
public again. A line shows the title that is public now.
"""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp.models import Event, Notification, NotificationPreference, Publication
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.errors import NotFoundError

MOST_COUNTED = 1000


@dataclass(frozen=True)
class InboxLine:
    """One notification; its id is the event's, which is unique within an inbox."""

    id: int
    kind: str
    title: str
    slug: str
    content_id: int
    created_at: datetime
    read_at: datetime | None


def list_inbox(
    session: Session, actor: Actor, *, unread_only: bool, below: int | None, limit: int
) -> list[InboxLine]:
    """Return notifications, newest first, from below an id."""
    statement = (
        select(
            Event.id, Event.kind, Publication.summary["title"].as_string().label("title"),
            Publication.slug, Event.content_id, Notification.created_at, Notification.read_at,
        )
        .join(Event, Event.id == Notification.event_id)
        .join(Publication, Publication.content_id == Event.content_id)
        .where(Notification.user_id == actor.user_id)
        .order_by(Notification.event_id.desc())
        .limit(limit)
    )  # fmt: skip
    if unread_only:
        statement = statement.where(Notification.read_at.is_(None))
    if below is not None:
        statement = statement.where(Notification.event_id < below)
    return [InboxLine(**row._asdict()) for row in session.execute(statement)]


def count_unread(session: Session, actor: Actor) -> int:
    """Return how many notifications are unread, counting no further than `MOST_COUNTED`."""
    unread = (
        select(Notification.event_id)
        .where(Notification.user_id == actor.user_id, Notification.read_at.is_(None), _is_visible())
        .limit(MOST_COUNTED)
    )
    return session.scalar(select(func.count()).select_from(unread.subquery())) or 0


def mark_read(session: Session, actor: Actor, notification_id: int) -> None:
    """Mark one notification as read; it keeps the first time. Raises NotFoundError."""
    found = session.scalar(
        update(Notification)
        .where(
            Notification.user_id == actor.user_id,
            Notification.event_id == notification_id,
            _is_visible(),
        )
        .values(read_at=func.coalesce(Notification.read_at, func.clock_timestamp()))
        .returning(Notification.event_id)
    )
    if found is None:
        raise NotFoundError("There is no such notification in your inbox.")


def mark_all_read(session: Session, actor: Actor) -> None:
    """Mark everything in the inbox as read."""
    session.execute(
        update(Notification)
        .where(Notification.user_id == actor.user_id, Notification.read_at.is_(None), _is_visible())
        .values(read_at=func.clock_timestamp())
    )


def _is_visible() -> ColumnElement[bool]:
    """Return the condition that the item of a notification is public."""
    return exists().where(
        Event.id == Notification.event_id, Publication.content_id == Event.content_id
    )


@dataclass(frozen=True)
class MailWishes:
    """What an account wants by mail: news of what it follows, and notices of its own work."""

    by_mail: bool = True
    notices_by_mail: bool = True


def mail_wishes(session: Session, user_id: int) -> MailWishes:
    """Return what an account wants by mail; that is all, until it says otherwise."""
    row = session.execute(
        select(NotificationPreference.by_mail, NotificationPreference.notices_by_mail).where(
            NotificationPreference.user_id == user_id
        )
    ).one_or_none()
    return MailWishes() if row is None else MailWishes(*row)


def set_wants_mail(
    session: Session,
    user_id: int,
    *,
    by_mail: bool | None = None,
    notices_by_mail: bool | None = None,
    actor_id: int | None = None,
) -> None:
    """Keep a reader's choice, what is None as it is; mails that are queued already obey it too.

    The activity log keeps it as well, as the consent that it is.
    """
    before = asdict(mail_wishes(session, user_id))
    asked = {"by_mail": by_mail, "notices_by_mail": notices_by_mail}
    wanted = {name: value for name, value in asked.items() if value is not None}
    statement = insert(NotificationPreference).values(user_id=user_id, **wanted)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["user_id"],
            set_={**wanted, "updated_at": func.clock_timestamp()},
        )
    )
    changes = activity.difference(before, wanted)
    activity.record(session, actor_id, "preferences.edit", "user", user_id, changes=changes)
