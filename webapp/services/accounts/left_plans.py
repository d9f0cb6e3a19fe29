"""What an account has planned and may not plan any more: it stands, and others are told of it.

A schedule fires whatever has become of who made it. So that nobody is surprised by it, the author
of the item is told, or where that is the account itself, who may cancel it.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.kit.permissions import PERMISSIONS_OF_ROLE, Permission
from webapp.models import Content, Role, Schedule, User
from webapp.models.publishing.schedules import IS_OPEN
from webapp.services.accounts.holders import is_on
from webapp.services.notices import Cause, tell_all

MOST_TOLD = 100
"""So many schedules of one account are told of, the next ones first, and to so many editors."""


def tell_of_left_plans(session: Session, user_id: int) -> None:
    """Tell whom the open schedules of an account concern that it may make none any more."""
    rows = session.execute(
        select(
            Schedule.id, Schedule.content_id, Schedule.action, Schedule.due_at, Content.author_id
        )
        .join(Content, Content.id == Schedule.content_id)
        .where(Schedule.created_by_id == user_id, IS_OPEN)
        .order_by(Schedule.due_at, Schedule.id)
        .limit(MOST_TOLD)
    ).all()
    if not rows:
        return
    editors = _editors(session, user_id)
    causes = [
        Cause(
            editors if row.author_id == user_id else [row.author_id, *editors],
            "schedule.left", "schedule", row.id, content_id=row.content_id, by_id=user_id,
            details={"action": row.action, "due_at": row.due_at.isoformat()},
            mail_group=f"schedule.left:{user_id}",
        )
        for row in rows
    ]  # fmt: skip
    tell_all(session, causes)


def _editors(session: Session, user_id: int) -> list[int]:
    roles = [
        role.value for role, may in PERMISSIONS_OF_ROLE.items() if Permission.SCHEDULE_MANAGE in may
    ]
    found = select(User.id).join(Role, Role.id == User.role_id)
    found = found.where(Role.name.in_(roles), is_on(), User.id != user_id)
    return list(session.scalars(found.order_by(User.id).limit(MOST_TOLD)))
