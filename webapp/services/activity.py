"""The activity log: written with the action, in its transaction."""

from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session
from structlog.contextvars import get_contextvars

from webapp.models import ActivityLog


def record(
    session: Session,
    actor_id: int | None,
    action: str,
    subject_kind: str,
    subject_id: int | None,
    **details: Any,  # noqa: ANN401
) -> None:
    """Add one line: who did what (`noun.verb`) to what. Details hold ids and words, no secrets."""
    session.execute(
        insert(ActivityLog).values(
            actor_id=actor_id,
            action=action,
            subject_kind=subject_kind,
            subject_id=subject_id,
            details=details,
            request_id=get_contextvars().get("request_id"),
        )
    )
