"""Bulk actions: ask for one, see how far it is and what it left, cancel it, undo it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session

from webapp.jobs.messages import RunBulkAction
from webapp.jobs.outbox import enqueue
from webapp.kit.lifecycle import Standing
from webapp.kit.permissions import Permission
from webapp.models import BulkAction, BulkItem, Content, Job, User
from webapp.models.arrays import is_one_of
from webapp.services import activity, origins
from webapp.services.accounts.actors import Actor
from webapp.services.content import content
from webapp.services.content.item_filters import ItemFilter
from webapp.services.content.visibility import visible_content
from webapp.services.errors import ConflictError, InvalidInputError, NotFoundError, QuotaError
from webapp.services.operations import bulk_steps, heirs
from webapp.services.operations.bulk_changes import Action, Options, require_ever
from webapp.services.operations.bulk_endings import end
from webapp.services.operations.bulk_selection import (
    choose_by_filter,
    choose_by_ids,
    choose_to_undo,
)
from webapp.services.operations.bulk_steps import Settled

MOST_RUNNING = 5
"""How many bulk actions of one account may run at the same time."""
SAMPLE = 20
"""How many items a page of a trial tries, in the order of their ids."""


@dataclass(frozen=True)
class Wish:
    """What shall be done, and to what: the items of a list, or those that fit a filter."""

    action: Action
    options: Options
    content_ids: Collection[int] | None = None
    filter: ItemFilter | None = None


@dataclass(frozen=True)
class Trial:
    """What would come of a wish: of how many items, and of some of them each by itself.

    `after` is behind which item the next page begins, None after the last.
    """

    matched: int
    sample: dict[int, Settled] = field(default_factory=dict)
    after: int | None = None


@dataclass(frozen=True)
class ItemLine:
    """What became of one item, as whoever asks may know it."""

    content_id: int
    state: str
    reason: str | None
    detail: str | None
    revision_before: int | None
    revision_after: int | None


def ask(session: Session, actor: Actor, wish: Wish) -> int:
    """Choose the items, write the duty to change them, and return the id of the bulk action.

    Raises ForbiddenError where the actor may do this to no item, InvalidInputError for a category
    that there is not and for too many items, and QuotaError beyond `MOST_RUNNING`.
    """
    bulk = _begin(session, actor, wish)
    _hand_over(session, actor, bulk)
    return bulk.id


def attempt(session: Session, actor: Actor, wish: Wish, after: int = 0) -> Trial:
    """Do a wish to the first items behind one that it is about; whoever asks rolls all of it back.

    Raises what `ask` raises.
    """
    bulk = _begin(session, actor, wish)
    first = select(BulkItem.content_id).where(
        BulkItem.bulk_action_id == bulk.id, BulkItem.content_id > after
    )
    found = session.scalars(first.order_by(BulkItem.content_id).limit(SAMPLE + 1)).all()
    content_ids = found[:SAMPLE]
    outcomes = bulk_steps.do(session, actor, bulk, content_ids)
    behind = content_ids[-1] if len(found) > SAMPLE else None
    return Trial(bulk.matched, dict(sorted(outcomes.items())), behind)


def get(session: Session, actor: Actor, bulk_action_id: int) -> BulkAction:
    """Return one bulk action. Raises NotFoundError for one that the actor may not know of."""
    found = session.scalar(
        select(BulkAction).where(BulkAction.id == bulk_action_id, _is_known_to(actor))
    )
    if found is None:
        raise NotFoundError("There is no such bulk action.")
    return found


def list_actions(
    session: Session, actor: Actor, *, before: tuple[int] | None, limit: int
) -> list[BulkAction]:
    """Return the actor's own bulk actions, the newest first."""
    statement = select(BulkAction).where(BulkAction.made_by_id == actor.user_id)
    if before is not None:
        statement = statement.where(BulkAction.id < before[0])
    return list(session.scalars(statement.order_by(BulkAction.id.desc()).limit(limit)))


