"""What a source says of its article's public life, done here as far as it is the import's to do.

A schedule or a publication that an editor made, and what an editor took back, is never touched.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from webapp.kit.lifecycle import Standing
from webapp.models import Content, ImportRecord, Publication, Schedule
from webapp.models.publishing.schedules import IS_OPEN
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content.lifecycle import standing_of
from webapp.services.content.version_texts import SavedVersion
from webapp.services.interchange.sources import Said
from webapp.services.publishing import publishing, schedules
from webapp.services.publishing.schedules import SchedulePlan

EDITED_HERE = "edited here since the last import"


@dataclass
class Changes:
    """What an import did to one item, in the words of its summary, and what it let be."""

    acts: list[str] = field(default_factory=list)
    not_applied: list[str] = field(default_factory=list)
    new_authors: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Case:
    """One item, its source, and what the two last had in common.

    `before` is None for a new item. `version` is the newest that an import has saved; `is_edited`
    says that an editor has saved another since. `may_publish` is the operator's word.
    """

    actor: Actor
    item: Content
    record: ImportRecord
    version: SavedVersion
    before: Said | None
    said: Said
    is_edited: bool
    may_publish: bool

    @property
    def has_news(self) -> bool:
        """Whether the source says something else of its public life than it did."""
        before = self.before
        return before is None or (before.status, before.published_at) != (
            self.said.status,
            self.said.published_at,
        )


def bring_about(session: Session, case: Case, changes: Changes) -> Said:
    """Do what the source asks for and is the import's to do; returns what was taken over of it.

    What was not stays what it was before, so that the next import asks for it again.
    """
    held_up = len(changes.not_applied)
    if case.said.status == "draft":
        _hide(session, case, changes)
    elif case.said.status == "scheduled":
        _schedule(session, case, changes)
    elif case.may_publish:
        _publish(session, case, changes)
    else:
        _keep(session, case, changes)
    taken = case.said
    if len(changes.not_applied) > held_up and case.before is not None:
        before = case.before
        taken = replace(taken, status=before.status, published_at=before.published_at)
    return _end(session, case, changes, taken)


def state_of(session: Session, case: Case) -> str:
    """Say what the item is now: public, scheduled or a draft."""
    if case.item.status == "published":
        return "public"
    return "draft" if _open(session, case, "publish") is None else "scheduled"


def _hide(session: Session, case: Case, changes: Changes) -> None:
    schedule = _open(session, case, "publish")
    if schedule is not None and _is_own(schedule, case):
        _cancel(session, case, schedule)
        changes.acts.append("schedule cancelled")
    elif schedule is not None and case.has_news:
        changes.not_applied.append("no longer public there; its schedule here is an editor's")
    if case.item.status != "published" or (not case.has_news and not _is_own_public(session, case)):
        return
    if not _is_own_public(session, case):
        changes.not_applied.append("no longer public there; here an editor has published it")
    elif case.is_edited:
        changes.not_applied.append(f"no longer public there; here it is public and {EDITED_HERE}")
    else:
        _withdraw(session, case)
        changes.acts.append("withdrawn")


def _schedule(session: Session, case: Case, changes: Changes) -> None:
    moment = case.said.published_at
    if moment is None:
        return
    schedule = _open(session, case, "publish")
    if schedule is not None and _is_own(schedule, case):
        is_pinned = case.is_edited or schedule.version_id == case.version.id
        if schedule.due_at == moment and is_pinned:
            return
        act = "schedule moved" if schedule.due_at != moment else "new text scheduled"
        _cancel(session, case, schedule)
        _make_schedule(session, case, moment)
        changes.acts.append(act)
    elif _hands_off(session, case, schedule, changes):
        return
    elif case.is_edited:
        changes.not_applied.append(f"to be public later; {EDITED_HERE}")
    else:
        if case.item.status == "published":
            _withdraw(session, case)
            changes.acts.append("withdrawn")
        _make_schedule(session, case, moment)
        changes.acts.append("scheduled")


def _publish(session: Session, case: Case, changes: Changes) -> None:
    schedule = _open(session, case, "publish")
    if schedule is not None and _is_own(schedule, case):
        if schedule.due_at == case.said.published_at and schedule.version_id == case.version.id:
            return  # It is due, and goes public in a moment.
        if case.is_edited:
            changes.not_applied.append(f"public there; {EDITED_HERE}")
            return
        _cancel(session, case, schedule)
        changes.acts.append("schedule cancelled")
    elif _hands_off(session, case, schedule, changes):
        return
    if case.item.status == "published" and _is_up_to_date(session, case):
        return
    if case.is_edited:
        if case.item.status != "published" or case.has_news:
            changes.not_applied.append(f"public there; {EDITED_HERE}")
        return
    _release(session, case)
    changes.acts.append("published")


def _keep(session: Session, case: Case, changes: Changes) -> None:
    """Leave what is public there a draft here, or as it is, until somebody asks for `--publish`."""
    schedule = _open(session, case, "publish")
    if schedule is not None and _is_own(schedule, case):
        if schedule.due_at != case.said.published_at:
            _cancel(session, case, schedule)
            changes.acts.append("schedule cancelled")
    elif _is_own_public(session, case) and not _is_up_to_date(session, case) and not case.is_edited:
        changes.not_applied.append("what changed is not public yet (see --publish)")


def _end(session: Session, case: Case, changes: Changes, taken: Said) -> Said:
    """Make, move or cancel the schedule that ends the public life of the item."""
    wanted = None if case.said.status == "draft" else case.said.expires_at
    former = case.before.expires_at if case.before else None
    schedule = _open(session, case, "unpublish")
    is_own = schedule is not None and (
        schedule.id == case.record.unpublish_schedule_id and schedule.due_at == former
    )
    if schedule is not None and not is_own:
        if wanted != former:
            changes.not_applied.append("its end changed there; its schedule here is an editor's")
            return replace(taken, expires_at=former)
        return taken
    if schedule is not None and schedule.due_at != wanted:
        schedules.cancel(session, case.actor, schedule.id, None, is_judged=False)
        changes.acts.append("end cancelled" if wanted is None else "end moved")
    elif schedule is not None or (
        # It has come, or an editor has cancelled it.
        case.said.expires_at == former and case.record.unpublish_schedule_id
    ):
        return taken
    case.record.unpublish_schedule_id = None
    if wanted is not None:
        plan = SchedulePlan("unpublish", wanted)
        case.record.unpublish_schedule_id = _plan(session, case, plan)
        if schedule is None:
            changes.acts.append("end scheduled")
    return taken


def _hands_off(session: Session, case: Case, schedule: Schedule | None, changes: Changes) -> bool:
    """Say whether what the item is in public is an editor's doing, and tell of it where need be."""
    reason: str | None = None
    if schedule is not None:
        reason = "has a schedule of an editor's"
    elif case.item.status == "published":
        if not _is_own_public(session, case):
            reason = "was published here by an editor"
    elif not _is_free(session, case):
        reason = "was withdrawn or cancelled here"
    if reason is None:
        return False
    shown = _shown(session, case)
    is_stale = shown is not None and shown[0] != case.version.id
    if case.has_news or (is_stale and not case.is_edited):
        changes.not_applied.append(f"what changed there is not public: it {reason}")
    return True


