"""Who is told that a planned action is in danger, while there is time to mend it."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from webapp.services import notices
from webapp.services.notices import Cause
from webapp.services.publishing.rehearsals import Rehearsed
from webapp.services.publishing.schedule_notices import people_of

MOST_WORDS = 10
"""So many errors a notice names; the schedule has them all."""


def tell_of_dangers(session: Session, rehearsed: Sequence[Rehearsed]) -> int:
    """Tell of errors that the rehearsal before did not find, and return how many are told.

    Who planned it is told, who approved its version, and the author of the item.
    """
    endangered = {done.action.id: done for done in rehearsed if done.new_errors}
    people = people_of(session, list(endangered))
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
