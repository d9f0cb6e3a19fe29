"""Publishing: draft to public and back, one item or five hundred, in one statement."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, func, text, update
from sqlalchemy.orm import Session
from structlog.contextvars import get_contextvars

from webapp.jobs.messages import FanOutEvent
from webapp.jobs.payloads import version_mark
from webapp.kit.lifecycle import Facts, Move, Standing
from webapp.models import Content, Publication
from webapp.models.arrays import IdArray, MomentArray, is_one_of
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content import (
    content,
    lifecycle,
    naming,
    review_states,
    tagging,
    taxonomy,
    versions,
)
from webapp.services.content.completeness import require_ready
from webapp.services.content.renderings import ensure_renderings
from webapp.services.errors import ConflictError, UnavailableError
from webapp.services.publishing import documents, supersession
from webapp.services.publishing.shown import shown_version, shown_versions
from webapp.services.publishing.telling import stop_telling


class Release(NamedTuple):
    """One version that shall be public, with its public time (None: now).

    An item that is public already keeps the time that it has.
    """

    content_id: int
    version_id: int
    published_at: datetime | None = None


class Prepared(NamedTuple):
    """A version that may go public, with what its line in the activity log tells of before."""

    item: Content
    version_id: int
    number: int
    sequence: int
    facts: Facts
    shown: dict[str, Any] | None

    def told(self, *, notify: bool) -> dict[str, Any]:
        """Return what the line about it has to tell, so that it can be taken back."""
        told = {"sequence": self.sequence + 1} if notify else {}
        return {"version": self.number, "shown": self.shown, **told}


# One statement moves the items, writes what the public reads, keeps their slugs for them, and adds
# the events and the jobs that tell the followers. The public document is built by the database from
# rows that it has at hand, so publishing costs no round trip an item. An item that is put
# aside, in the trash or the archive, is left out, and so is whatever would hang on it.
_PUBLISH = text(
    f"""
    WITH RECURSIVE wanted AS (
        SELECT * FROM unnest(:content_ids, :version_ids, :moments)
            AS wanted (content_id, version_id, moment)
    ), above AS (
        SELECT id AS category_id, parent_id FROM categories
        WHERE id IN (SELECT category_id FROM content_versions WHERE id = ANY (:version_ids))
        UNION
        SELECT above.category_id, categories.parent_id
        FROM categories JOIN above ON categories.id = above.parent_id
    ), paths AS (
        SELECT category_id, array_agg(parent_id) AS ancestor_ids
        FROM above WHERE parent_id IS NOT NULL GROUP BY category_id
    ), moved AS (
        UPDATE content SET
            status = 'published',
            published_at = coalesce(content.published_at, wanted.moment, statement_timestamp()),
            publish_sequence = content.publish_sequence + 1,
            revision = content.revision + 1
        FROM wanted
        WHERE content.id = wanted.content_id AND content.status <> 'trashed'
        RETURNING content.id, content.author_id, content.published_at, content.publish_sequence,
                  wanted.version_id, statement_timestamp() AS updated_at
    ), documents AS (
        SELECT item.version_id, item.author_id, item.publish_sequence, item.published_at,
            item.updated_at, category.id AS category_id,
            coalesce(terms.slugs, '{{}}') AS tags, version.number, version.origin AS kind,
            coalesce(terms.ids, '{{}}') AS tag_ids, {documents.COLUMNS}
        FROM moved AS item {documents.JOINS}
    ), public AS (
        INSERT INTO publications (content_id, version_id, slug, author_id, category_id, tags,
                                  origin, document, summary, etag, published_at, updated_at)
        SELECT id, version_id, slug, author_id, category_id, tags, kind,
            {documents.DOCUMENT}, {documents.SUMMARY},
            '"' || id || '-' || publish_sequence || '"', published_at, updated_at
        FROM documents
        ON CONFLICT (content_id) DO UPDATE SET
            version_id = excluded.version_id, slug = excluded.slug,
            author_id = excluded.author_id,
            category_id = excluded.category_id, tags = excluded.tags,
            origin = excluded.origin, document = excluded.document,
            summary = excluded.summary, etag = excluded.etag,
            published_at = excluded.published_at, updated_at = excluded.updated_at
    ), happened AS (
        INSERT INTO events (kind, content_id, sequence, version, author_id, category_id,
                            ancestor_ids, tag_ids, title, slug, fanned_out_at)
        -- It is news the first time, and again when a withdrawal came before all had heard of it.
        SELECT CASE WHEN :is_correction THEN 'content.corrected'
            WHEN publish_sequence = 1 OR (
                SELECT news.stopped_at IS NOT NULL FROM events AS news
                WHERE news.kind = 'content.published' AND news.content_id = documents.id
                ORDER BY news.sequence DESC LIMIT 1)
            THEN 'content.published' ELSE 'content.updated' END,
            id, publish_sequence, number, author_id, category_id, coalesce(ancestor_ids, '{{}}'),
            tag_ids, title, slug, CASE WHEN :notify THEN NULL ELSE statement_timestamp() END
        FROM documents LEFT JOIN paths USING (category_id)
        RETURNING id
    ), named AS MATERIALIZED (
        -- The update copies the rows that it is joined with, the text of a document as well.
        SELECT id, slug FROM documents
    ), kept AS (
        -- What was a public address stays the item's own, and redirects.
        UPDATE slugs SET was_public = true FROM named
        WHERE slugs.slug = named.slug AND slugs.content_id = named.id AND NOT was_public
    ), told AS (
        INSERT INTO jobs (queue, kind, dedupe_key, payload, max_starts, request_id)
        SELECT :queue, :kind, id::text,
            jsonb_build_object('event_id', id) || CAST(:version_mark AS jsonb),
            :max_starts, :request_id
        FROM happened WHERE :notify
    )
    SELECT moved.id, documents.id IS NOT NULL AS is_public
    FROM moved LEFT JOIN documents ON documents.id = moved.id
    """  # noqa: S608 - the parts are constants of the code
).bindparams(
    bindparam("content_ids", type_=IdArray()),
    bindparam("version_ids", type_=IdArray()),
    bindparam("moments", type_=MomentArray()),
)

# An array is one parameter, where a list of five hundred ids would be five hundred.
_LOCK_ITEMS = text(
    "SELECT FROM content WHERE id = ANY (:content_ids) ORDER BY id FOR UPDATE"
).bindparams(bindparam("content_ids", type_=IdArray()))


def release(
    session: Session,
    releases: Sequence[Release],
    *,
    notify: bool = True,
    is_correction: bool = False,
) -> set[int]:
    """Make versions public and return the ids of the items that went public.

    The rows are locked in the order of their ids first, so that two batches cannot deadlock.
    Followers are told unless `notify` is False (an import of what is long known), of a correction
    as such.
    """
    ensure_renderings(session, [release.version_id for release in releases])
    session.execute(_LOCK_ITEMS, {"content_ids": [release.content_id for release in releases]})
    return release_ready(session, releases, notify=notify, is_correction=is_correction)


def release_ready(
    session: Session,
    releases: Sequence[Release],
    *,
    notify: bool = True,
    is_correction: bool = False,
) -> set[int]:
    """As `release`, for a caller that has seen to the renderings and then locked the items.

    Raises UnavailableError where a rendering has gone since.
    """
    ids = [release.content_id for release in releases]
    version_ids = [release.version_id for release in releases]
    tagging.name_public_tags(session, ids, version_ids)
    taxonomy.show_categories(session, version_ids)
    documents.hold_names(session, ids, version_ids)
    parameters = {
        "content_ids": ids,
        "version_ids": version_ids,
        "moments": [release.published_at for release in releases],
        "notify": notify,
        "is_correction": is_correction,
        "queue": FanOutEvent.queue.value,
        "kind": FanOutEvent.kind,
        "version_mark": json.dumps(version_mark(FanOutEvent)),
        "max_starts": FanOutEvent.max_starts,
        "request_id": get_contextvars().get("request_id"),
    }
    moved = session.execute(_PUBLISH, parameters).all()
    if not all(row.is_public for row in moved):
        raise UnavailableError("A text has to be rendered anew. Try again soon.")
    return {row.id for row in moved}


def publish(
    session: Session,
    actor: Actor,
    content_id: int,
    revisions: Collection[int] | None,
    *,
    number: int | None = None,
    published_at: datetime | None = None,
    notify: bool = True,
) -> None:
    """Make one version of an item public now; without a number, the newest.

    `published_at` is the public time that it shows. An open schedule for the same version or an
    older one ends. Raises NotFoundError, StaleRevisionError, ConflictError, and IncompleteError for
    a version that lacks what it has to have.
    """
    item = content.lock_for_change(session, actor, content_id, revisions)
    ready = prepare(session, actor, item, number=number, notify=notify)
    release_prepared(session, actor, [ready], published_at=published_at, notify=notify)


def prepare(
    session: Session,
    actor: Actor,
    item: Content,
    *,
    number: int | None = None,
    notify: bool,
    move: Move = Move.PUBLISH,
) -> Prepared:
    """Judge whether a version of a locked item may go public, and give it its name.

    `move` says whether it is published or corrected. Raises ForbiddenError and ConflictError.
    """
    lifecycle.require_right(actor, item, move)
    if notify:
        lifecycle.require_telling(actor)
    facts = lifecycle.require_move(session, actor, item, move, number=number)
    version = versions.get_version(session, item.id, number or item.version)
    require_ready(session, actor, version)
    version = naming.claim_name(
        session, actor, item, version, may_renumber=not facts.needs_approval
    )
    # What takes a publication back has to know what it replaced, and who was told of it.
    shown = shown_version(session, item)
    return Prepared(item, version.id, version.number, item.publish_sequence, facts, shown)


def release_prepared(
    session: Session,
    actor: Actor,
    prepared: Sequence[Prepared],
    *,
    published_at: datetime | None = None,
    notify: bool,
) -> None:
    """Make prepared versions of different items public, by one statement for all of them."""
    releases = [Release(ready.item.id, ready.version_id, published_at) for ready in prepared]
    release(session, releases, notify=notify)
    for ready in prepared:
        settle(session, actor, ready)
        standing = ready.facts.standing
        changes = activity.difference({"status": standing}, {"status": Standing.PUBLISHED})
        activity.record(
            session, actor.user_id, "content.publish", "content", ready.item.id,
            changes=changes, **ready.told(notify=notify),
        )  # fmt: skip
        session.expire(ready.item)


def settle(session: Session, actor: Actor, ready: Prepared) -> None:
    """End the schedule and the review that a version overtook which has gone public."""
    supersession.end_at_publication(session, actor, ready.item.id, ready.number)
    if ready.facts.review == "open" and ready.number == ready.item.version:
        review_states.void(session, actor, ready.item.id)


def unpublish(
    session: Session, actor: Actor, content_id: int, revisions: Collection[int] | None
) -> None:
    """Take an item back from the public; its open schedules end.

    Raises NotFoundError, StaleRevisionError, and ConflictError when it is not public.
    """
    item = content.lock_for_change(session, actor, content_id, revisions)
    advice = "" if item.status == "published" else supersession.advice(session, content_id)
    facts = lifecycle.require_move(session, actor, item, Move.UNPUBLISH, advice=advice)
    shown = shown_version(session, item)
    withdraw(session, [content_id])
    supersession.end_at_withdrawal(session, actor, content_id)
    changes = activity.difference({"status": facts.standing}, {"status": facts.standing_at_work})
    activity.record(
        session, actor.user_id, "content.unpublish", "content", content_id,
        changes=changes, shown=shown,
    )  # fmt: skip
    session.expire(item)


def unpublish_all(session: Session, actor: Actor, items: Sequence[Content]) -> None:
    """Take many locked items back at once, of which the caller has judged that they all may be.

    Raises ConflictError where one of them is public no more.
    """
    content_ids = [item.id for item in items]
    changes = {
        item.id: activity.difference(
            {"status": Standing.PUBLISHED},
            {"status": lifecycle.standing_facts(item).standing_at_work},
        )
        for item in items
    }
    shown = shown_versions(session, items)
    if len(withdraw(session, content_ids)) < len(items):
        raise ConflictError("Another change got in the way; read again and try again.")
    supersession.end_at_withdrawals(session, actor, content_ids)
    lines = [(content_id, {"shown": shown.get(content_id)}) for content_id in content_ids]
    activity.record_many(
        session, actor.user_id, "content.unpublish", "content", lines, changes=changes
    )
    for item in items:
        session.expire(item)


def withdraw(session: Session, content_ids: Sequence[int]) -> set[int]:
    """Take public items back, in bulk, and tell nobody more of them.

    Returns the ids of those that were public.
    """
    session.execute(_LOCK_ITEMS, {"content_ids": content_ids})
    moved = session.scalars(
        update(Content)
        .where(is_one_of(Content.id, content_ids), Content.status == "published")
        .values(
            status="draft",
            published_at=None,
            revision=Content.revision + 1,
            updated_at=func.clock_timestamp(),
        )
        .returning(Content.id)
        .execution_options(synchronize_session=False)
    ).all()
    session.execute(delete(Publication).where(is_one_of(Publication.content_id, moved)))
    stop_telling(session, moved)
    return set(moved)
