"""Turn one event into one inbox row, and one queued mail, for each follower.

A chunk is one transaction: it inserts rows in the order of the followers' ids and moves the
event's cursor. A kill loses the chunk that was under way and nothing else.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.jobs.messages import SendEventMails
from webapp.jobs.outbox import enqueue_many
from webapp.models import Event, Publication

FOLLOWERS_A_CHUNK = 20_000
MAILS_A_JOB = 500


@dataclass(frozen=True)
class Chunk:
    """How far one chunk came."""

    recipients: int
    is_last: bool


# Each branch reads at most a chunk's worth of followers from its own index, in order; UNION makes
# a reader who follows twice one recipient. The author is not told of their own work.
_AUDIENCE = """
    SELECT user_id FROM (
        (SELECT user_id FROM follows WHERE author_id = :author_id AND user_id > :cursor
         ORDER BY user_id LIMIT :chunk)
        UNION
        (SELECT user_id FROM follows WHERE category_id = :category_id AND user_id > :cursor
         ORDER BY user_id LIMIT :chunk)
        UNION
        (SELECT user_id FROM unnest(CAST(:ancestor_ids AS bigint[])) AS above (id), LATERAL (
            SELECT user_id FROM follows
            WHERE category_id = above.id AND include_subtree AND user_id > :cursor
            ORDER BY user_id LIMIT :chunk) AS of_subtree)
        UNION
        (SELECT user_id FROM unnest(CAST(:tag_ids AS bigint[])) AS tag (id), LATERAL (
            SELECT user_id FROM follows WHERE tag_id = tag.id AND user_id > :cursor
            ORDER BY user_id LIMIT :chunk) AS of_tag)
        UNION
        (SELECT user_id FROM follows WHERE content_id = :content_id AND user_id > :cursor
         ORDER BY user_id LIMIT :chunk)
    ) AS followers
    WHERE user_id IS DISTINCT FROM :author_id
    ORDER BY user_id LIMIT :chunk
"""

# With one target there is nothing to unite, and the index alone gives the order.
_FOLLOWERS_OF_AUTHOR = """
    SELECT user_id FROM follows
    WHERE author_id = :author_id AND user_id > :cursor AND user_id <> :author_id
    ORDER BY user_id LIMIT :chunk
"""

_FOLLOWERS_OF_CONTENT = """
    SELECT user_id FROM follows
    WHERE content_id = :content_id AND user_id > :cursor
      AND user_id IS DISTINCT FROM :author_id
    ORDER BY user_id LIMIT :chunk
"""

# A first publication that a withdrawal cut short is news again when the item is back. It is told to
# those who have not heard of it: who has no row in the inbox, or has not read it and whose mail did
# not go out. Their rows of before go, so that an inbox has the item once.
_WHO_HAS_NOT_HEARD = """
    unaware AS MATERIALIZED (
        SELECT user_id FROM audience WHERE NOT EXISTS (
            SELECT FROM notifications AS before
            LEFT JOIN mail_deliveries AS mail
                ON mail.event_id = before.event_id AND mail.user_id = before.user_id
            WHERE before.user_id = audience.user_id AND before.event_id = ANY (:earlier_ids)
              AND (before.read_at IS NOT NULL
                   OR coalesce(mail.state, '') NOT IN ('queued', 'suppressed')))
    ), taken_back AS (
        DELETE FROM notifications USING unaware
        WHERE notifications.user_id = unaware.user_id
          AND notifications.event_id = ANY (:earlier_ids)
    ),
"""

_INSERT_CHUNK = """
    WITH audience AS MATERIALIZED ({audience}), {who_has_not_heard} told AS (
        INSERT INTO notifications (user_id, event_id)
        SELECT user_id, :event_id FROM {recipients}
        {on_conflict}
    ), mailed AS (
        INSERT INTO mail_deliveries (event_id, user_id)
        SELECT :event_id, recipient.user_id FROM {recipients} AS recipient
        LEFT JOIN notification_preferences AS preference
            ON preference.user_id = recipient.user_id AND preference.user_id > :cursor
        WHERE coalesce(preference.by_mail, true)
        {on_conflict}
        RETURNING user_id
    ), numbered AS (
        SELECT user_id, (row_number() OVER (ORDER BY user_id) - 1) / :mails_a_job AS batch
        FROM mailed
    )
    SELECT (SELECT count(*) FROM audience) AS reached,
           (SELECT count(*) FROM {recipients}) AS recipients,
           (SELECT max(user_id) FROM audience) AS last_user_id,
           ARRAY(SELECT max(user_id) FROM numbered GROUP BY batch ORDER BY 1) AS mail_batch_ends
