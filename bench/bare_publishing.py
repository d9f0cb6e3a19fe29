"""The floor of publishing: one statement that writes the rows of a crowd that is due.

It is the least that PostgreSQL can do for it. The item moves, its public row with the document, its
event, the job that tells the followers, its slug and its schedule are written, all as publishing
leaves them. Nothing is locked before, handed over, looked up, rendered or put together: documents
and all else stand ready in a table, in the form in which they are stored. There is one transaction,
no queue, no second process and no way to go on after an error.
"""

import time
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.testbed import Testbed
from webapp.services.publishing import documents

_QUERY = f"""
    WITH item AS (
        SELECT schedules.id AS schedule_id, item.id, schedules.version_id, item.author_id,
            schedules.due_at AS published_at, now() AS updated_at
        FROM schedules JOIN content AS item ON item.id = schedules.content_id
        WHERE schedules.state = 'pending'
    ), documents AS (
        SELECT item.schedule_id, item.version_id, item.author_id, item.published_at,
            item.updated_at, version.category_id, version.tags,
            coalesce(terms.ids, '{{}}') AS tag_ids, {documents.COLUMNS}
        FROM item {documents.JOINS}
    )
    SELECT schedule_id, id, version_id, author_id, published_at, updated_at, category_id, tags,
        tag_ids, title, slug, {documents.SUMMARY} AS summary, {documents.DOCUMENT} AS document
    FROM documents ORDER BY schedule_id
"""
_READY_MADE = (
    f"CREATE UNLOGGED TABLE ready_made AS {_QUERY} LIMIT 0",
    "ALTER TABLE ready_made ALTER COLUMN document SET STORAGE EXTERNAL",
    f"INSERT INTO ready_made {_QUERY} LIMIT :number",
)
_BARE = text(
    """
    WITH moved AS (
        UPDATE content SET status = 'published', published_at = ready_made.published_at,
            publish_sequence = publish_sequence + 1, revision = revision + 1
        FROM ready_made WHERE content.id = ready_made.id
    ), public AS (
        INSERT INTO publications (content_id, version_id, slug, author_id, category_id, tags,
                                  document, summary, etag, published_at, updated_at)
        SELECT id, version_id, slug, author_id, category_id, tags, document, summary,
            '"' || id || '-1"', published_at, updated_at
        FROM ready_made ON CONFLICT (content_id) DO NOTHING
    ), happened AS (
        INSERT INTO events (kind, content_id, sequence, author_id, category_id, tag_ids, title,
                            slug)
        SELECT 'content.published', id, 1, author_id, category_id, tag_ids, title, slug
        FROM ready_made RETURNING id
    ), told AS (
        INSERT INTO jobs (queue, kind, dedupe_key, payload, max_starts)
        SELECT 'notifications', 'event.fan_out', id::text, jsonb_build_object('event_id', id), 8
        FROM happened
    ), kept AS (
        UPDATE slugs SET was_public = true FROM ready_made WHERE slugs.slug = ready_made.slug
    )
    UPDATE schedules SET state = 'fired', fired_at = now(), updated_at = now(),
        revision = revision + 1
    FROM ready_made WHERE schedules.id = ready_made.schedule_id
    """
)


@dataclass(frozen=True)
class Spent:
    """What a crowd took: seconds until the last was public, PostgreSQL's own, and its log."""

    seconds: float
    postgres_seconds: float
    log_bytes: int


class Meter:
    """Tells what PostgreSQL has spent since it was made."""

    def __init__(self, bed: Testbed, session: Session) -> None:
        """Begin to count."""
        self._bed = bed
        self._session = session
        self._seconds = bed.postgres_cpu_seconds()
        self._bytes = self._position()

    def read(self, seconds: float) -> Spent:
        """Return what was spent in some seconds of the clock."""
        used = self._bed.postgres_cpu_seconds() - self._seconds
        return Spent(seconds, used, self._position() - self._bytes)

    def _position(self) -> int:
        position = "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint"
        value = self._session.scalars(text(position)).one()
        self._session.commit()
        return int(value)


def make_ready(session: Session, number: int) -> None:
    """Put together what the first `number` pending schedules publish."""
    create, store, fill = _READY_MADE
    session.execute(text(create))
    session.execute(text(store))
    session.execute(text(fill), {"number": number})
    session.commit()


def publish_bare(bed: Testbed, session: Session) -> Spent:
    """Write what stands ready, and commit."""
    meter = Meter(bed, session)
    began = time.monotonic()
    session.execute(_BARE)
    session.commit()
    return meter.read(time.monotonic() - began)
