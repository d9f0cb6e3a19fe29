"""A stretch of a bulk action: some items, each judged by what its maker may do by now.

Every item is settled in the transaction that changes it, so that a worker that dies has either
done both or nothing, and the next one goes on behind the last that is settled.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DataError, IntegrityError, InternalError
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from webapp.models import BulkAction, BulkItem, Content, ContentVersion
from webapp.models.arrays import IdArray, is_one_of
from webapp.services import activity, origins
from webapp.services.accounts.actors import Actor
from webapp.services.accounts.left_work import find_maker
from webapp.services.content.renderings import ensure_renderings
from webapp.services.content.visibility import visible_content
from webapp.services.errors import (
    ForbiddenError,
    ServiceError,
    UnavailableError,
)
from webapp.services.operations import agent_sessions, bulk_moves, undo
from webapp.services.operations.bulk_changes import (
    Action,
    Options,
    change,
    require_ever,
    stands_there,
)
from webapp.services.operations.bulk_endings import end
from webapp.services.operations.undo_reasons import Reason
from webapp.services.publishing import publishing
from webapp.services.publishing.publishing import Prepared
from webapp.services.publishing.shown import shown_version

ITEMS_A_BATCH = 50
"""How many items one transaction changes at most: so many rows are locked for so long."""

UNCHANGED = "unchanged"
GONE = "The account or the API key that began it does not work any more."
_NO_SUCH = "There is no such item."
_GOT_IN_THE_WAY = "Another change got in the way."

Dress = Callable[[Actor], Actor]
"""Adds to a maker what the settings say of it; raises ForbiddenError where they keep it out."""


@dataclass(frozen=True)
class Settled:
    """What became of one item, and why nothing did."""

    state: str
    reason: str | None = None
    detail: str | None = None
    before: int | None = None
    after: int | None = None


Outcomes = dict[int, Settled]


def run_batch(session: Session, bulk_action_id: int, dress: Dress) -> bool:
    """Do the next items of a bulk action, and say whether that was all.

    Ends it where whoever made it may do no such thing any more. Raises UnavailableError and errors
    of the database that pass, with nothing done, and RenderingNeededError as `ensure_renderings`.
    """
    bulk = session.scalar(
        select(BulkAction).where(BulkAction.id == bulk_action_id).with_for_update()
    )
    if bulk is None or bulk.state != "running":
        return True
    try:
        actor = _maker_of(session, bulk, dress)
    except ForbiddenError as error:
        end(session, bulk, "stopped", str(error))
        return True
    waiting = (
        select(BulkItem.content_id)
        .where(BulkItem.bulk_action_id == bulk.id, BulkItem.content_id > bulk.cursor)
        .order_by(BulkItem.content_id)
        .limit(ITEMS_A_BATCH)
    )
    content_ids = session.scalars(waiting).all()
    if content_ids:
        _settle(session, bulk, do(session, actor, bulk, content_ids))
        bulk.cursor = content_ids[-1]
    if len(content_ids) < ITEMS_A_BATCH:
        end(session, bulk, "done")
        return True
    return False


def do(session: Session, actor: Actor, bulk: BulkAction, content_ids: Collection[int]) -> Outcomes:
    """Do what a bulk action does to some of its items, and return what became of each."""
    action, options = Action(bulk.action), Options.of(bulk.options)
    if action is Action.PUBLISH:
        _render(session, actor, content_ids)
    items = _lock(session, actor, content_ids)
    outcomes: Outcomes = dict.fromkeys(
        set(content_ids) - items.keys(), Settled("skipped", Reason.NOT_FOUND, _NO_SUCH)
    )
    before = {item.id: item.revision for item in items.values()}
    with _as_cause(bulk):
        if action is Action.UNDO:
            outcomes |= _put_back(session, actor, bulk, items)
        elif action is Action.PUBLISH:
            outcomes |= _publish(session, actor, list(items.values()), notify=options.notify)
        else:
            outcomes |= _move_together(session, actor, list(items.values()), action)
            for content_id, item in items.items():
                if content_id not in outcomes:
                    outcomes[content_id] = _change(session, actor, item, action, options)
    revisions = select(Content.id, Content.revision).where(is_one_of(Content.id, list(items)))
    for content_id, revision in session.execute(revisions):
        outcomes[content_id] = _compared(outcomes[content_id], before[content_id], revision)
    return outcomes


@contextmanager
def _as_cause(bulk: BulkAction) -> Iterator[None]:
    """Let all lines of the activity log tell that they come from a bulk action, and its key."""
    came_from = origins.current()
    origins.enter(
        replace(
            came_from,
            api_key_id=bulk.api_key_id,
            agent_session=bulk.agent_session,
            bulk_action_id=bulk.id,
        )
    )
    try:
        yield
    finally:
        origins.enter(came_from)


def _maker_of(session: Session, bulk: BulkAction, dress: Dress) -> Actor:
    actor = None
    if bulk.made_by_id is not None:
        actor = find_maker(session, bulk.made_by_id, bulk.api_key_id)
    if actor is None:
        raise ForbiddenError(GONE)
    require_ever(actor, Action(bulk.action), Options.of(bulk.options))
    return dress(actor)


def _lock(session: Session, actor: Actor, content_ids: Collection[int]) -> dict[int, Content]:
    """Return those of some items that the actor may see, locked in the order of their ids."""
    found = session.scalars(
        visible_content(actor)
        .where(is_one_of(Content.id, content_ids))
        .order_by(Content.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {item.id: item for item in found}


def _render(session: Session, actor: Actor, content_ids: Collection[int]) -> None:
    """See to the renderings of the newest versions of a batch, before anything is locked.

    What one text is refused for is told when its item is at turn.
    """
    newest = (
        visible_content(actor)
        .join(
            ContentVersion,
            (ContentVersion.content_id == Content.id) & (ContentVersion.number == Content.version),
        )
        .where(is_one_of(Content.id, content_ids), Content.status != "trashed")
        .with_only_columns(ContentVersion.id)
    )
    try:
        ensure_renderings(session, session.scalars(newest).all())
    except UnavailableError:
        raise
    except ServiceError:
        return


def _change(
    session: Session, actor: Actor, item: Content, action: Action, options: Options
) -> Settled:
    if stands_there(item, action):
        return Settled("skipped", UNCHANGED)
    with _judging() as judged, session.begin_nested():
        change(session, actor, item, action, options)
    return judged.settled or Settled("done")


def _move_together(
    session: Session, actor: Actor, items: Sequence[Content], action: Action
) -> Outcomes:
    """Move those locked items together against which nothing stands; the others are left out.

    Where something stands against them together, such as a quota, all are.
    """
    ready = bulk_moves.find_ready(session, actor, items, action)
    content_ids = [item.id for item in ready]
    if not content_ids:
        return {}
    with _judging() as judged, session.begin_nested():
        bulk_moves.move_together(session, actor, ready, action)
    return {} if judged.settled else dict.fromkeys(content_ids, Settled("done"))


def _publish(session: Session, actor: Actor, items: Sequence[Content], *, notify: bool) -> Outcomes:
    """Publish the newest versions of locked items: those that may be, by one statement."""
    outcomes: Outcomes = {}
    prepared: list[Prepared] = []
    for item in items:
        shown = shown_version(session, item)
        if shown is not None and shown["version"] == item.version:
            outcomes[item.id] = Settled("skipped", UNCHANGED)
            continue
        content_id = item.id
        with _judging() as judged, session.begin_nested():
            prepared.append(publishing.prepare(session, actor, item, notify=notify))
        if judged.settled is not None:
            outcomes[content_id] = judged.settled
    return outcomes | _release(session, actor, prepared, notify=notify)


def _release(
    session: Session, actor: Actor, prepared: Sequence[Prepared], *, notify: bool
) -> Outcomes:
    """Release versions together, or one by one where something stands against one of them."""
    if not prepared:
        return {}
    content_ids = [ready.item.id for ready in prepared]
    with _judging() as judged, session.begin_nested():
        publishing.release_prepared(session, actor, prepared, notify=notify)
    if judged.settled is None:
        return dict.fromkeys(content_ids, Settled("done"))
    if len(prepared) == 1:
        return {content_ids[0]: judged.settled}
    outcomes: Outcomes = {}
    for ready in prepared:
        outcomes |= _release(session, actor, [ready], notify=notify)
    return outcomes


def _put_back(
    session: Session, actor: Actor, bulk: BulkAction, items: Mapping[int, Content]
) -> Outcomes:
    """Put locked items back to what they were before another bulk action."""
    undone = session.get_one(BulkAction, bulk.undoes_id)
    histories = agent_sessions.read_bulk_histories(
        session, undone.id, list(items), undone.created_at
    )
    report = undo.Report()
    outcomes: Outcomes = {}
    for history in histories:
        with _judging() as judged, session.begin_nested():
            undo.judge(session, actor, history, report, items.keys())
        if judged.settled is not None:
            outcomes[history.id] = judged.settled
    lines = [
        (
            one.id,
            {
                "undone_bulk_action_id": undone.id,
                "part": one.part,
                "from_line_id": one.own[0].id,
                "to_line_id": one.last_id,
            },
        )
        for one in report.undone
    ]
    activity.record_many(session, actor.user_id, "content.undo", "content", lines)
    known = {history.id for history in histories}
    outcomes |= {
        content_id: Settled("failed", Reason.IRREVERSIBLE, "What was before is known no more.")
        for content_id in items.keys() - known
    }
    outcomes |= {history.id: Settled("done") for history in report.undone}
    for left in [*report.left, *undo.find_told(session, report.undone)]:
        state = {Reason.TOLD: "done", Reason.ALREADY_UNDONE: "skipped"}.get(left.reason, "failed")
        outcomes[left.id] = Settled(state, left.reason, left.detail)
    return outcomes


class _Judgement:
    """What stood against a change, if anything did."""

    settled: Settled | None = None


@contextmanager
def _judging() -> Iterator[_Judgement]:
    """Take what stands against the change of one item; let through what is the moment's trouble."""
    judgement = _Judgement()
    try:
        yield judgement
    except UnavailableError:
        raise
    except ServiceError as error:
        # What is refused for a reason of its own keeps no other item waiting.
        reason = undo.reason_of(error) or Reason.CONFLICT
        state = "skipped" if reason is Reason.NOT_FOUND else "failed"
        judgement.settled = Settled(state, reason, str(error))
    except (IntegrityError, DataError, InternalError):
        judgement.settled = Settled("failed", Reason.CONFLICT, _GOT_IN_THE_WAY)


