"""The way back from a release: each item to what the public read before, in one transaction.

What was decided since about an item, by another release or by hand, is found and asked about.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Row, bindparam, func, select, text
from sqlalchemy.orm import Session

from webapp.kit.permissions import Permission
from webapp.models import Release, ReleaseEntry
from webapp.models.arrays import IdArray
from webapp.models.publishing.schedules import OPEN_STATES
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content import review_states
from webapp.services.content.renderings import ensure_renderings
from webapp.services.errors import ForbiddenError, HinderedError
from webapp.services.publishing import publishing, release_rows
from webapp.services.publishing.going_live import (
    LONGEST_STATEMENT,
    free_names,
    lock_items,
    publish_all,
)
from webapp.services.publishing.release_checks import MOST_TOLD
from webapp.services.publishing.release_lines import record_undo

CHANGED = "It was changed after the release went live."
TRASHED = "The item is in the trash."
NAME_IS_TAKEN = "Another item has its former slug by now."
ASKED = (
    "Some items were changed after the release went live: say changed=skip to leave those as they"
    " are, or changed=also to put them back as well."
)

_JUDGE = text(
    """
    SELECT entry.content_id, entry.action, entry.version_id, entry.former_version_id,
        entry.former_published_at, entry.former_standing, content.status,
        public.version_id AS shown_version_id,
        content.status = 'trashed' AND (content.trashed_at IS NOT NULL
            OR content.archived_at IS NULL) AS is_trashed,
        content.publish_sequence <> entry.sequence_after
            OR public.version_id IS DISTINCT FROM entry.version_id
            OR (content.status = 'trashed')
                <> (entry.action = 'archive' OR entry.former_standing = 'archived') AS is_changed
    FROM release_entries AS entry JOIN content ON content.id = entry.content_id
    LEFT JOIN publications AS public ON public.content_id = entry.content_id
    WHERE entry.release_id = :release_id ORDER BY entry.content_id
    """
)
_UNARCHIVE = text(
    """
    UPDATE content SET status = 'draft', archived_at = NULL, revision = revision + 1,
        updated_at = clock_timestamp()
    WHERE id = ANY (:content_ids) AND status = 'trashed'
    """
).bindparams(bindparam("content_ids", type_=IdArray()))
# The names that the release gave from one of its items to another go back.
_TAKE_NAMES_BACK = text(
    """
    UPDATE slugs SET content_id = version.content_id FROM content_versions AS version
    WHERE version.id = ANY (:version_ids) AND slugs.slug = version.slug
      AND slugs.content_id <> version.content_id AND slugs.content_id = ANY (:content_ids)
    RETURNING slugs.slug
    """
).bindparams(
    bindparam("version_ids", type_=IdArray()),
    bindparam("content_ids", type_=IdArray()),
)
_NAMES_OF_OTHERS = text(
    """
    SELECT version.content_id FROM content_versions AS version
    JOIN slugs ON slugs.slug = version.slug AND slugs.content_id <> version.content_id
    WHERE version.id = ANY (:version_ids) ORDER BY version.content_id LIMIT :most
    """
).bindparams(bindparam("version_ids", type_=IdArray()))
# News whose telling a withdrawal has cut short is news again, for those who have not heard of it.
_CUT_SHORT = text(
    """
    SELECT id FROM unnest(:content_ids) AS item (id)
    WHERE (SELECT stopped_at IS NOT NULL FROM events
           WHERE events.content_id = item.id AND kind = 'content.published'
           ORDER BY sequence DESC LIMIT 1)
    """
).bindparams(bindparam("content_ids", type_=IdArray()))
# What was retracted is retracted once more, and for the reason that the public was told.
_RETRACT_AGAIN = text(
    """
    WITH again AS (
        UPDATE content SET retracted_sequence = publish_sequence
        WHERE id = ANY (:content_ids) AND status = 'draft' RETURNING id, publish_sequence
    )
    UPDATE retractions SET sequence = again.publish_sequence FROM again
    WHERE retractions.id = (
        SELECT max(id) FROM retractions AS last WHERE last.content_id = again.id)
    """
).bindparams(bindparam("content_ids", type_=IdArray()))
# Schedules for an older version, made after the former one had gone public, are still meant.
_OPEN = ", ".join(f"'{state}'" for state in OPEN_STATES)
_LET_SCHEDULES_STAND = text(
    f"""
    UPDATE schedules SET pinned_at = clock_timestamp()
    FROM content_versions AS former, content_versions AS pinned
    WHERE former.id = ANY (:version_ids) AND schedules.content_id = former.content_id
      AND schedules.state IN ({_OPEN}) AND pinned.id = schedules.version_id
      AND pinned.number < former.number
    """  # noqa: S608 - constants of the code
).bindparams(bindparam("version_ids", type_=IdArray()))
_NOTE = text(
    """
    UPDATE release_entries SET put_back_at = clock_timestamp()
    WHERE release_id = :release_id AND content_id = ANY (:content_ids)
    """
).bindparams(bindparam("content_ids", type_=IdArray()))


@dataclass(frozen=True)
class Undone:
    """How many items an undo has put back, and how many it left, the first of them with why."""

    put_back: int
    left: int
    first_left: list[tuple[int, str]]


def undo(
    session: Session,
    actor: Actor,
    release_id: int,
    revisions: Collection[int] | None,
    changed: Literal["skip", "also"] | None,
) -> Undone:
    """Put back what a release has made of its items, and say what was left.

    `changed` says what becomes of items that were changed since. Without it they are asked about:
    HinderedError names them, and nothing is done. What is in the trash is left either way. Raises
    what `release_rows.lock` raises, ForbiddenError for who may not publish alone, and what
    `ensure_renderings` raises.
    """
    actor.require(Permission.CONTENT_PUBLISH)
    session.execute(text(f"SET LOCAL statement_timeout = '{LONGEST_STATEMENT}'"))
    release = release_rows.lock(session, actor, release_id, revisions, ("live",))
    if review_states.needs_approval(actor):
        raise ForbiddenError("Only who may publish alone puts a whole release back.")
    _render_former(session, release.id)
    lock_items(session, release.id)
    rows = session.execute(_JUDGE, {"release_id": release.id}).all()
    left = [
        (row.content_id, TRASHED if row.is_trashed else CHANGED)
        for row in rows
        if row.is_trashed or (row.is_changed and changed != "also")
    ]
    if left and changed is None:
        raise HinderedError(ASKED, left[:MOST_TOLD])
    kept = {content_id for content_id, _ in left}
    wanted = [row for row in rows if row.content_id not in kept]
    record_undo(session, actor.user_id, release.id, _put_back(session, actor, wanted))
    _end(session, actor, release, [row.content_id for row in wanted], len(left))
    return Undone(len(wanted), len(left), left[:MOST_TOLD])


def _render_former(session: Session, release_id: int) -> None:
    """See to the renderings of what was public before, while no item is locked."""
    former = select(ReleaseEntry.former_version_id).where(
        ReleaseEntry.release_id == release_id,
        ReleaseEntry.former_version_id.is_not(None),
        ReleaseEntry.former_version_id.is_distinct_from(ReleaseEntry.version_id),
    )
    ensure_renderings(session, [found for found in session.scalars(former) if found is not None])


def _put_back(
    session: Session, actor: Actor, rows: Sequence[Row[Any]]
) -> list[tuple[int, int | None, str]]:
    """Put locked items back, and return a line about each that changed by it."""
    hidden = [
        row.content_id
        for row in rows
        if row.status == "trashed" and row.former_standing != "archived"
    ]
    if hidden:
        session.execute(_UNARCHIVE, {"content_ids": hidden})
    withdrawn = [
        row.content_id
        for row in rows
        if row.former_version_id is None and row.shown_version_id is not None
    ]
    if withdrawn:
        publishing.withdraw(session, withdrawn)
    shown = [
        row
        for row in rows
        if row.former_version_id is not None and row.former_version_id != row.shown_version_id
    ]
    if shown:
        _show_again(session, actor, shown, [row.content_id for row in rows])
    retracted = [row.content_id for row in rows if row.former_standing == "retracted"]
    if retracted:
        session.execute(_RETRACT_AGAIN, {"content_ids": retracted})
    lines = dict.fromkeys(hidden, (None, "content.unarchive"))
    lines |= dict.fromkeys(withdrawn, (None, "content.unpublish"))
    lines |= {row.content_id: (row.former_version_id, "content.publish") for row in shown}
    return [(content_id, *line) for content_id, line in lines.items()]


def _show_again(
    session: Session, actor: Actor, rows: Sequence[Row[Any]], content_ids: list[int]
) -> None:
    """Make public what items showed before, under the names and at the times that they had."""
    version_ids = [row.former_version_id for row in rows]
    names = {"version_ids": version_ids, "content_ids": content_ids}
    free_names(session, session.scalars(_TAKE_NAMES_BACK, names).all())
    others = session.scalars(_NAMES_OF_OTHERS, {"version_ids": version_ids, "most": MOST_TOLD})
    taken = [(content_id, NAME_IS_TAKEN) for content_id in others]
    if taken:
        raise HinderedError("Some items cannot have their former slug back.", taken)
    news: set[int] = set()
    if actor.may(Permission.MESSAGE_SEND):
        shown = {"content_ids": [row.content_id for row in rows]}
        news = set(session.scalars(_CUT_SHORT, shown))
    wanted = [(row.content_id, row.former_version_id, row.former_published_at) for row in rows]
    publish_all(session, [one for one in wanted if one[0] not in news], notify=False)
    publish_all(session, [one for one in wanted if one[0] in news], notify=True)
    session.execute(_LET_SCHEDULES_STAND, {"version_ids": version_ids})


def _end(
    session: Session, actor: Actor, release: Release, content_ids: list[int], left: int
) -> None:
    session.execute(_NOTE, {"release_id": release.id, "content_ids": content_ids})
    release.state = "undone"
    release.undone_at = release.updated_at = func.clock_timestamp()
    release.revision += 1
    session.flush()
    activity.record(
        session, actor.user_id, "release.undo", "release", release.id,
        put_back=len(content_ids), left=left,
    )  # fmt: skip
