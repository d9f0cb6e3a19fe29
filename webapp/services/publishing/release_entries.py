"""What a release does to which items: put together by lists, or by filters."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from sqlalchemy import CursorResult, Select, bindparam, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger, Text

from webapp.jobs.messages import PrepareRelease
from webapp.jobs.outbox import enqueue_anew
from webapp.kit.lifecycle import Standing
from webapp.models import Content, ContentVersion, Release, ReleaseEntry
from webapp.models.arrays import IdArray
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content.item_filters import ItemFilter, fitting
from webapp.services.content.visibility import IS_SEEN, SEEN, seen_by
from webapp.services.errors import HinderedError, InvalidInputError
from webapp.services.publishing import release_checks, release_rows

MOST_ENTRIES = 10_000
"""How many items one release holds at most."""

Action = Literal["publish", "unpublish", "archive"]


@dataclass(frozen=True)
class EntryWish:
    """What a release shall do to one item; without a number it publishes the newest version."""

    content_id: int
    action: Action
    number: int | None = None


@dataclass(frozen=True)
class EntryLine:
    """One entry, with what a person needs to recognise it; its title is the version's."""

    content_id: int
    action: Action
    version: int | None
    title: str
    position: int
    is_prepared: bool
    failure: str | None
    former_version: int | None
    former_standing: str | None
    put_back_at: datetime | None


@dataclass(frozen=True)
class Counts:
    """How many entries a release has of each kind, how many wait to be prepared, or cannot be."""

    publish: int
    unpublish: int
    archive: int
    unprepared: int
    refused: int


_JUDGE = text(
    f"""
    SELECT wanted.content_id, CASE
        WHEN content.id IS NULL THEN 'There is no such item.'
        WHEN content.status = 'trashed' AND (content.trashed_at IS NOT NULL
            OR content.archived_at IS NULL) THEN 'The item is in the trash; take it out first.'
        WHEN content.status = 'trashed' THEN 'The item is archived; unarchive it first.'
        ELSE 'There is no such version.' END AS reason
    FROM unnest(:content_ids, :actions, :numbers) AS wanted (content_id, action, number)
    LEFT JOIN content ON content.id = wanted.content_id AND {IS_SEEN}
    WHERE content.id IS NULL OR content.status = 'trashed'
        -- As a value, it is looked up by its key for each.
        OR wanted.action = 'publish' AND (
            SELECT version.id FROM content_versions AS version
            WHERE version.content_id = content.id
              AND version.number = coalesce(nullif(wanted.number, 0), content.version)) IS NULL
    ORDER BY wanted.content_id LIMIT :most
    """  # noqa: S608 - constants of the code
).bindparams(
    *SEEN,
    bindparam("content_ids", type_=IdArray()),
    bindparam("numbers", type_=IdArray()),
    bindparam("actions", type_=ARRAY(Text)),
)
_COLUMNS = (
    "release_id", "content_id", "action", "version_id", "position", "seen_public", "seen_sequence",
    "prepared_at",
)  # fmt: skip
# An item that is in it already is to become what is said last.
_ANEW = """
    ON CONFLICT (release_id, content_id) DO UPDATE SET action = excluded.action,
        version_id = excluded.version_id, seen_public = excluded.seen_public,
        seen_sequence = excluded.seen_sequence, prepared_at = excluded.prepared_at,
        added_at = clock_timestamp(), failure = NULL
"""
_ADD = text(
    f"""
    INSERT INTO release_entries ({", ".join(_COLUMNS)})
    SELECT :release_id, content.id, wanted.action, version.id, :position + wanted.place,
        content.status = 'published', content.publish_sequence,
        CASE WHEN wanted.action <> 'publish' THEN clock_timestamp() END
    FROM unnest(:content_ids, :actions, :numbers) WITH ORDINALITY
        AS wanted (content_id, action, number, place)
    JOIN content ON content.id = wanted.content_id
    LEFT JOIN content_versions AS version ON wanted.action = 'publish'
        AND version.content_id = content.id
        AND version.number = coalesce(nullif(wanted.number, 0), content.version)
    ORDER BY content.id
    {_ANEW}
    """  # noqa: S608 - constants of the code
).bindparams(
    bindparam("content_ids", type_=IdArray()),
    bindparam("numbers", type_=IdArray()),
    bindparam("actions", type_=ARRAY(Text)),
    bindparam("position", type_=BigInteger()),
)
_COUNT = text(
    """
    SELECT count(*) FILTER (WHERE action = 'publish') AS publish,
        count(*) FILTER (WHERE action = 'unpublish') AS unpublish,
        count(*) FILTER (WHERE action = 'archive') AS archive,
        count(*) FILTER (WHERE prepared_at IS NULL) AS unprepared,
        count(failure) AS refused
    FROM release_entries WHERE release_id = :release_id
    """
)
_LIST = text(
    f"""
    SELECT entry.content_id, entry.action, version.number AS version,
        coalesce(version.title, content.title) AS title, entry.position,
        entry.prepared_at IS NOT NULL AS is_prepared, entry.failure,
        former.number AS former_version, entry.former_standing, entry.put_back_at
    FROM release_entries AS entry JOIN content ON content.id = entry.content_id
    LEFT JOIN content_versions AS version ON version.id = entry.version_id
    LEFT JOIN content_versions AS former ON former.id = entry.former_version_id
    WHERE entry.release_id = :release_id AND {IS_SEEN}
        AND (entry.position, entry.content_id) > (:position, :content_id)
    ORDER BY entry.position, entry.content_id LIMIT :limit
    """  # noqa: S608 - constants of the code
).bindparams(*SEEN)


