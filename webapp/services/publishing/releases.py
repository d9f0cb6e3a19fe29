"""Releases: put together, approved of, given a moment, and called off again.

What happens at that moment is in `going_live`, and the way back in `release_undo`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.kit.permissions import Permission
from webapp.models import Release, ReleaseEntry
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content import review_states
from webapp.services.errors import ConflictError, ForbiddenError
from webapp.services.publishing import release_checks, release_rows
from webapp.services.publishing.release_rows import AT_WORK, CHANGEABLE

NO_APPROVAL = (
    "The release has no approval that counts; somebody who may publish alone has to approve it as"
    " it is, or each of its versions needs an approval of its own."
)


@dataclass(frozen=True)
class ReleasePlan:
    """What there is to say of a release beside its items.

    `late_limit_seconds` says from which lateness on `if_missed` counts; None: as the settings say.
    """

    name: str
    telling: Literal["each", "none"] = "each"
    if_missed: Literal["run", "skip", "ask"] = "run"
    late_limit_seconds: int | None = None


@dataclass(frozen=True)
class ReleaseMoment:
    """When a release goes live, and the wall time that was meant, if one was."""

    due_at: datetime
    zone: str | None = None
    local_time: datetime | None = None


def create(session: Session, actor: Actor, plan: ReleasePlan) -> Release:
    """Begin a release, without items. Raises ForbiddenError."""
    actor.require(Permission.SCHEDULE_MANAGE)
    release = Release(
        name=plan.name,
        telling=plan.telling,
        if_missed=plan.if_missed,
        late_limit_seconds=plan.late_limit_seconds,
        created_by_id=actor.user_id,
    )
    session.add(release)
    session.flush()
    _record(session, actor, release, "create")
    return release


def change(
    session: Session,
    actor: Actor,
    release_id: int,
    revisions: Collection[int] | None,
    changes: dict[str, Any],
) -> Release:
    """Change the name of a release, whom it tells, or what becomes of it when it is late.

    Its approval ends. Raises what `release_rows.lock` raises.
    """
    release = release_rows.lock(session, actor, release_id, revisions)
    before = {name: getattr(release, name) for name in changes}
    for name, value in changes.items():
        setattr(release, name, value)
    release_rows.note_change(session, actor, release)
    _record(session, actor, release, "edit", changes=activity.difference(before, changes))
    return release


def list_releases(
    session: Session, *, state: str | None, before: int | None, limit: int
) -> list[Release]:
    """Return releases, the newest first."""
    statement = select(Release).order_by(Release.id.desc()).limit(limit)
    if state is not None:
        statement = statement.where(Release.state == state)
    if before is not None:
        statement = statement.where(Release.id < before)
    return list(session.scalars(statement))


def approve(
    session: Session, actor: Actor, release_id: int, revisions: Collection[int] | None
) -> Release:
    """Approve of a release as it is: of all its entries and their texts, and of who is told.

    Only somebody who might publish each of them alone does, and so its versions need no approval of
    their own. Raises what `release_rows.lock` raises, and ConflictError for one without items.
    """
    actor.require(Permission.CONTENT_APPROVE)
    release = release_rows.lock(session, actor, release_id, revisions)
    if review_states.needs_approval(actor):
        raise ForbiddenError("Only who may publish alone approves a whole release.")
    _require_items(session, release)
    digest = release_rows.digest_of(session, release.id)
    release.approved_by_id, release.approved_digest = actor.user_id, digest
    release.approved_at = func.clock_timestamp()
    _count(session, release)
    _record(session, actor, release, "approve")
    return release


def schedule(
    session: Session,
    actor: Actor,
    release_id: int,
    revisions: Collection[int] | None,
    moment: ReleaseMoment | None,
) -> Release:
    """Give a release its moment, or another one; None is now.

    The names that it needs are its items' own from now on. Raises what `release_rows.lock` raises,
    ForbiddenError without the approval that it needs, ConflictError for one without items, and
    HinderedError where something keeps it from going live as of now.
    """
    release = release_rows.lock(session, actor, release_id, revisions)
    _require_items(session, release)
    release_rows.require_telling(actor, release)
    release.needs_approval = review_states.needs_approval(actor)
    if release.needs_approval and not release_rows.is_approved(session, release):
        raise ForbiddenError(NO_APPROVAL)
    if moment is None:
        moment = ReleaseMoment(session.scalars(select(func.clock_timestamp())).one())
    release_checks.hold_items(session, release.id)
    release.state = "scheduled"
    release.due_at, release.zone, release.local_time = (
        moment.due_at, moment.zone, moment.local_time,
    )  # fmt: skip
    release.failure = release.problems = None
    _count(session, release)
    release_checks.require_no_hindrance(session, release)
    _record(session, actor, release, "schedule", due_at=moment.due_at.isoformat())
    return release


def cancel(
    session: Session, actor: Actor, release_id: int, revisions: Collection[int] | None
) -> Release:
    """Call a release off: its items stay in it, and it can be given another moment.

    Raises what `release_rows.lock` raises: ConflictError once it went live.
    """
    states = [state for state in CHANGEABLE if state != "cancelled"]
    release = release_rows.lock(session, actor, release_id, revisions, states)
    release.state = "cancelled"
    _count(session, release)
    _record(session, actor, release, "cancel")
    return release


def delete(
    session: Session, actor: Actor, release_id: int, revisions: Collection[int] | None
) -> None:
    """Delete a release that has no moment and never went live. Raises as `release_rows.lock`."""
    release = release_rows.lock(session, actor, release_id, revisions, AT_WORK)
    _record(session, actor, release, "delete")
    session.delete(release)
    session.flush()


def _require_items(session: Session, release: Release) -> None:
    first = select(ReleaseEntry.content_id).where(ReleaseEntry.release_id == release.id).limit(1)
    if session.scalar(first) is None:
        raise ConflictError("The release has no items yet; add some.")


def _count(session: Session, release: Release) -> None:
    """Count a change that leaves what a release will do as it is, and its approval with it."""
    release.revision += 1
    release.updated_at = func.clock_timestamp()
    if release.state == "scheduled":
        release_rows.hand_over(session, release)
    session.flush()


def _record(
    session: Session,
    actor: Actor,
    release: Release,
    verb: str,
    *,
    changes: activity.Changes | None = None,
    **details: Any,  # noqa: ANN401
) -> None:
    activity.record(
        session, actor.user_id, f"release.{verb}", "release", release.id, changes=changes,
        **details,
    )  # fmt: skip
