"""A release as a row: found, locked, changed, and approved of as it is."""

from collections.abc import Collection

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.orm import Session

from webapp.jobs.messages import PublishRelease
from webapp.jobs.outbox import enqueue, wake_dispatcher
from webapp.kit.permissions import Permission
from webapp.models import Release
from webapp.services.accounts.actors import Actor
from webapp.services.content import lifecycle, review_states
from webapp.services.errors import ConflictError, NotFoundError, StaleRevisionError

AT_WORK = ("open", "failed", "cancelled")
CHANGEABLE = (*AT_WORK, "scheduled")
VOIDED = "It was changed after it had been approved; it needs another approval, and a moment anew."

# The bytes of a version never change, so what was approved can be told from anything else.
_DIGEST = text(
    """
    SELECT sha256(convert_to(releases.telling || coalesce((
        SELECT string_agg(entry.content_id || ':' || entry.action || ':'
            || coalesce(encode(version.digest, 'hex'), ''), ',' ORDER BY entry.content_id)
        FROM release_entries AS entry
        LEFT JOIN content_versions AS version ON version.id = entry.version_id
        WHERE entry.release_id = releases.id), ''), 'UTF8'))
    FROM releases WHERE id = :release_id
    """
)
_IS_EACH_APPROVED = text(
    """
    SELECT NOT EXISTS (
        SELECT FROM release_entries AS entry
        JOIN content_versions AS version ON version.id = entry.version_id
        WHERE entry.release_id = :release_id AND NOT EXISTS (
            SELECT FROM reviews WHERE reviews.version_id = version.id
            AND reviews.state = 'approved' AND reviews.digest = version.digest))
    """
).bindparams(bindparam("release_id"))


def find(session: Session, release_id: int) -> Release:
    """Return one release. Raises NotFoundError."""
    found = session.get(Release, release_id, populate_existing=True)
    if found is None:
        raise NotFoundError("There is no such release.")
    return found


def lock(
    session: Session,
    actor: Actor,
    release_id: int,
    revisions: Collection[int] | None,
    states: Collection[str] = CHANGEABLE,
) -> Release:
    """Return a release in one of some states, locked until the transaction ends, for a change.

    It is locked before any of its items is. Raises ForbiddenError, NotFoundError,
    StaleRevisionError, and ConflictError in any other state.
    """
    actor.require(Permission.SCHEDULE_MANAGE)
    found = lock_row(session, release_id)
    if found is None:
        raise NotFoundError("There is no such release.")
    if found.state not in states:
        raise ConflictError(f"The release is {found.state}; that cannot be done to it any more.")
    if revisions is not None and found.revision not in revisions:
        raise StaleRevisionError("The release has changed since you read it; read it again.")
    return found


def lock_row(session: Session, release_id: int) -> Release | None:
    """Return a release, locked until the transaction ends, or None where it is gone."""
    return session.scalar(
        select(Release)
        .where(Release.id == release_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def note_change(session: Session, actor: Actor, release: Release) -> None:
    """Count a change of what a locked release will do: its approval is of something else now.

    One that has its moment keeps it, unless it rests upon that approval, or whoever changed it may
    not publish alone. Raises ForbiddenError where it tells followers and the actor may not.
    """
    release.revision += 1
    release.updated_at = func.clock_timestamp()
    release.approved_by_id = release.approved_at = release.approved_digest = None
    if release.state == "scheduled":
        require_telling(actor, release)
        release.needs_approval = release.needs_approval or review_states.needs_approval(actor)
        if release.needs_approval and not is_approved(session, release):
            release.state, release.failure = "open", VOIDED
        else:
            hand_over(session, release)
    session.flush()


def require_telling(actor: Actor, release: Release) -> None:
    """Raise ForbiddenError where a release tells followers and the actor may not."""
    if release.telling != "none":
        lifecycle.require_telling(actor)


def hand_over(session: Session, release: Release) -> None:
    """Write the duty to let a scheduled release go live, as it is now, at its moment."""
    session.flush()
    message = PublishRelease(release_id=release.id, revision=release.revision)
    enqueue(session, message, run_at=release.due_at)
    wake_dispatcher(session)


def digest_of(session: Session, release_id: int) -> bytes:
    """Return what an approval of a release is of: who is told, and each entry with its text."""
    session.flush()
    return bytes(session.scalars(_DIGEST, {"release_id": release_id}).one())


def is_approved(session: Session, release: Release) -> bool:
    """Say whether a locked release may go live for those who may not publish alone.

    Either it has an approval as a whole, of what it is now, or each version has one of its own.
    """
    if release.approved_digest is not None:
        return release.approved_digest == digest_of(session, release.id)
    session.flush()
    return bool(session.scalar(_IS_EACH_APPROVED, {"release_id": release.id}))
