"""Who is told at once what has become of a schedule, rather than find it at its moment or later."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from webapp.kit.permissions import PERMISSIONS_OF_ROLE, Permission
from webapp.models import Content, Review, ReviewDecision, Role, Schedule, User
from webapp.models.arrays import is_one_of
from webapp.services.accounts.holders import is_on
from webapp.services.notices import Cause, tell_all

MOST_OPERATORS = 100
"""So many of those who look after the installation are told."""


class Ended(NamedTuple):
    """A schedule that a decision of somebody has ended."""

    id: int
    content_id: int
    action: str
    due_at: datetime
    created_by_id: int | None


def tell_of_ends(session: Session, ended: Sequence[Ended], reason: str, by_id: int | None) -> None:
    """Tell who made schedules that somebody else has ended them, and by what."""
    causes = [
        Cause(
            [one.created_by_id], "schedule.ended", "schedule", one.id, content_id=one.content_id,
            by_id=by_id, details=_details(one.action, one.due_at, reason),
            mail_group="schedule.ended",
        )
        for one in ended
        if one.created_by_id is not None
    ]  # fmt: skip
    tell_all(session, causes)


def tell_of_failures(session: Session, reasons: Mapping[int, str]) -> None:
    """Tell of schedules that failed: who is concerned by them, and who looks after the place."""
    people = people_of(session, list(reasons))
    operators = _operators(session)
    rows = session.execute(
        select(
            Schedule.id, Schedule.content_id, Schedule.action, Schedule.due_at, Schedule.revision
        ).where(is_one_of(Schedule.id, list(reasons)))
    )
    causes = [
        Cause(
            people[row.id] | operators, "schedule.failed", "schedule", row.id,
            content_id=row.content_id, details=_details(row.action, row.due_at, reasons[row.id]),
            dedupe=f"schedule.failed:{row.id}:{row.revision}", mail_group="schedule.failed",
        )
        for row in rows
    ]  # fmt: skip
    tell_all(session, causes)


def people_of(session: Session, schedule_ids: Sequence[int]) -> dict[int, set[int]]:
    """Return whom schedules concern: who made them, who approved, and the items' authors."""
    people: dict[int, set[int]] = defaultdict(set)
    if not schedule_ids:
        return people
    is_approved = and_(Review.version_id == Schedule.version_id, Review.state == "approved")
    rows = session.execute(
        select(Schedule.id, Schedule.created_by_id, Content.author_id, ReviewDecision.decided_by_id)
        .join(Content, Content.id == Schedule.content_id)
        .outerjoin(Review, is_approved)
        .outerjoin(ReviewDecision, ReviewDecision.review_id == Review.id)
        .where(is_one_of(Schedule.id, schedule_ids))
    )
    for schedule_id, *found in rows:
        people[schedule_id].update(user_id for user_id in found if user_id is not None)
    return people


def _operators(session: Session) -> set[int]:
    """Return the accounts that may read the activity of all: those who look after the place."""
    roles: Collection[str] = [
        role.value for role, may in PERMISSIONS_OF_ROLE.items() if Permission.ACTIVITY_READ in may
    ]
    found = select(User.id).join(Role, Role.id == User.role_id).where(Role.name.in_(roles), is_on())
    return set(session.scalars(found.order_by(User.id).limit(MOST_OPERATORS)))


def _details(action: str, due_at: datetime, words: str) -> dict[str, str]:
    return {"action": action, "due_at": due_at.isoformat(), "words": words}