def find_stalled(session: Session, bulks: Sequence[BulkAction]) -> set[int]:
    """Return the ids of those that go on only once an operator has seen to their job."""
    running = [str(bulk.id) for bulk in bulks if bulk.state == "running"]
    if not running:
        return set()
    stalled = select(Job.dedupe_key).where(
        Job.kind == RunBulkAction.kind,
        Job.dedupe_key.in_(running),
        Job.state.in_(("failed", "discarded")),
    )
    return {int(key) for key in session.scalars(stalled)}


def list_items(
    session: Session, actor: Actor, bulk: BulkAction, *, state: str | None, after: int, limit: int
) -> list[ItemLine]:
    """Return what became of the items of a bulk action, in the order of their ids.

    What the actor may not see by now is told as one that is not there.
    """
    statement = (
        select(BulkItem)
        .where(BulkItem.bulk_action_id == bulk.id, BulkItem.content_id > after)
        .order_by(BulkItem.content_id)
        .limit(limit)
    )
    if state == "waiting":
        statement = statement.where(BulkItem.content_id > bulk.cursor)
    elif state is not None:
        statement = statement.where(text(_STATES[state]))
    items = session.scalars(statement).all()
    visible = visible_content(actor).with_only_columns(Content.id)
    ids = [item.content_id for item in items]
    seen = set(session.scalars(visible.where(is_one_of(Content.id, ids))))
    return [_line_of(item, is_seen=item.content_id in seen) for item in items]


def cancel(session: Session, actor: Actor, bulk_action_id: int) -> BulkAction:
    """End a bulk action: what is changed stays so, and what waits is not changed any more.

    It waits for the batch that is under way. Raises NotFoundError, ForbiddenError for who could not
    have begun it, as a key to propose a withdrawal, and ConflictError where it has ended by itself.
    """
    bulk = _lock(session, actor, bulk_action_id)
    require_ever(actor, Action(bulk.action), Options())
    if bulk.state == "running":
        by = "" if bulk.made_by_id == actor.user_id else " by somebody else"
        end(session, bulk, "cancelled", f"It was cancelled{by}.", by_id=actor.user_id)
    elif bulk.state != "cancelled":
        raise ConflictError(f"The bulk action has ended already: it is {bulk.state}.")
    return bulk


def undo(session: Session, actor: Actor, bulk_action_id: int) -> BulkAction:
    """Write the duty to put back what a bulk action changed; returns the bulk action that does it.

    Asked for again, it is the same one, unless that was cancelled, or has ended and failed at some
    items: then another one goes on with what is left. Raises
    NotFoundError, ForbiddenError, ConflictError while it runs or where it is an undo, QuotaError.
    """
    require_ever(actor, Action.UNDO, Options())
    undone = _lock(session, actor, bulk_action_id)
    if undone.action == Action.UNDO:
        raise ConflictError("This is an undo itself; do again what shall be done.")
    if undone.state == "running":
        raise ConflictError("The bulk action is still at work; cancel it first.")
    live = select(BulkAction).where(
        BulkAction.undoes_id == undone.id, text("state IN ('running', 'done')")
    )
    found = session.scalar(live)
    if found is not None and (found.state == "running" or not found.failed):
        return found
    if found is not None:
        # One of them at most counts, which the database sees to.
        found.state, found.ending = "stopped", _TRIED_AGAIN
        session.flush()
    bulk = _insert(session, actor, Action.UNDO, {}, undoes_id=undone.id)
    bulk.matched = choose_to_undo(session, bulk.id, undone.id)
    _hand_over(session, actor, bulk)
    return bulk


_STATES = {state: f"bulk_items.state = '{state}'" for state in ("done", "skipped", "failed")}
_TAKEN_BACK_FROM = {Action.UNTRASH: Standing.TRASHED, Action.UNARCHIVE: Standing.ARCHIVED}
_NO_SUCH = "There is no such item."
_TRIED_AGAIN = "It was done; what it could not put back is tried by another one."


