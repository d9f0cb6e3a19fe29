"""Readers by the million, made within the database, and the event that they are to hear of."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.articles import analyze, make_account
from webapp.jobs.messages import FanOutEvent
from webapp.jobs.outbox import enqueue
from webapp.kit.roles import RoleName
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, taxonomy
from webapp.services.content.content import Draft
from webapp.services.publishing import publishing

_READERS = text(
    """
    INSERT INTO users (login, email, email_hash, password_hash, display_name, role_id)
    SELECT 'reader-' || number, 'reader-' || number || '@example.org',
           sha256(convert_to('reader-' || number || '@example.org', 'UTF8')), 'none',
           'Reader ' || number, (SELECT id FROM roles WHERE name = 'reader')
    FROM generate_series(CAST(:first AS bigint), :last) AS number
    """
)
_FOLLOWS = text(
    """
    INSERT INTO follows (user_id, author_id)
    SELECT id, :author_id FROM users
    WHERE role_id = (SELECT id FROM roles WHERE name = 'reader') ORDER BY id LIMIT :number
    """
)
_NO_MAIL = text(
    """
    INSERT INTO notification_preferences (user_id, by_mail)
    SELECT id, false FROM users WHERE role_id = (SELECT id FROM roles WHERE name = 'reader')
    """
)
# A publication that tells nobody counts as told at once; this one shall be told by the measure.
_OPEN_AGAIN = text(
    "UPDATE events SET fanned_out_at = NULL WHERE content_id = :content_id RETURNING id"
)
_READERS_AT_ONCE = 100_000
TAGS = ("first", "second", "third")


@dataclass(frozen=True)
class FollowedAuthor:
    """An author, the category of their items, and how many follow the author."""

    actor: Actor
    category_id: int
    followers: int


def make_readers(session: Session, number: int) -> None:
    """Make readers who want no mail."""
    for first in range(1, number + 1, _READERS_AT_ONCE):
        last = min(first + _READERS_AT_ONCE - 1, number)
        session.execute(_READERS, {"first": first, "last": last})
        session.commit()
    session.execute(_NO_MAIL)
    analyze(session)


def make_author(session: Session, login: str, followers: int) -> FollowedAuthor:
    """Make an author whom the first `followers` readers follow."""
    author_id = make_account(session, login, RoleName.EDITOR)
    category_id = taxonomy.ensure_category(session, "Followed")
    session.execute(_FOLLOWS, {"author_id": author_id, "number": followers})
    analyze(session)
    return FollowedAuthor(Actor(author_id, login, RoleName.EDITOR), category_id, followers)


def want_mail(session: Session) -> None:
    """Let every reader have mail again, which is what no preference means."""
    session.execute(text("TRUNCATE notification_preferences"))
    analyze(session)


def make_event(session: Session, author: FollowedAuthor, number: int) -> int:
    """Publish an item for the first time, tell nobody of it yet, and return its event's id.

    Each event is of an item of its own: only a first publication is news to all who follow.
    """
    draft = Draft(
        title=f"Number {number} by {author.actor.login}",
        body="Text.",
        category_id=author.category_id,
        tags=TAGS,
    )
    content_id = content.create(session, author.actor, draft)
    publishing.publish(session, author.actor, content_id, None, notify=False)
    event_id: int = session.execute(_OPEN_AGAIN, {"content_id": content_id}).scalar_one()
    session.commit()
    return event_id


def start_telling(session: Session, event_id: int) -> None:
    """Write the job that tells the followers, as a publish does."""
    enqueue(session, FanOutEvent(event_id=event_id))
    session.commit()
