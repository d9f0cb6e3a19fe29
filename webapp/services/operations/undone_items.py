"""Put an item back to what it was before an agent's session: its text, its publicity, its plans."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.kit.lifecycle import Move, Standing
from webapp.kit.timelines import ActionKind
from webapp.kit.wall_times import Fold, WallTime, shown_by_now
from webapp.models import Content, ContentVersion, Schedule
from webapp.models.publishing.schedules import OPEN_STATES
from webapp.services.accounts.actors import Actor
from webapp.services.content import comments, content, labels, previews
from webapp.services.content.lifecycle import standing_of
from webapp.services.operations import heirs
from webapp.services.operations.agent_sessions import Line
from webapp.services.operations.undo_reasons import IrreversibleError
from webapp.services.publishing import authorship, corrections, retractions, reviews, schedules
from webapp.services.publishing.reversal import Shown, show_again, withdraw_again
from webapp.services.publishing.schedules import SchedulePlan
from webapp.services.publishing.shown import shown_version

_MOVES = frozenset({f"content.{move}" for move in Move})
_PUT_ASIDE = frozenset({Standing.ARCHIVED, Standing.TRASHED})
_OF_TEXT = frozenset({"content.create", "content.save", "content.restore", "content.autosave"})
_OF_SCHEDULES = frozenset(
    {"schedule.create", "schedule.edit", "schedule.cancel", "schedule.supersede"}
)
_OF_LABELS = frozenset({"label.create", "label.delete"})
# What is ended by its number, and where the numbers are kept.
_MADE = {
    "preview.create": ("preview_id", "previews"),
    "review.submit": ("review_id", "reviews"),
    "comment.create": ("comment_id", "comments"),
}
_OF_WORDS = frozenset({"comment.edit", "comment.delete"})
_OF_THREADS = {"comment.resolve": False, "comment.reopen": True}
# What follows from another line: a text that is edited is in review no more.
_FOLLOWS = frozenset({"content.undo", "review.void"})
_OLDER_LINE = "A line of an older release, or one that was erased, does not tell what was before."


@dataclass
class ItemBefore:
    """An item before the session; None is what the session has not changed.

    `schedules` holds, by their ids, the former values of those that there were, and None for those
    that the session made. `previews` are the ids of the links to it that the session made, and
    `reviews` those of the reviews that it asked for, and `corrections` and `retractions` those of
    what it told the public.
    `comments` are the ids of what it said, and `threads` tells whether those that it settled, or
    opened again, were settled before.
    `labels` holds, by their names, the versions that had them; None where none had. `author_id` is
    whose it was.
    """

    is_new: bool = False
    version: int | None = None
    standing: Standing | None = None
    shown: Shown | None = None
    schedules: dict[int, dict[str, Any] | None] = field(default_factory=dict)
    previews: list[int] = field(default_factory=list)
    labels: dict[str, int | None] = field(default_factory=dict)
    reviews: list[int] = field(default_factory=list)
    author_id: int | None = None
    corrections: list[int] = field(default_factory=list)
    retractions: list[int] = field(default_factory=list)
    comments: list[int] = field(default_factory=list)
    threads: dict[int, bool] = field(default_factory=dict)


def read_before(lines: Sequence[Line]) -> ItemBefore:
    """Return what the lines of a session, in their order, tell of an item before it.

    Raises IrreversibleError where they do not tell enough.
    """
    before = ItemBefore()
    for line in lines:
        if line.action == "content.create" and "version" not in line.details:
            before.is_new = True
        elif line.action in _OF_TEXT:
            if before.version is None:
                before.version = _told(line, "version") - 1
        elif line.action in _OF_SCHEDULES:
            _read_schedule(before, line)
        elif line.action in _MOVES:
            _read_move(before, line)
        else:
            _read_other(before, line)
    return before


def _read_other(before: ItemBefore, line: Line) -> None:
    if line.action in _OF_LABELS:
        was_on = _told(line, "version") if line.action == "label.delete" else None
        before.labels.setdefault(_told(line, "name"), was_on)
    elif line.action == "content.change_author":
        before.author_id = before.author_id or line.changes["author_id"]["old"]
    elif line.action in _MADE:
        name, kept = _MADE[line.action]
        getattr(before, kept).append(_told(line, name))
    elif line.action in _OF_THREADS:
        before.threads.setdefault(_told(line, "thread_id"), _OF_THREADS[line.action])
    elif line.action in _OF_WORDS and _told(line, "comment_id") in before.comments:
        return  # What the session said itself goes as a whole.
    elif line.action not in _FOLLOWS:
        raise IrreversibleError(f"{line.action} cannot be undone.")


def put_back(session: Session, actor: Actor, content_id: int, before: ItemBefore) -> None:
    """Bring a locked item back. Each step asks whether the actor may take it.

    Raises what the steps raise, and IrreversibleError.
    """
    item = content.lock_for_change(session, actor, content_id, None)
    now = standing_of(item)
    wanted = Standing.TRASHED if before.is_new else before.standing or now
    is_edited = not before.is_new and before.version not in {None, item.version}
    if now in _PUT_ASIDE and (is_edited or wanted is not now):
        back = content.unarchive if now is Standing.ARCHIVED else content.untrash
        back(session, actor, content_id, None)
    if is_edited and before.version is not None:
        content.restore(session, actor, content_id, None, before.version)
    if before.author_id is not None:
        _give_back(session, actor, item, before.author_id)
    corrections.take_back(session, content_id, before.corrections)
    retractions.take_back(session, actor, item, before.retractions)
    if wanted is Standing.PUBLISHED and before.standing is not None:
        # Notes are gone only with another ETag, and so with another publication.
        _show(session, actor, item, before.shown, is_stale=bool(before.corrections))
    elif wanted is not Standing.PUBLISHED and item.status == "published":
        withdraw_again(session, actor, item)
    if wanted is Standing.RETRACTED and standing_of(item) is not wanted:
        retractions.retract_again(session, actor, item)
    _put_schedules_back(session, actor, before)
    for name, number in before.labels.items():
        labels.put_back(session, actor, content_id, name, number)
    previews.revoke_some(session, actor, content_id, before.previews)
    reviews.withdraw_open(session, actor, content_id, before.reviews)
    comments.settle_again(session, actor, content_id, before.threads)
    comments.take_back(session, actor, content_id, before.comments)
    if wanted in _PUT_ASIDE and wanted is not standing_of(item):
        aside = content.archive if wanted is Standing.ARCHIVED else content.trash
        aside(session, actor, content_id, None)


def _give_back(session: Session, actor: Actor, item: Content, author_id: int) -> None:
    if not heirs.keeps_writing(session, author_id):
        raise IrreversibleError("The account of its former author writes no items any more.")
    authorship.give(session, actor, item, author_id)


def _read_move(before: ItemBefore, line: Line) -> None:
    if line.action == "content.correct":
        before.corrections.append(_told(line, "correction_id"))
    if line.action == "content.retract":
        before.retractions.append(_told(line, "retraction_id"))
    if before.standing is not None:
        return
    # One that was public, and was published again, stands where it stood.
    standing = line.changes.get("status", {"old": Standing.PUBLISHED})["old"]
    before.standing = Standing(standing)
    if before.standing is Standing.PUBLISHED:
        shown = _told(line, "shown")
        before.shown = Shown(shown["version"], datetime.fromisoformat(shown["published_at"]))


def _read_schedule(before: ItemBefore, line: Line) -> None:
    schedule_id = _told(line, "schedule_id")
    if line.action == "schedule.create":
        before.schedules.setdefault(schedule_id, None)
        return
    former = before.schedules.setdefault(schedule_id, {})
    if former is not None:
        for name, values in line.changes.items():
            former.setdefault(name, values["old"])


def _told(line: Line, name: str) -> Any:  # noqa: ANN401
    if line.details.get(name) is None:
        raise IrreversibleError(_OLDER_LINE)
    return line.details[name]


def _show(
    session: Session, actor: Actor, item: Content, former: Shown | None, *, is_stale: bool
) -> None:
    if former is None:
        raise IrreversibleError(_OLDER_LINE)
    now = shown_version(session, item)
    is_shown = now is not None and now["version"] == former.number
    if is_stale or not is_shown or item.published_at != former.published_at:
        show_again(session, actor, item, former)


def _put_schedules_back(session: Session, actor: Actor, before: ItemBefore) -> None:
    """Cancel what the session planned, and plan again what it had changed or ended."""
    made = [schedule_id for schedule_id, former in before.schedules.items() if former is None]
    for schedule in _find(session, made):
        if schedule.state in OPEN_STATES:
            schedules.cancel(session, actor, schedule.id, None, is_judged=False)
    former = {key: values for key, values in before.schedules.items() if values is not None}
    for schedule in _find(session, list(former)):
        _put_schedule_back(session, actor, schedule, former[schedule.id])


def _put_schedule_back(
    session: Session, actor: Actor, schedule: Schedule, former: dict[str, Any]
) -> None:
    """Change an open schedule back, or make anew one that was cancelled."""
    is_open = schedule.state in OPEN_STATES
    if is_open and not former:
        return
    due_at = schedule.due_at
    if "due_at" in former:
        due_at = datetime.fromisoformat(former["due_at"])
    wall = _wall_of(schedule, due_at)
    if_missed = former.get("if_missed", schedule.if_missed)
    limit = former.get("late_limit_seconds", schedule.late_limit_seconds)
    version_id = former.get("version_id", schedule.version_id)
    number = session.scalar(select(ContentVersion.number).where(ContentVersion.id == version_id))
    now = session.scalar(select(func.clock_timestamp()))
    if now is None or due_at <= now or not (is_open or schedule.state == "cancelled"):
        raise IrreversibleError(f"The moment of schedule {schedule.id} has passed.")
    if is_open:
        changes: dict[str, Any] = {
            "due_at": due_at, "wall": wall, "if_missed": if_missed, "late_limit_seconds": limit,
        }  # fmt: skip
        if version_id != schedule.version_id:
            changes["version_number"] = number
        schedules.change(session, actor, schedule.id, None, changes, is_judged=False)
        return
    action = cast(ActionKind, schedule.action)
    plan = SchedulePlan(action, due_at, number, if_missed, limit, wall)
    # It is put back as it was, whatever comes before it by now.
    schedules.create(session, actor, schedule.content_id, None, plan, is_judged=False)


def _wall_of(schedule: Schedule, due_at: datetime) -> WallTime | None:
    """Return the wall time that a schedule was planned by, if it was, for when it is put back."""
    if schedule.zone is None or schedule.local_time is None:
        return None
    if due_at != schedule.due_at:
        return shown_by_now(due_at, schedule.zone)
    fold = cast(Fold | None, schedule.fold)
    return WallTime(schedule.local_time, schedule.zone, fold, schedule.zone_rules)


def _find(session: Session, schedule_ids: Sequence[int]) -> Sequence[Schedule]:
    """Return schedules, locked, in the order of their ids; the dispatcher locks no item."""
    statement = select(Schedule).where(Schedule.id.in_(schedule_ids)).order_by(Schedule.id)
    statement = statement.with_for_update().execution_options(populate_existing=True)
    return session.scalars(statement).all() if schedule_ids else ()
