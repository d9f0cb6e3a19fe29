"""Where an item stands, and whether it may go on from there: the table asked about real rows.

The column `status` says what the release before this one reads: an unpublished item is a draft
that was public, and an archived one is put aside without having been thrown away.
"""

from sqlalchemy import ColumnElement, func, select, text, update
from sqlalchemy.orm import Session

from webapp.kit.lifecycle import TABLE, Facts, Move, Progress, Standing, open_moves, refusal
from webapp.models import Content, ContentVersion, Schedule
from webapp.services.accounts.actors import Actor
from webapp.services.errors import ConflictError, MoveRefusedError

# They are written out, because with parameters a prepared plan could not use partial indexes.
_STANDS = {
    Standing.DRAFT: "content.status = 'draft' AND content.publish_sequence = 0",
    Standing.PUBLISHED: "content.status = 'published'",
    Standing.UNPUBLISHED: "content.status = 'draft' AND content.publish_sequence > 0",
    Standing.ARCHIVED: "content.status = 'trashed' AND content.trashed_at IS NULL"
    " AND content.archived_at IS NOT NULL",
    Standing.TRASHED: "content.status = 'trashed'"
    " AND (content.trashed_at IS NOT NULL OR content.archived_at IS NULL)",
}
_STATUS = {
    Standing.DRAFT: "draft",
    Standing.UNPUBLISHED: "draft",
    Standing.ARCHIVED: "trashed",
    Standing.TRASHED: "trashed",
}


def standing_of(item: Content) -> Standing:
    """Return where an item stands."""
    if item.status == "published":
        return Standing.PUBLISHED
    if item.status == "trashed":
        is_archived = item.trashed_at is None and item.archived_at is not None
        return Standing.ARCHIVED if is_archived else Standing.TRASHED
    return Standing.UNPUBLISHED if item.publish_sequence else Standing.DRAFT


def stands_as(standing: Standing) -> ColumnElement[bool]:
    """Return the condition that an item stands there."""
    return text(_STANDS[standing])  # type: ignore[return-value]  # a condition all the same


def facts_of(session: Session, item: Content) -> Facts:
    """Return what decides about the moves of an item: by one statement, whatever it has behind it.

    For a change the caller has locked the item.
    """
    planned = session.execute(
        select(Schedule.id, Schedule.action, ContentVersion.number)
        .outerjoin(ContentVersion, ContentVersion.id == Schedule.version_id)
        .where(Schedule.content_id == item.id, text("schedules.state IN ('pending', 'handed')"))
    ).all()
    is_scheduled = any(row.number == item.version for row in planned)
    return Facts(
        standing=standing_of(item),
        was_public=item.publish_sequence > 0,
        progress=Progress.SCHEDULED if is_scheduled else Progress.DRAFT,
        planned={row.action: row.id for row in planned},
    )


def is_all_counted(session: Session, item: Content) -> bool:
    """Say whether the revision of an item counts all that its state follows from.

    It does not count schedules: who edits the text need not have seen them.
    """
    planned = select(Schedule.id).where(Schedule.content_id == item.id)
    return session.scalar(planned.limit(1)) is None


def moves_of(actor: Actor, item: Content, facts: Facts) -> list[Move]:
    """Return what the actor may do to an item now."""
    return open_moves(facts, item.author_id == actor.user_id, actor.may)


def require_right(actor: Actor, item: Content, move: Move) -> None:
    """Raise ForbiddenError unless the actor may ever make the move on an item that it sees."""
    rule = TABLE[move]
    is_own = item.author_id == actor.user_id
    if not (is_own and rule.own is not None and actor.may(rule.own)):
        actor.require(rule.of_anybody)


def require_move(
    session: Session, actor: Actor, item: Content, move: Move, advice: str = ""
) -> Facts:
    """Return the facts of an item that the caller has locked, on which the actor may do this now.

    Raises ForbiddenError where the actor may not at all, and MoveRefusedError, with `advice` behind
    its reason and the moves that are open, where the state of the item stands against it.
    """
    require_right(actor, item, move)
    facts = facts_of(session, item)
    reason = refusal(move, facts)
    if reason is not None:
        raise MoveRefusedError(
            reason + advice, facts.standing, facts.progress, moves_of(actor, item, facts)
        )
    return facts


def put(session: Session, item: Content, facts: Facts, move: Move) -> Standing:
    """Move a locked item that is neither public nor becomes so, and return where it stands now.

    Raises ConflictError where it stands elsewhere by now, which the lock of the caller rules out.
    """
    standing = TABLE[move].leads_to(facts)
    values = {
        "status": _STATUS[standing],
        "trashed_at": func.clock_timestamp() if standing is Standing.TRASHED else None,
        "archived_at": func.clock_timestamp() if standing is Standing.ARCHIVED else None,
        "revision": Content.revision + 1,
        "updated_at": func.clock_timestamp(),
    }
    moved = session.scalar(
        update(Content)
        .where(Content.id == item.id, stands_as(facts.standing))
        .values(values)
        .returning(Content.id)
        .execution_options(synchronize_session=False)
    )
    if moved is None:
        raise ConflictError("Another change got in the way; read again and try again.")
    session.refresh(item)
    return standing