"""


def fan_out_chunk(session: Session, event_id: int, size: int = FOLLOWERS_A_CHUNK) -> Chunk:
    """Tell the next `size` followers of an event and queue their mails.

    A follower is whoever follows at the time of the chunk. An event that is gone or told counts as
    told, and so does one whose item was withdrawn. The row of the event is locked, so two that work
    on it take turns, and a withdrawal waits for the chunk or the chunk for the withdrawal.
    """
    event = session.scalar(
        select(Event)
        .where(Event.id == event_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if event is None or event.fanned_out_at is not None:
        return Chunk(0, is_last=True)
    if not _is_public(session, event):
        _stop(session, event)
        return Chunk(0, is_last=True)
    parameters = {
        "event_id": event_id,
        "author_id": event.author_id,
        "category_id": event.category_id,
        "ancestor_ids": event.ancestor_ids,
        "tag_ids": event.tag_ids,
        "content_id": event.content_id,
        "cursor": event.cursor_user_id,
        "chunk": size,
        "mails_a_job": MAILS_A_JOB,
        "earlier_ids": _earlier_news(session, event),
    }
    row = _insert_chunk(session, event, parameters)
    _queue_mails(session, event, row.mail_batch_ends)
    is_last = row.reached < size
    session.execute(
        update(Event)
        .where(Event.id == event_id)
        .values(
            cursor_user_id=row.last_user_id or event.cursor_user_id,
            recipients=Event.recipients + row.recipients,
            **({"fanned_out_at": text("clock_timestamp()")} if is_last else {}),
        )
        .execution_options(synchronize_session=False)
    )
    return Chunk(row.recipients, is_last=is_last)


def _insert_chunk(session: Session, event: Event, parameters: dict[str, Any]) -> Row[Any]:
    """Insert the rows of a chunk, leaving out those that are there.

    The cursor moves with the rows, so there are none unless somebody has moved it back. Hence they
    are inserted without looking first, which is half as dear, and only a conflict makes it look.
    """
    is_told_again = bool(parameters["earlier_ids"])
    parts = {
        "audience": _audience_of(event),
        "who_has_not_heard": _WHO_HAS_NOT_HEARD if is_told_again else "",
        "recipients": "unaware" if is_told_again else "audience",
    }
    try:
        with session.begin_nested():
            straight = text(_INSERT_CHUNK.format(**parts, on_conflict=""))
            return session.execute(straight, parameters).one()
    except IntegrityError:
        careful = text(_INSERT_CHUNK.format(**parts, on_conflict="ON CONFLICT DO NOTHING"))
        return session.execute(careful, parameters).one()


def _is_public(session: Session, event: Event) -> bool:
    """Say whether the item is public.

    A withdrawal ends its events itself; those of a release that did not are found here.
    """
    public = select(Publication.content_id).where(Publication.content_id == event.content_id)
    return session.scalar(public) is not None


def _stop(session: Session, event: Event) -> None:
    now = func.clock_timestamp()
    session.execute(
        update(Event)
        .where(Event.id == event.id)
        .values(stopped_at=now, fanned_out_at=now)
        .execution_options(synchronize_session=False)
    )


def _earlier_news(session: Session, event: Event) -> list[int]:
    """Return the ids of the events that told of the same first publication before."""
    if event.kind != "content.published" or event.sequence == 1:
        return []
    earlier = select(Event.id).where(
        Event.kind == event.kind,
        Event.content_id == event.content_id,
        Event.sequence < event.sequence,
    )
    return list(session.scalars(earlier))


def _audience_of(event: Event) -> str:
    """Choose who hears: of an update the item's own followers, of all else all followers."""
    if event.kind == "content.updated":
        return _FOLLOWERS_OF_CONTENT
    if event.author_id is not None and event.category_id is None and not event.tag_ids:
        return _FOLLOWERS_OF_AUTHOR
    return _AUDIENCE


def _queue_mails(session: Session, event: Event, batch_ends: list[int]) -> None:
    starts = [event.cursor_user_id, *batch_ends]
    enqueue_many(
        session,
        [
            SendEventMails(event_id=event.id, after_user_id=after, to_user_id=to)
            for after, to in zip(starts, batch_ends, strict=False)
        ],
    )
