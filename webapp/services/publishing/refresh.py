"""Bring new names of authors, categories and tags into the public documents that hold them.

Nobody is told of it, no publication is counted, and the text stays that of the version that went
public. The ETag changes, so that caches ask again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from sqlalchemy import DateTime, TextClause, bindparam, select, text
from sqlalchemy.orm import Session

from webapp.jobs.messages import RefreshPublications
from webapp.jobs.payloads import read_payload
from webapp.models import Job, Publication
from webapp.models.arrays import IdArray, is_one_of
from webapp.services.publishing.documents import (
    COLUMNS,
    DOCUMENT,
    JOINS,
    SUMMARY,
    hold_names,
)

DOCUMENTS_A_BATCH = 100

# Each is served, in the order of the batches, by an index of its own. Without a category are also
# those whose category was deleted. After the deletion of a tag all are looked at.
_TARGETS = {
    "author": "author_id = :named_id",
    "category": "category_id = :named_id",
    "tag": "tags @> ARRAY[(SELECT slug FROM tags WHERE id = :named_id)]",
    "no category": "category_id IS NULL",
    "no tag": "true",
}

_FIND = """
    WITH item AS MATERIALIZED (
        SELECT content_id AS id, version_id, author_id, published_at, updated_at, summary AS former
        FROM publications
        WHERE {target}
          AND (published_at, content_id)
              > (coalesce(:after_published_at, '-infinity'::timestamptz), :after_content_id)
        ORDER BY {order}published_at, content_id LIMIT :size
    ), documents AS (
        SELECT {columns} FROM item {joins}
    )
    SELECT item.id, item.published_at,
           documents.id IS NOT NULL AND item.former::text <> ({summary})::text AS is_stale
    FROM item LEFT JOIN documents USING (id)
    ORDER BY item.published_at, item.id
"""

Named = Literal["author", "category", "tag"]

_STATES = {"ready": "waiting", "held": "paused"}

_COUNT = {
    named: text(
        f"""
        SELECT count(*) AS total, count(*) FILTER (
            WHERE NOT :is_done AND (published_at, content_id)
                > (coalesce(:after_published_at, '-infinity'::timestamptz), :after_content_id)
        ) AS remaining
        FROM publications WHERE {_TARGETS[named]}
        """  # noqa: S608 - the parts are constants of the code
    ).bindparams(bindparam("after_published_at", type_=DateTime(timezone=True)))
    for named in get_args(Named)
}


@dataclass(frozen=True)
class Progress:
    """How far a name has come: the state of its job, and how many documents were looked at."""

    state: str
    total: int
    done: int


_LOCK_ITEMS = text(
    "SELECT FROM content WHERE id = ANY (:content_ids) ORDER BY id FOR UPDATE"
).bindparams(bindparam("content_ids", type_=IdArray()))

# An item that was withdrawn in the meantime has no row here, and gets none.
_REWRITE = text(
    f"""
    WITH item AS (
        SELECT publications.content_id AS id, publications.version_id, publications.author_id,
               publications.published_at, publications.updated_at, content.publish_sequence
        FROM publications JOIN content ON content.id = publications.content_id
        WHERE publications.content_id = ANY (:content_ids)
    ), documents AS (
        SELECT item.publish_sequence, coalesce(terms.slugs, '{{}}') AS tag_slugs, {COLUMNS}
        FROM item {JOINS}
    )
    UPDATE publications SET
        document = {DOCUMENT},
        summary = {SUMMARY},
        tags = documents.tag_slugs,
        etag = '"' || documents.id || '-' || documents.publish_sequence || '-'
            || left(md5(({SUMMARY})::text), 12) || '"'
    FROM documents
    WHERE publications.content_id = documents.id
      AND publications.summary::text <> ({SUMMARY})::text
    """  # noqa: S608 - the parts are constants of the code
).bindparams(bindparam("content_ids", type_=IdArray()))


def refresh_batch(
    session: Session, message: RefreshPublications, size: int = DOCUMENTS_A_BATCH
) -> RefreshPublications | None:
    """Refresh the next documents and return the message that goes on; None after the last.

    Only what has another name than its document is locked and written. The items are locked as
    every change of them does, so a publication or a withdrawal comes before or after, whole.
    """
    rows = session.execute(_find(message), {**message.model_dump(), "size": size}).all()
    stale = [row.id for row in rows if row.is_stale]
    if stale:
        session.execute(_LOCK_ITEMS, {"content_ids": stale})
        session.execute(_REWRITE, {"content_ids": stale})
    if len(rows) < size:
        return None
    return message.model_copy(
        update={"after_published_at": rows[-1].published_at, "after_content_id": rows[-1].id}
    )


def refresh_items(session: Session, content_ids: Sequence[int]) -> None:
    """Bring the present names into the public documents of locked items, at once."""
    shown = select(Publication.version_id).where(is_one_of(Publication.content_id, content_ids))
    hold_names(session, content_ids, session.scalars(shown).all())
    session.execute(_REWRITE, {"content_ids": content_ids})


def progress_of(session: Session, named: Named, named_id: int) -> Progress:
    """Return how far the public documents have come with a name.

    The job walks them in the order of an index and keeps its place, so what is behind that place is
    counted there. A job that is done, or was pruned since, leaves nothing.
    """
    message = RefreshPublications(named=named, named_id=named_id)
    waiting = select(Job.state, Job.payload).where(
        Job.kind == message.kind, Job.dedupe_key == message.dedupe_key()
    )
    row = session.execute(waiting).one_or_none()
    state = "done" if row is None else str(row.state)
    reached = message if row is None else read_payload(RefreshPublications, row.payload)
    parameters = {**reached.model_dump(), "is_done": state == "done"}
    counted = session.execute(_COUNT[named], parameters).one()
    return Progress(_STATES.get(state, state), counted.total, counted.total - counted.remaining)


def _find(message: RefreshPublications) -> TextClause:
    has_none = message.named == "category" and message.named_id is None
    target = f"no {message.named}" if message.named_id is None else message.named
    return text(
        _FIND.format(
            target=_TARGETS[target],
            # PostgreSQL takes the index in its order only where all its columns are named.
            order="category_id, " if has_none else "",
            columns=COLUMNS,
            summary=SUMMARY,
            joins=JOINS,
        )
    ).bindparams(bindparam("after_published_at", type_=DateTime(timezone=True)))
