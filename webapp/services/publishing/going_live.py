"""The moment of a release: all of it in one transaction, or nothing of it.

The release is locked first, then its items in the order of their ids. What the public reads changes
with the one commit. Nothing here asks once for each item.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DataError, IntegrityError, InternalError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from webapp.models import Release
from webapp.models.arrays import IdArray
from webapp.services import activity, notices
from webapp.services.errors import HinderedError
from webapp.services.publishing import publishing, release_checks, release_rows
from webapp.services.publishing.firing import FAILURE, is_beyond_limits
from webapp.services.publishing.release_lines import record_lines
from webapp.services.publishing.releases import NO_APPROVAL

LONGEST_STATEMENT = "300s"
"""How long one statement of a release may take: a short release is a matter of milliseconds."""

HINDERED = "Some items keep it from going live; nothing public has changed."

_LOCK_ITEMS = text(
    """
    SELECT FROM content
    WHERE id IN (SELECT content_id FROM release_entries WHERE release_id = :release_id)
    ORDER BY id FOR UPDATE OF content
    """
)
# What was before is kept for the way back and for readers who walk from a list to an item. What is
# public as this version already is not published once more.
_KEEP_FORMER = text(
    """
    UPDATE release_entries SET
        former_version_id = public.version_id,
        former_published_at = content.published_at,
        former_standing = CASE
            WHEN content.status = 'published' THEN 'published'
            WHEN content.status = 'trashed' THEN 'archived'
            WHEN content.publish_sequence = 0 THEN 'draft'
            WHEN content.retracted_sequence = content.publish_sequence THEN 'retracted'
            ELSE 'unpublished' END,
        sequence_after = content.publish_sequence + CASE
            WHEN release_entries.action = 'publish'
                AND public.version_id IS DISTINCT FROM release_entries.version_id
            THEN 1 ELSE 0 END,
        put_back_at = NULL
    FROM content LEFT JOIN publications AS public ON public.content_id = content.id
    WHERE release_id = :release_id AND content.id = release_entries.content_id
    RETURNING release_entries.content_id, release_entries.action, release_entries.version_id,
        former_version_id, former_standing
    """
)
# The names of two items may pass from one to the other, and the key knows of no order.
_FREE_NAMES = text(
    """
    DELETE FROM publications USING slugs
    WHERE publications.slug = ANY (:names) AND slugs.slug = publications.slug
      AND slugs.content_id <> publications.content_id
    """
).bindparams(bindparam("names", type_=ARRAY(Text)))
_ARCHIVE = text(
    """
    UPDATE content SET status = 'trashed', trashed_at = NULL, archived_at = clock_timestamp(),
        revision = revision + 1, updated_at = clock_timestamp()
    WHERE id = ANY (:content_ids) AND status = 'draft'
    """
).bindparams(bindparam("content_ids", type_=IdArray()))


@dataclass(frozen=True)
class Outcome:
    """What became of a release at its moment: its state, how many items changed, and how late."""

    state: str
    items: int = 0
    late_seconds: float = 0.0
    reason: str | None = None


def go_live(
    session: Session, release_id: int, revision: int, *, missed_after_seconds: float
) -> Outcome | None:
    """Let a release go live that was given its moment with a revision, and say what became of it.

    None where it is another by now: it was changed, called off, or went live already. One that is
    too late is called off, or asks, as it says itself. What keeps one item from it fails all of it,
    with the reasons, and changes nothing public. Raises UnavailableError and errors of the database
    that pass, with nothing done.
    """
    session.execute(text(f"SET LOCAL statement_timeout = '{LONGEST_STATEMENT}'"))
    release = release_rows.lock_row(session, release_id)
    if release is None or release.revision != revision or release.state != "scheduled":
        return None
    late = _lateness(session, release)
    limit = release.late_limit_seconds
    if release.if_missed != "run" and late > (missed_after_seconds if limit is None else limit):
        return _let_pass(session, release, late)
    try:
        with session.begin_nested():
            changed = _apply(session, release)
    except HinderedError as error:
        return _fail(session, release, str(error), error.hindrances, late)
    except (IntegrityError, DataError, InternalError, OperationalError) as error:
        is_passing = isinstance(error, OperationalError) and not is_beyond_limits(error)
        if is_passing or session.connection().invalidated:
            raise
        reason = str(error.orig).partition("\n")[0][:1000]
        return _fail(session, release, FAILURE, [], late, reason)
    _end(session, release, "live", late, items=changed)
    return Outcome("live", changed, late)


def _apply(session: Session, release: Release) -> int:
    """Make what a locked release wants, and return how many items that changed."""
    lock_items(session, release.id)
    if release.needs_approval and not release_rows.is_approved(session, release):
        raise HinderedError(NO_APPROVAL, [])
    names = release_checks.claim_names(session, release.id, moves=True)
    hindered = release_checks.find_hindrances(session, release.id)
    if hindered:
        raise HinderedError(HINDERED, hindered)
    entries = session.execute(_KEEP_FORMER, {"release_id": release.id}).all()
    release_ids = [
        (row.content_id, row.version_id)
        for row in entries
        if row.action == "publish" and row.version_id != row.former_version_id
    ]
    withdrawn = [
        row.content_id
        for row in entries
        if row.action != "publish" and row.former_standing == "published"
    ]
    archived = [
        row.content_id
        for row in entries
        if row.action == "archive" and row.former_standing != "archived"
    ]
    free_names(session, names)
    publish_all(session, [(*ids, release.due_at) for ids in release_ids],
                notify=release.telling == "each")  # fmt: skip
    if withdrawn:
        publishing.withdraw(session, withdrawn)
    if archived:
        session.execute(_ARCHIVE, {"content_ids": archived})
    record_lines(session, release)
    return len(release_ids) + len(set(withdrawn) | set(archived))


def lock_items(session: Session, release_id: int) -> None:
    """Lock the items of a locked release, in the order of their ids."""
    session.execute(_LOCK_ITEMS, {"release_id": release_id})


def free_names(session: Session, names: Sequence[str]) -> None:
    """Take public rows away whose names have become another item's, before that one comes."""
    if names:
        session.execute(_FREE_NAMES, {"names": list(names)})