def _is_own(schedule: Schedule, case: Case) -> bool:
    """Say whether a schedule is the import's, as the import left it."""
    return (
        case.before is not None
        and schedule.id == case.record.publish_schedule_id
        and schedule.due_at == case.before.published_at
    )


def _is_own_public(session: Session, case: Case) -> bool:
    """Say whether the item is public by an import, or by a schedule that an import made."""
    item, record = case.item, case.record
    if item.status != "published" or item.publish_sequence != record.publish_sequence:
        return False
    if record.act == "scheduled":
        return _state_of(session, record.publish_schedule_id) == "fired"
    return record.act == "published"


def _is_free(session: Session, case: Case) -> bool:
    """Say whether no editor has had a hand in the public life of an item that is a draft."""
    record = case.record
    if standing_of(case.item) is Standing.RETRACTED:
        return False
    if record.act in ("published", "scheduled"):
        # What ended at its own moment was not taken back by anybody.
        return _state_of(session, record.unpublish_schedule_id) == "fired"
    return case.item.publish_sequence == record.publish_sequence


def _is_up_to_date(session: Session, case: Case) -> bool:
    """Say whether the public document is that of the newest import, with its moment and author."""
    moment = case.said.published_at
    is_dated = moment is None or moment == case.item.published_at
    return is_dated and _shown(session, case) == (case.version.id, case.item.author_id)


