"""Secret addresses for calendar programs: made, listed, revoked, and read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from webapp.kit.permissions import Permission
from webapp.kit.tokens import hash_token, new_token
from webapp.models import CalendarFeed, User
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.accounts.left_work import find_maker
from webapp.services.errors import NotFoundError, QuotaError
from webapp.services.publishing.planned_moments import PlannedMoment, list_around_now
from webapp.settings import Settings

MOST_FEEDS = 20
DAYS_AGO, DAYS_AHEAD = 30, 366
MOST_PAST, MOST_COMING = 200, 800
WRONG_ADDRESS = "This address opens no calendar any more. Make another feed."


@dataclass(frozen=True)
class FeedLine:
    """A feed as its owner sees it in a list: all but its token."""

    id: int
    name: str
    zone: str
    created_at: datetime
    last_used_at: datetime | None
    uses: int


@dataclass(frozen=True)
class OpenedFeed:
    """What a calendar is shown, and how."""

    name: str
    zone: str
    moments: Sequence[PlannedMoment]


def make(session: Session, actor: Actor, *, name: str, zone: str) -> tuple[FeedLine, str]:
    """Make a feed of the actor and return it with the only copy of its token.

    A key makes none, so that it leaves nothing behind that outlives it. Raises ForbiddenError, and
    QuotaError beyond `MOST_FEEDS`.
    """
    actor.require(Permission.CREDENTIAL_MANAGE)
    actor.require(Permission.SCHEDULE_READ)
    # So that two requests at once cannot both take the last place.
    session.execute(select(User.id).where(User.id == actor.user_id).with_for_update(key_share=True))
    if len(list_feeds(session, actor)) >= MOST_FEEDS:
        raise QuotaError(f"You have {MOST_FEEDS} feeds; revoke one that nobody reads.")
    token = new_token()
    feed = CalendarFeed(user_id=actor.user_id, name=name, zone=zone, token_hash=hash_token(token))
    session.add(feed)
    session.flush()
    activity.trace(session, actor.user_id, "calendar_feed.create", feed_id=feed.id)
    return FeedLine(feed.id, name, zone, feed.created_at, None, 0), token


def list_feeds(session: Session, actor: Actor) -> list[FeedLine]:
    """Return the feeds of the actor, oldest first: `MOST_FEEDS` at most."""
    rows = session.execute(
        select(*_LINE).where(CalendarFeed.user_id == actor.user_id).order_by(CalendarFeed.id)
        .limit(MOST_FEEDS)
    )  # fmt: skip
    return [FeedLine(*row) for row in rows]


def revoke(session: Session, actor: Actor, feed_id: int) -> None:
    """End a feed at once. Raises NotFoundError where the actor has no such feed."""
    actor.require(Permission.CREDENTIAL_MANAGE)
    gone = session.scalar(
        delete(CalendarFeed)
        .where(CalendarFeed.id == feed_id, CalendarFeed.user_id == actor.user_id)
        .returning(CalendarFeed.id)
        .execution_options(synchronize_session=False)
    )
    if gone is None:
        raise NotFoundError("You have no such feed.")
    activity.trace(session, actor.user_id, "calendar_feed.revoke", feed_id=feed_id)


def open_feed(session: Session, token: str, settings: Settings) -> OpenedFeed:
    """Return what the owner of a feed may see at this moment, and count that it was read.

    That is `DAYS_AGO` to `DAYS_AHEAD`, the nearest of them. Raises NotFoundError for an address
    that never was or was revoked, and where its owner could not read the calendar themselves: the
    account is off, its role or the settings let it read none.
    """
    feed = session.execute(
        select(CalendarFeed.id, CalendarFeed.user_id, CalendarFeed.name, CalendarFeed.zone).where(
            CalendarFeed.token_hash == hash_token(token)
        )
    ).one_or_none()
    owner = None if feed is None else find_maker(session, feed.user_id, None)
    if feed is None or owner is None or not _may_read(owner, settings):
        raise NotFoundError(WRONG_ADDRESS)
    session.execute(
        update(CalendarFeed)
        .where(CalendarFeed.id == feed.id)
        .values(uses=CalendarFeed.uses + 1, last_used_at=func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )
    moments = list_around_now(
        session, owner, days_ago=DAYS_AGO, days_ahead=DAYS_AHEAD, past=MOST_PAST, coming=MOST_COMING
    )
    return OpenedFeed(feed.name, feed.zone, moments)


def _may_read(owner: Actor, settings: Settings) -> bool:
    """Say whether the settings would let the owner in at the door of the API as well."""
    has_factor = owner.has_second_factor or not settings.wants_second_factor(owner.role)
    is_known = owner.is_verified or settings.unverified_accounts != "nothing"
    return has_factor and is_known and owner.may(Permission.SCHEDULE_READ)


_LINE = (
    CalendarFeed.id, CalendarFeed.name, CalendarFeed.zone, CalendarFeed.created_at,
    CalendarFeed.last_used_at, CalendarFeed.uses,
)  # fmt: skip
