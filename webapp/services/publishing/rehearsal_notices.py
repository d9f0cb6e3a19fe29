"""Who is told that a planned action is in danger, while there is time to mend it."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from webapp.models import Content, Review, ReviewDecision, Schedule
from webapp.models.arrays import is_one_of
from webapp.services import notices
from webapp.services.notices import Cause
from webapp.services.publishing.rehearsals import Rehearsed

MOST_WORDS = 10
"""So many errors a notice names; the schedule has them all."""


def tell_of_dangers(session: Session, rehearsed: Sequence[Rehearsed]) -> int:
    """Tell of errors that the rehearsal before did not find, and return how many are told.

    Who planned it is told, who approved its version, and the author of the item.
    """
    endangered = {done.action.id: done for done in rehearsed if done.new_errors}
    people = _people_of(session, list(endangered))
    causes = [
        Cause(
            people[schedule_id],
            "schedule.endangered",
            "schedule",
            schedule_id,
            content_id=done.action.content_id,
            details={
                "action": done.action.action,
                "due_at": done.action.due_at.isoformat(),
                "words": "\n".join(error.message for error in done.new_errors[:MOST_WORDS]),
            },
            dedupe=f"schedule.endangered:{schedule_id}:{done.action.revision}:"
            + ",".join(sorted({error.rule for error in done.new_errors})),
        )
        for schedule_id, done in endangered.items()
    ]
    return notices.tell_all(session, causes)


def _people_of(session: Session, schedule_ids: Sequence[int]) -> dict[int, set[int]]:
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
