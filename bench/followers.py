"""Readers by the million, made within the database, and the event that they are to hear of."""

from dataclasses import dataclass

from sqlalchemy import BigInteger, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from bench.articles import analyze, make_account
from webapp.jobs.messages import FanOutEvent
from webapp.jobs.outbox import enqueue
from webapp.kit.roles import RoleName
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, taxonomy
from webapp.services.content.content import Draft

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
_EVENT = text(
    """
    INSERT INTO events (kind, content_id, sequence, author_id, category_id, tag_ids, title, slug)
    VALUES ('content.published', :content_id, :sequence, :author_id, :category_id, :tag_ids,
            'Title', 'slug')
    RETURNING id
    """
).bindparams(bindparam("tag_ids", type_=ARRAY(BigInteger)))
_READERS_AT_ONCE = 100_000


@dataclass(frozen=True)
class FollowedAuthor:
    """An author, an item of theirs with its category and tags, and how many follow the author."""

    author_id: int
    content_id: int
    category_id: int
    tag_ids: list[int]
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
    author_id = make_account(session, login, RoleName.AUTHOR)
    actor = Actor(author_id, login, RoleName.AUTHOR)
    category_id = taxonomy.ensure_category(session, "Followed")
    tags = taxonomy.ensure_tags(session, ["first", "second", "third"])
    content_id = content.create(session, actor, Draft(title=f"By {login}"))
    session.execute(_FOLLOWS, {"author_id": author_id, "number": followers})
    analyze(session)
    return FollowedAuthor(author_id, content_id, category_id, [tag.id for tag in tags], followers)


def want_mail(session: Session) -> None:
    """Let every reader have mail again, which is what no preference means."""
    session.execute(text("TRUNCATE notification_preferences"))
    analyze(session)


def make_event(session: Session, author: FollowedAuthor, sequence: int) -> int:
    """Write an event that nobody has been told of, and return its id."""
    values = {
        "content_id": author.content_id,
        "author_id": author.author_id,
        "category_id": author.category_id,
        "tag_ids": author.tag_ids,
        "sequence": sequence,
    }
    event_id: int = session.execute(_EVENT, values).scalar_one()
    session.commit()
    return event_id


def start_telling(session: Session, event_id: int) -> None:
    """Write the job that tells the followers, as a publish does."""
    enqueue(session, FanOutEvent(event_id=event_id))
    session.commit()
