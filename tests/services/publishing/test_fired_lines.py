"""The activity log says of schedules that fired together what it would say of each alone."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from structlog.contextvars import bound_contextvars

from tests.factories import make_actor, make_content
from tests.services.publishing.test_publishing import fire, schedule_due
from webapp.models import ActivityLog, Content
from webapp.services import activity

OWN_TO_A_LINE = {"id", "created_at", "salt"}


def test_lines_of_a_batch_say_what_single_ones_say(session: Session) -> None:
    actor = make_actor(session)
    shown = [make_content(session, actor) for _ in range(3)]
    fire(session, schedule_due(session, actor, shown[2]))
    in_trash = make_content(session, actor)
    planned = {content_id: schedule_due(session, actor, content_id) for content_id in shown[:2]}
    planned[shown[2]] = schedule_due(session, actor, shown[2], action="unpublish")
    trashed = schedule_due(session, actor, in_trash)
    session.get_one(Content, in_trash).status = "trashed"
    session.flush()
    before = session.scalars(select(ActivityLog.id).order_by(ActivityLog.id.desc())).first() or 0

    with bound_contextvars(request_id="request-1"):
        result = fire(session, *planned.values(), trashed)
        for content_id, schedule_id in planned.items():
            action = "content.unpublish" if content_id == shown[2] else "content.publish"
            activity.record(session, None, action, "content", content_id, schedule_id=schedule_id)

    assert sorted(result.fired) == sorted(planned.values())
    lines = session.scalars(
        select(ActivityLog)
        .where(ActivityLog.id > before, ActivityLog.subject_kind == "content")
        .order_by(ActivityLog.id)
    ).all()
    together, alone = lines[: len(planned)], lines[len(planned) :]
    assert sorted(map(_told, together), key=str) == sorted(map(_told, alone), key=str)
    assert len({line.salt for line in lines}) == len(lines) == 2 * len(planned)
    assert {line.request_id for line in lines} == {"request-1"}


def _told(line: ActivityLog) -> dict[str, Any]:
    names = [column.name for column in ActivityLog.__table__.columns]
    return {name: getattr(line, name) for name in names if name not in OWN_TO_A_LINE}
