"""Lines of the activity log that are written together say what single ones would."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from structlog.contextvars import bound_contextvars

from webapp.models import ActivityLog
from webapp.services import activity, origins
from webapp.services.origins import Origin

SUBJECTS: list[tuple[int, dict[str, Any]]] = [
    (7, {"schedule_id": 2**40}),
    (3, {"said": 'a "quoted" ü\\'}),
    (7, {}),
]
OWN_TO_A_LINE = {"id", "created_at", "salt"}


@pytest.fixture(params=[Origin(), Origin("192.0.2.7", "curl/8", 5, 6, "agent", "boss@host")])
def origin(request: pytest.FixtureRequest) -> Iterator[Origin]:
    """Let lines come from nowhere, and from everywhere."""
    origins.enter(request.param)
    yield request.param
    origins.leave()


@pytest.mark.parametrize("actor_id", [None, 11])
def test_lines_together_say_what_single_ones_say(
    session: Session, origin: Origin, actor_id: int | None
) -> None:
    with bound_contextvars(request_id="request-1"):
        for subject_id, details in SUBJECTS:
            activity.record(session, actor_id, "content.publish", "content", subject_id, **details)
        activity.record_many(session, actor_id, "content.publish", "content", SUBJECTS)
    lines = session.scalars(select(ActivityLog).order_by(ActivityLog.id)).all()
    names = [column.name for column in ActivityLog.__table__.columns]
    told = [
        {name: getattr(line, name) for name in names if name not in OWN_TO_A_LINE} for line in lines
    ]
    assert len(told) == 2 * len(SUBJECTS)
    assert told[: len(SUBJECTS)] == told[len(SUBJECTS) :]
    assert len({line.salt for line in lines}) == len(lines)
    assert [line.subject_id for line in lines] == 2 * [subject_id for subject_id, _ in SUBJECTS]
    assert {line.details.get("operator") for line in lines} == {origin.operator}


def test_no_subjects_are_no_lines(session: Session) -> None:
    activity.record_many(session, None, "content.publish", "content", [])
    assert session.scalars(select(ActivityLog)).all() == []