def add(
    session: Session,
    actor: Actor,
    release_id: int,
    revisions: Collection[int] | None,
    wishes: Sequence[EntryWish],
) -> None:
    """Put items into a release, or say anew what it shall do to them.

    Raises what `release_rows.lock` raises, HinderedError, which names what cannot be in it, and
    InvalidInputError beyond `MOST_ENTRIES`.
    """
    release = release_rows.lock(session, actor, release_id, revisions)
    parameters: dict[str, Any] = {
        "content_ids": [wish.content_id for wish in wishes],
        "actions": [wish.action for wish in wishes],
        "numbers": [wish.number or 0 for wish in wishes],
    }
    shown = {**parameters, **seen_by(actor), "most": release_checks.MOST_TOLD}
    hindered = [(row.content_id, row.reason) for row in session.execute(_JUDGE, shown)]
    if hindered:
        raise HinderedError("Some items cannot be in the release; nothing was added.", hindered)
    placed = {"release_id": release.id, "position": _last_position(session, release.id)}
    session.execute(_ADD, {**parameters, **placed})
    _settle(session, actor, release, len(wishes))


def add_fitting(
    session: Session,
    actor: Actor,
    release_id: int,
    revisions: Collection[int] | None,
    wanted: ItemFilter,
    action: Action,
) -> int:
    """Put the items that fit a filter into a release, by one statement; returns how many fit.

    What is published is the newest version of each. What is put aside is left out, and so is what
    is retracted, unless the filter asks for it, and for a withdrawal all that is not public. Raises
    what `add` raises.
    """
    if wanted.status in {Standing.TRASHED, Standing.ARCHIVED}:
        raise InvalidInputError("filter.status", "what is put aside goes into no release")
    release = release_rows.lock(session, actor, release_id, revisions)
    fit = fitting(actor, wanted).where(Content.status != "trashed")
    if action == "publish" and wanted.status is None:
        is_retracted = Content.retracted_sequence.is_not_distinct_from(Content.publish_sequence)
        fit = fit.where(~is_retracted)
    elif action == "unpublish":
        fit = fit.where(Content.status == "published")
    chosen = _entries_of(fit, release.id, action, _last_position(session, release.id))
    statement = insert(ReleaseEntry).from_select(
        _COLUMNS, chosen.order_by(Content.id).limit(MOST_ENTRIES + 1)
    )
    anew = statement.on_conflict_do_update(
        index_elements=["release_id", "content_id"],
        set_={
            **{name: statement.excluded[name] for name in _COLUMNS[2:] if name != "position"},
            "added_at": func.clock_timestamp(),
            "failure": None,
        },
    ).execution_options(preserve_rowcount=True)
    number = cast(CursorResult[Any], session.execute(anew)).rowcount
    _settle(session, actor, release, number)
    return number


def remove(
    session: Session,
    actor: Actor,
    release_id: int,
    revisions: Collection[int] | None,
    content_ids: Collection[int],
) -> None:
    """Take items out of a release; those that are not in it are out already. Raises as `lock`."""
    release = release_rows.lock(session, actor, release_id, revisions)
    gone = text(
        "DELETE FROM release_entries WHERE release_id = :release_id"
        " AND content_id = ANY (:content_ids)"
    ).bindparams(bindparam("content_ids", type_=IdArray()))
    session.execute(gone, {"release_id": release.id, "content_ids": content_ids})
    release_rows.note_change(session, actor, release)
    activity.record(
        session, actor.user_id, "release.remove", "release", release.id,
        content_ids=sorted(content_ids),
    )  # fmt: skip


def count(session: Session, release_id: int) -> Counts:
    """Return how many entries a release has, by what they do and how far they are."""
    return Counts(*session.execute(_COUNT, {"release_id": release_id}).one())


def list_entries(
    session: Session, actor: Actor, release_id: int, *, after: tuple[int, int], limit: int
) -> list[EntryLine]:
    """Return entries in the order of their places: those of items that the actor may see."""
    parameters = {
        "release_id": release_id, "position": after[0], "content_id": after[1], "limit": limit,
        **seen_by(actor),
    }  # fmt: skip
    return [EntryLine(*row) for row in session.execute(_LIST, parameters)]


def _entries_of(
    fit: Select[Content], release_id: int, action: Action, position: int
) -> Select[Any]:
    """Return the rows of items that fit, each behind the last place of a release."""
    newest = (
        select(ContentVersion.id)
        .where(ContentVersion.content_id == Content.id, ContentVersion.number == Content.version)
        .scalar_subquery()
    )
    is_release = action == "publish"
    return fit.with_only_columns(
        literal(release_id),
        Content.id,
        literal(action),
        newest if is_release else literal(None, BigInteger()),
        literal(position, BigInteger()) + func.row_number().over(order_by=Content.id),
        Content.status == "published",
        Content.publish_sequence,
        literal(None) if is_release else func.clock_timestamp(),
    )


def _last_position(session: Session, release_id: int) -> int:
    last = select(func.max(ReleaseEntry.position)).where(ReleaseEntry.release_id == release_id)
    return session.scalar(last) or 0


def _settle(session: Session, actor: Actor, release: Release, number: int) -> None:
    """See to what follows from entries that were added to a locked release."""
    whole = select(func.count()).where(ReleaseEntry.release_id == release.id)
    if (session.scalar(whole) or 0) > MOST_ENTRIES:
        raise InvalidInputError("entries", f"a release holds {MOST_ENTRIES:,} items at most")
    release_rows.note_change(session, actor, release)
    if release.state == "scheduled":
        release_checks.require_no_hindrance(session, release)
    enqueue_anew(session, PrepareRelease(release_id=release.id))
    activity.record(
        session, actor.user_id, "release.add", "release", release.id, entries=number
    )  # fmt: skip
