"""Where an item stands, and whether it may go on from there: the table asked about real rows.

The column `status` says what the release before this one reads: an unpublished item is a draft
that was public, a retracted one is a draft that has not been public since it was retracted, and an
archived one is put aside without having been thrown away.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, func, or_, select, text, update
from sqlalchemy.orm import Session

from webapp.kit.lifecycle import (
    TABLE,
    Facts,
    Move,
    Progress,
    Standing,
    open_moves,
    refusal,
)
from webapp.kit.permissions import PERMISSIONS_OF_ROLE, Permission
from webapp.models import Content, Review
from webapp.models.arrays import is_one_of
from webapp.services.accounts.actors import Actor
from webapp.services.activity import Changes, difference
from webapp.services.content import review_states
from webapp.services.content.item_reads import KnownReview, Standable, State, read_state
from webapp.services.errors import (
    ConflictError,
    MoveForbiddenError,
    MoveRefusal,
    MoveRefusedError,
)

# They are written out, because with parameters a prepared plan could not use partial indexes.
STANDS = {
    Standing.DRAFT: "content.status = 'draft' AND content.publish_sequence = 0",
    Standing.PUBLISHED: "content.status = 'published'",
    Standing.UNPUBLISHED: "content.status = 'draft' AND content.publish_sequence > 0"
    " AND content.retracted_sequence IS DISTINCT FROM content.publish_sequence",
    Standing.RETRACTED: "content.status = 'draft'"
    " AND content.retracted_sequence = content.publish_sequence",
    Standing.ARCHIVED: "content.status = 'trashed' AND content.trashed_at IS NULL"
    " AND content.archived_at IS NOT NULL",
    Standing.TRASHED: "content.status = 'trashed'"
    " AND (content.trashed_at IS NOT NULL OR content.archived_at IS NULL)",
}
# Where the standing alone decides, nothing else is read: a save is made every few seconds.
STANDING_DECIDES = frozenset(
    {
        Move.EDIT, Move.UNPUBLISH, Move.RETRACT, Move.UNARCHIVE, Move.UNTRASH, Move.PREVIEW,
        Move.COMMENT,
    }
)  # fmt: skip
RELEASES = (Move.PUBLISH, Move.SCHEDULE, Move.CORRECT)
_STATUS = {
    Standing.DRAFT: "draft",
    Standing.UNPUBLISHED: "draft",
    Standing.RETRACTED: "draft",
    Standing.ARCHIVED: "trashed",
    Standing.TRASHED: "trashed",
}


def standing_of(item: Standable) -> Standing:
    """Return where an item stands."""
    if item.status == "published":
        return Standing.PUBLISHED
    if item.status == "trashed":
        is_archived = item.trashed_at is None and item.archived_at is not None
        return Standing.ARCHIVED if is_archived else Standing.TRASHED
    if _is_retracted(item):
        return Standing.RETRACTED
    return Standing.UNPUBLISHED if item.publish_sequence else Standing.DRAFT


def _is_retracted(item: Standable) -> bool:
    """Say whether an item has not been public since it was retracted."""
    return item.retracted_sequence == item.publish_sequence


def stands_as(standing: Standing) -> ColumnElement[bool]:
    """Return the condition that an item stands there."""
    return text(STANDS[standing])  # type: ignore[return-value]  # a condition all the same


def facts_of(
    session: Session,
    actor: Actor,
    item: Standable,
    number: int | None = None,
    review: Review | None = None,
) -> Facts:
    """Return what decides about the moves of an item, for one who asks.

    Asked about is the newest version, or the one with a number, and the newest review, or the one
    that is given. For a change the caller has locked the item.
    """
    review_id = None if review is None else review.id
    return facts_from(actor, item, read_state(session, item.id, number, review_id))


def facts_from(actor: Actor, item: Standable, state: State) -> Facts:
    """Return the same of a state that has been read already."""
    review = state.review
    reviewed = review_states.facts_of(item, review)
    needs_approval = review_states.needs_approval(actor)
    bars = {} if review is None else _bars_of_review(actor, review, reviewed.state)
    if needs_approval and not state.is_approved:
        bars |= dict.fromkeys(RELEASES, review_states.NO_APPROVAL)
    is_scheduled = any(number == item.version for _, _, number in state.planned)
    progress = Progress.SCHEDULED if is_scheduled else reviewed.progress
    return replace(
        standing_facts(item),
        progress=progress or Progress.DRAFT,
        planned=[schedule_id for schedule_id, _, _ in state.planned],
        held=[holding.id for holding in state.held],
        review=reviewed.state,
        needs_approval=needs_approval,
        personal_bars=bars,
    )


def standing_facts(item: Standable) -> Facts:
    """Return what follows from the row of an item alone, for moves that nothing else bars."""
    return Facts(
        standing=standing_of(item),
        was_public=item.publish_sequence > 0,
        is_retracted=_is_retracted(item),
    )


def _bars_of_review(actor: Actor, review: KnownReview, state: str | None) -> dict[Move, str]:
    """Return what somebody else would have to do about a review, and why."""
    if state == "approved" and actor.api_key_id is not None:
        return {Move.WITHDRAW: review_states.NO_KEY}
    if state == "open" and actor.may(Permission.CONTENT_APPROVE):
        bar = review_states.approval_bar(actor, review)
        return {} if bar is None else {Move.APPROVE: bar}
    return {}


def moves_of(actor: Actor, item: Standable, facts: Facts) -> list[Move]:
    """Return what the actor may do to an item now."""
    return open_moves(facts, item.author_id == actor.user_id, actor.may)


def require_right(actor: Actor, item: Standable, move: Move) -> None:
    """Raise ForbiddenError unless the actor may ever make the move on an item that it sees."""
    rule = TABLE[move]
    is_own = item.author_id == actor.user_id
    if not (is_own and rule.own is not None and actor.may(rule.own)):
        actor.require(rule.of_anybody)


def require_telling(actor: Actor) -> None:
    """Raise ForbiddenError unless the actor may publish so that the followers are told.

    Who publishes by virtue of an approval tells them by virtue of it; an API key needs its scope.
    """
    is_editor = Permission.MESSAGE_SEND in PERMISSIONS_OF_ROLE[actor.role]
    keeps_it = actor.key_permissions is None or Permission.MESSAGE_SEND in actor.key_permissions
    if is_editor or not keeps_it:
        actor.require(Permission.MESSAGE_SEND)


def require_move(
    session: Session,
    actor: Actor,
    item: Standable,
    move: Move,
    *,
    number: int | None = None,
    review: Review | None = None,
    is_release: bool = True,
    advice: str = "",
) -> Facts:
    """Return the facts of an item that the caller has locked, on which the actor may do this now.

    They are of a version and of a review as `facts_of` says; what is no release needs no approval.
    Raises ForbiddenError where the actor may not at all, or somebody else has to, and
    MoveRefusedError where the state of the item stands against it, with `advice` behind the reason.
    """
    require_right(actor, item, move)
    facts = standing_facts(item)
    if move not in STANDING_DECIDES:
        facts = facts_of(session, actor, item, number, review)
    if not is_release:
        facts = replace(facts, needs_approval=False, personal_bars={})
    reason = refusal(move, facts)
    if reason is None:
        return facts
    kind = MoveForbiddenError if reason == facts.personal_bars.get(move) else MoveRefusedError
    raise _refused(session, actor, item, reason + advice, kind)


def require_approval(session: Session, actor: Actor, item: Standable, number: int) -> Facts:
    """Return the facts of a locked item, on which the actor may release a version of it.

    Raises MoveForbiddenError where that needs an approval and the version has none.
    """
    facts = facts_of(session, actor, item, number)
    reason = facts.personal_bars.get(Move.SCHEDULE)
    if reason is not None:
        raise _refused(session, actor, item, reason, MoveForbiddenError)
    return facts


def _refused(
    session: Session, actor: Actor, item: Standable, reason: str, kind: type[MoveRefusal]
) -> MoveRefusal:
    """Return a refusal with what the actor may do to the item as it is."""
    facts = facts_of(session, actor, item)
    moves = moves_of(actor, item, facts)
    return kind(reason, facts.standing, facts.progress, moves)


def put(session: Session, item: Content, facts: Facts, move: Move) -> Standing:
    """Move a locked item that is neither public nor becomes so, and return where it stands now.

    Raises ConflictError where it stands elsewhere by now, which the lock of the caller rules out.
    """
    standing = TABLE[move].leads_to(facts)
    _put(session, [item], facts.standing, standing)
    return standing


def put_all(session: Session, items: Sequence[Content], move: Move) -> dict[int, Changes]:
    """Do the same to many locked items, by a statement for each standing that they have.

    Returns what changed of each, as a line of the activity log tells it.
    """
    alike: dict[tuple[Standing, Standing], list[Content]] = defaultdict(list)
    for item in items:
        facts = standing_facts(item)
        alike[facts.standing, TABLE[move].leads_to(facts)].append(item)
    changes: dict[int, Changes] = {}
    for (former, standing), some in alike.items():
        told = difference({"status": former}, {"status": standing})
        changes |= {item.id: told for item in some}
        _put(session, some, former, standing)
    return changes


def _put(session: Session, items: Sequence[Content], former: Standing, standing: Standing) -> None:
    values = {
        "status": _STATUS[standing],
        "trashed_at": func.clock_timestamp() if standing is Standing.TRASHED else None,
        "archived_at": func.clock_timestamp() if standing is Standing.ARCHIVED else None,
        "revision": Content.revision + 1,
        "updated_at": func.clock_timestamp(),
    }
    moved = session.scalars(
        update(Content)
        .where(is_one_of(Content.id, [item.id for item in items]), stands_as(former))
        .values(values)
        .returning(Content.id)
        .execution_options(synchronize_session=False)
    ).all()
    if len(moved) < len(items):
        raise ConflictError("Another change got in the way; read again and try again.")
    for item in items:
        session.expire(item)


def archive_all(session: Session, content_ids: Sequence[int]) -> set[int]:
    """Put locked items into the archive, in nobody's name, and return which of them are in there.

    One that is public, or in the trash, stays where it is.
    """
    may_be_moved = or_(*(stands_as(standing) for standing in sorted(TABLE[Move.ARCHIVE].standings)))
    session.execute(
        update(Content)
        .where(is_one_of(Content.id, content_ids), may_be_moved)
        .values(
            status=_STATUS[Standing.ARCHIVED],
            archived_at=func.clock_timestamp(),
            revision=Content.revision + 1,
            updated_at=func.clock_timestamp(),
        )
        .execution_options(synchronize_session=False)
    )
    archived = select(Content.id).where(
        is_one_of(Content.id, content_ids), stands_as(Standing.ARCHIVED)
    )
    return set(session.scalars(archived))