def _compared(settled: Settled, before: int, after: int) -> Settled:
    """Add the revisions; what is as it was, although it was done, is told as that."""
    if settled.state != "done":
        return settled
    if before == after and settled.reason is None:
        return Settled("skipped", UNCHANGED)
    return replace(settled, before=before, after=after)


_SETTLE = text(
    """
    UPDATE bulk_items SET state = settled.state, reason = settled.reason, detail = settled.detail,
        revision_before = nullif(settled.before, 0),
        revision_after = nullif(settled.after, 0)
    FROM unnest(:ids, :states, :reasons, :details, :befores, :afters)
        AS settled (id, state, reason, detail, before, after)
    WHERE bulk_action_id = :bulk_action_id AND content_id = settled.id
    """
).bindparams(
    bindparam("ids", type_=IdArray()),
    bindparam("states", type_=ARRAY(Text)),
    bindparam("reasons", type_=ARRAY(Text)),
    bindparam("details", type_=ARRAY(Text)),
    bindparam("befores", type_=IdArray()),
    bindparam("afters", type_=IdArray()),
)


def _settle(session: Session, bulk: BulkAction, outcomes: Outcomes) -> None:
    all_of: list[tuple[int, Settled]] = sorted(outcomes.items())
    parameters: dict[str, Any] = {
        "bulk_action_id": bulk.id,
        "ids": [content_id for content_id, _ in all_of],
        "states": [settled.state for _, settled in all_of],
        "reasons": [settled.reason for _, settled in all_of],
        "details": [settled.detail for _, settled in all_of],
        "befores": [settled.before or 0 for _, settled in all_of],
        "afters": [settled.after or 0 for _, settled in all_of],
    }
    session.execute(_SETTLE, parameters)
    states = [settled.state for _, settled in all_of]
    bulk.done += states.count("done")
    bulk.skipped += states.count("skipped")
    bulk.failed += states.count("failed")
    session.flush()
