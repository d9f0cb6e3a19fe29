"""The activity log: written with the action, in its transaction."""

from typing import Any

import structlog
from sqlalchemy import insert
from sqlalchemy.orm import Session
from structlog.contextvars import get_contextvars

from webapp.models import ActivityLog

log = structlog.get_logger()


def trace(session: Session, user_id: int | None, action: str, **details: Any) -> None:  # noqa: ANN401
    """Log what concerns the safety of an account, and add a line for it where there is one."""
    log.info(action, user_id=user_id, **details)
    if user_id is not None:
        record(session, user_id, action, "user", user_id, **details)


def record(
    session: Session,
    actor_id: int | None,
    action: str,
    subject_kind: str,
    subject_id: int | None,
    **details: Any,  # noqa: ANN401
) -> None:
    """Add one line: who did what (`noun.verb`) to what. Details hold ids and words, no secrets.

    The client's address comes from the log context, as the request's id does.
    """
    context = get_contextvars()
    if "address" in context:
        details["address"] = context["address"]
    session.execute(
        insert(ActivityLog).values(
            actor_id=actor_id,
            action=action,
            subject_kind=subject_kind,
            subject_id=subject_id,
            details=details,
            request_id=context.get("request_id"),
        )
    )
