"""The end of a bulk action: by itself, by whoever cancels it, or because its maker may no more."""

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.models import BulkAction
from webapp.models.arrays import is_one_of
from webapp.services import activity
from webapp.services.accounts.actors import Actor

_VERBS = {"done": "end", "cancelled": "cancel", "stopped": "stop"}


def end(
    session: Session,
    bulk: BulkAction,
    state: str,
    ending: str | None = None,
    *,
    by_id: int | None = None,
) -> None:
    """End a locked bulk action for good, by whoever cancels it, or by itself."""
    bulk.state, bulk.ending = state, ending
    bulk.ended_at = func.clock_timestamp()
    activity.record(
        session, by_id, f"bulk_action.{_VERBS[state]}", "bulk_action", bulk.id,
        done=bulk.done, skipped=bulk.skipped, failed=bulk.failed,
    )  # fmt: skip
    session.flush()


def lock_in_order(session: Session, bulk_action_ids: Collection[int]) -> None:
    """Lock bulk actions, so that none changes an item until the transaction ends."""
    wanted = select(BulkAction.id).where(is_one_of(BulkAction.id, bulk_action_ids))
    session.execute(wanted.order_by(BulkAction.id).with_for_update())


def end_unfinished(session: Session, actor: Actor, bulk_action_id: int) -> None:
    """Cancel a bulk action of an agent's session that is undone, if it is still at work."""
    bulk = session.get(BulkAction, bulk_action_id, with_for_update=True)
    if bulk is not None and bulk.state == "running":
        ending = "The session that began it was undone."
        end(session, bulk, "cancelled", ending, by_id=actor.user_id)