def _begin(session: Session, actor: Actor, wish: Wish) -> BulkAction:
    require_ever(actor, wish.action, wish.options)
    if wish.action is Action.MOVE:
        content.check_category(session, wish.options.category_id)
    author_id = wish.options.author_id
    if author_id is not None and not heirs.is_writer(session, author_id):
        raise InvalidInputError("author_id", "there is no such account that writes items")
    bulk = _insert(session, actor, wish.action, _kept(wish))
    if wish.filter is not None:
        standing = wish.filter.status or _TAKEN_BACK_FROM.get(wish.action)
        wanted = replace(wish.filter, status=standing)
        # What was retracted is brought back by nobody who does not say so.
        bulk.matched = choose_by_filter(
            session, actor, bulk.id, wanted, but_retracted=wish.action is Action.PUBLISH
        )
    else:
        bulk.matched = choose_by_ids(session, bulk.id, wish.content_ids or ())
    session.flush()
    return bulk


def _insert(
    session: Session,
    actor: Actor,
    action: Action,
    options: dict[str, Any],
    undoes_id: int | None = None,
) -> BulkAction:
    """Add the row, while the account is locked: so that its bulk actions are counted in turn."""
    session.execute(select(User.id).where(User.id == actor.user_id).with_for_update(key_share=True))
    running = select(func.count()).where(
        BulkAction.made_by_id == actor.user_id, text("bulk_actions.state = 'running'")
    )
    if (session.scalar(running) or 0) >= MOST_RUNNING:
        raise QuotaError(f"You have {MOST_RUNNING} bulk actions at work; wait until one has ended.")
    bulk = BulkAction(
        action=action.value,
        options=options,
        made_by_id=actor.user_id,
        api_key_id=actor.api_key_id,
        agent_session=origins.current().agent_session,
        undoes_id=undoes_id,
        matched=0,
    )
    session.add(bulk)
    session.flush()
    return bulk


def _hand_over(session: Session, actor: Actor, bulk: BulkAction) -> None:
    session.flush()
    activity.record(
        session, actor.user_id, "bulk_action.start", "bulk_action", bulk.id,
        asked=bulk.action, matched=bulk.matched, undoes_id=bulk.undoes_id,
    )  # fmt: skip
    enqueue(session, RunBulkAction(bulk_action_id=bulk.id))


def _kept(wish: Wish) -> dict[str, Any]:
    """Return the options and the filter as the row keeps them."""
    options: dict[str, Any] = {"notify": wish.options.notify}
    if wish.action in {Action.TAG, Action.UNTAG}:
        options["tags"] = list(wish.options.tags)
    if wish.action is Action.MOVE:
        options["category_id"] = wish.options.category_id
    if wish.action is Action.CHANGE_AUTHOR:
        options["author_id"] = wish.options.author_id
    if wish.filter is not None:
        given = {name: value for name, value in vars(wish.filter).items() if value is not None}
        options["filter"] = {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in given.items()
        }
    return options


def _is_known_to(actor: Actor) -> ColumnElement[bool]:
    """Return the condition that a bulk action is the actor's own, or the actor may read the log."""
    if actor.may(Permission.ACTIVITY_READ):
        return BulkAction.id.is_not(None)
    return BulkAction.made_by_id == actor.user_id


def _lock(session: Session, actor: Actor, bulk_action_id: int) -> BulkAction:
    found = session.scalar(
        select(BulkAction)
        .where(BulkAction.id == bulk_action_id, _is_known_to(actor))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFoundError("There is no such bulk action.")
    return found


def _line_of(item: BulkItem, *, is_seen: bool) -> ItemLine:
    if not is_seen:
        return ItemLine(item.content_id, item.state, "not_found", _NO_SUCH, None, None)
    return ItemLine(
        item.content_id, item.state, item.reason, item.detail,
        item.revision_before, item.revision_after,
    )  # fmt: skip