def _shown(session: Session, case: Case) -> tuple[int, int] | None:
    """Return the ids of the version and the author that the public sees, None for neither."""
    row = session.execute(
        select(Publication.version_id, Publication.author_id).where(
            Publication.content_id == case.item.id
        )
    ).one_or_none()
    return None if row is None else (row.version_id, row.author_id)


def _release(session: Session, case: Case) -> None:
    """Publish the version of the import at the source's moment, and tell nobody."""
    moment = case.said.published_at
    if moment is not None and case.item.published_at not in (None, moment):
        session.execute(
            update(Content).where(Content.id == case.item.id).values(published_at=moment)
        )
    publishing.publish(
        session, case.actor, case.item.id, None,
        number=case.version.number, published_at=moment, notify=False,
    )  # fmt: skip
    session.refresh(case.item)
    case.record.act, case.record.publish_schedule_id = "published", None
    case.record.publish_sequence = case.item.publish_sequence
    case.record.slug = case.item.slug  # It may have got a number.


def _withdraw(session: Session, case: Case) -> None:
    # Not as an editor does it: that would end an editor's schedules as well.
    publishing.withdraw(session, [case.item.id])
    activity.record(session, case.actor.user_id, "content.unpublish", "content", case.item.id)
    session.refresh(case.item)
    case.record.act, case.record.publish_schedule_id = "withdrawn", None
    case.record.publish_sequence = case.item.publish_sequence


def _cancel(session: Session, case: Case, schedule: Schedule) -> None:
    schedules.cancel(session, case.actor, schedule.id, None, is_judged=False)
    case.record.act, case.record.publish_schedule_id = "withdrawn", None
    case.record.publish_sequence = case.item.publish_sequence


def _make_schedule(session: Session, case: Case, moment: datetime) -> None:
    plan = SchedulePlan("publish", moment, version_number=case.version.number)
    schedule_id = _plan(session, case, plan)
    case.record.act, case.record.publish_schedule_id = "scheduled", schedule_id
    case.record.publish_sequence = case.item.publish_sequence + 1
    case.record.slug = case.item.slug  # It may have got a number.


def _plan(session: Session, case: Case, plan: SchedulePlan) -> int:
    # As the source says it, also the end of what nobody has made public here yet.
    return schedules.create(session, case.actor, case.item.id, None, plan, is_judged=False)


def _open(session: Session, case: Case, action: str) -> Schedule | None:
    """Return the import's open schedule of a kind, or else the first that there is."""
    record = case.record
    own = record.publish_schedule_id if action == "publish" else record.unpublish_schedule_id
    return session.scalar(
        select(Schedule)
        .where(Schedule.content_id == case.item.id, Schedule.action == action, IS_OPEN)
        .order_by(Schedule.id.is_distinct_from(own), Schedule.due_at, Schedule.id)
        .limit(1)
        .execution_options(populate_existing=True)
    )


def _state_of(session: Session, schedule_id: int | None) -> str | None:
    return session.scalar(select(Schedule.state).where(Schedule.id == schedule_id))