def publish_all(
    session: Session,
    wanted: Sequence[tuple[int, int, datetime | None]],
    *,
    notify: bool,
) -> None:
    """Make versions of locked items public: each with the item, the version and the public time.

    Their names are claimed and free already.
    """
    if not wanted:
        return
    releases = [publishing.Release(*one) for one in sorted(wanted)]
    publishing.release_ready(session, releases, notify=notify)


def _lateness(session: Session, release: Release) -> float:
    since = func.extract("epoch", func.clock_timestamp() - release.due_at)
    return float(session.scalars(select(since)).one())


def _let_pass(session: Session, release: Release, late: float) -> Outcome:
    reason = f"It was {late:.0f} seconds late."
    if release.if_missed == "ask":
        reason += " Give it another moment, or let it go live now, if you still mean it."
    release.failure = reason
    state = "open" if release.if_missed == "ask" else "cancelled"
    _end(session, release, state, late, reason=reason)
    _tell(session, release, "release.missed")
    return Outcome(state, 0, late, reason)


def _fail(
    session: Session,
    release: Release,
    failure: str,
    hindered: Sequence[tuple[int, str]],
    late: float,
    reason: str | None = None,
) -> Outcome:
    session.refresh(release)
    release.failure = failure
    release.problems = [{"content_id": one, "reason": why} for one, why in hindered]
    _end(session, release, "failed", late, reason=reason or failure)
    _tell(session, release, "release.failed")
    return Outcome("failed", 0, late, reason or failure)


def _tell(session: Session, release: Release, kind: str) -> None:
    """Tell who began a release, and who approved it, that it did not go live, and why."""
    told = {release.created_by_id, release.approved_by_id} - {None}
    details = {
        "name": release.name,
        "due_at": release.due_at.isoformat() if release.due_at else "",
        "words": release.failure or "",
    }
    notices.tell(
        session, [one for one in told if one is not None], kind, "release", release.id,
        details=details, dedupe=f"{kind}:{release.id}:{release.revision}",
    )  # fmt: skip


_VERBS = {"live": "publish", "failed": "fail", "open": "ask", "cancelled": "miss"}


def _end(
    session: Session,
    release: Release,
    state: str,
    late: float,
    **details: Any,  # noqa: ANN401
) -> None:
    """Note what became of a release, in nobody's name, as of a schedule."""
    release.state = state
    release.revision += 1
    release.updated_at = func.clock_timestamp()
    if state == "live":
        release.went_live_at = func.clock_timestamp()
    session.flush()
    activity.record(
        session, None, f"release.{_VERBS[state]}", "release", release.id,
        late_seconds=round(late, 3), **details,
    )  # fmt: skip
