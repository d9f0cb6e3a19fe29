"""Comments: what people say to each other about an item, a version of it, or a line of that.

Whoever changes something about the comments of an item has the item locked, so that one comes after
the other: a reply is never lost in a thread that is deleted, and the bounds hold.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from webapp.kit.lifecycle import Move
from webapp.kit.line_places import quote_of
from webapp.kit.permissions import Permission
from webapp.models import Comment, CommentThread, Content
from webapp.models.arrays import is_one_of
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content import comment_notices, content, lifecycle, versions
from webapp.services.content.comment_views import (
    CommentLine,
    ThreadLine,
    find_comments,
    no_thread,
    read_comment,
    read_thread,
)
from webapp.services.errors import (
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    QuotaError,
)

MOST_THREADS = 500
"""Most threads of one item."""

MOST_COMMENTS = 200
"""Most comments of one thread."""


def start(
    session: Session,
    actor: Actor,
    content_id: int,
    body: str,
    *,
    version: int | None = None,
    line: int | None = None,
) -> ThreadLine:
    """Begin a thread with its first comment, and return it; a line is counted from 1.

    Raises NotFoundError, MoveRefusedError for an item that is put aside, InvalidInputError for a
    line that is not there or somebody named who may not see the item, and QuotaError.
    """
    item = _lock(session, actor, content_id)
    count = select(func.count()).where(CommentThread.content_id == content_id)
    if session.scalars(count).one() >= MOST_THREADS:
        raise QuotaError(f"An item has {MOST_THREADS} threads of comments at most; delete some.")
    quote = _quote(session, content_id, version, line)
    thread_id = session.execute(
        insert(CommentThread)
        .values(content_id=content_id, version_number=version, line=line, quote=quote)
        .returning(CommentThread.id)
    ).scalar_one()
    _say(session, actor, item, thread_id, body)
    return read_thread(session, content_id, thread_id)


def reply(
    session: Session, actor: Actor, content_id: int, thread_id: int, body: str
) -> CommentLine:
    """Add a comment to a thread and return it.

    Raises NotFoundError, MoveRefusedError, InvalidInputError for somebody named who may not see
    the item, and QuotaError.
    """
    item = _lock(session, actor, content_id)
    _require_thread(session, content_id, thread_id)
    count = select(func.count()).where(Comment.thread_id == thread_id)
    if session.scalars(count).one() >= MOST_COMMENTS:
        raise QuotaError(f"A thread has {MOST_COMMENTS} comments at most; begin another.")
    return read_comment(session, _say(session, actor, item, thread_id, body))


def set_resolved(
    session: Session, actor: Actor, content_id: int, thread_id: int, *, is_resolved: bool
) -> ThreadLine:
    """Say of a thread that it is settled, or that it is not, and return it.

    Saying it once more changes nothing. Who began it is told that it is settled. Raises
    NotFoundError and MoveRefusedError.
    """
    item = _lock(session, actor, content_id)
    _require_thread(session, content_id, thread_id)
    changed = _settle(session, actor, content_id, [thread_id], is_resolved=is_resolved)
    thread = read_thread(session, content_id, thread_id)
    if changed and thread.resolved_at is not None:
        comment_notices.tell_of_settling(
            session, item, thread_id, thread.resolved_at, actor.user_id
        )
    return thread


def edit(
    session: Session, actor: Actor, content_id: int, comment_id: int, body: str
) -> CommentLine:
    """Change what the actor has said, and return it; of two edits at once the last one stays.

    Raises NotFoundError, MoveRefusedError, ForbiddenError for a comment of somebody else, and
    InvalidInputError for somebody whom it did not name, and who may not see the item.
    """
    item = _lock(session, actor, content_id)
    comment = _find(session, content_id, comment_id)
    if comment.author_id != actor.user_id:
        raise ForbiddenError("It is somebody else's comment; only they may change its words.")
    if comment.body == body:
        return comment
    named = comment_notices.require_mentions(session, item, body, comment.body)
    session.execute(
        update(Comment)
        .where(Comment.id == comment_id)
        .values(body=body, edited_at=func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )
    activity.record(
        session, actor.user_id, "comment.edit", "content", content_id,
        changes=activity.sizes({"body": comment.body}, {"body": body}),
        thread_id=comment.thread_id, comment_id=comment_id,
    )  # fmt: skip
    comment_notices.tell_of_mentions(
        session, item, comment.thread_id, comment_id, actor.user_id, named
    )
    return read_comment(session, comment_id)


def remove(session: Session, actor: Actor, content_id: int, comment_id: int) -> None:
    """Delete a comment; one that others follow leaves an empty place, and the last one its thread.

    Raises NotFoundError, MoveRefusedError, and ForbiddenError for a comment of somebody else,
    unless the actor edits everybody's items.
    """
    _lock(session, actor, content_id)
    _delete(session, actor, content_id, [_find(session, content_id, comment_id)])


def take_back(
    session: Session, actor: Actor, content_id: int, comment_ids: Collection[int]
) -> None:
    """Delete those of some comments that nobody has answered since; the item is locked.

    Raises ForbiddenError.
    """
    if not comment_ids:
        return
    actor.require(Permission.CONTENT_COMMENT)
    later = aliased(Comment)
    answer = select(later.id).where(
        later.thread_id == Comment.thread_id, later.id > Comment.id, later.deleted_at.is_(None),
        ~is_one_of(later.id, comment_ids),
    )  # fmt: skip
    unanswered = is_one_of(Comment.id, comment_ids) & ~answer.exists()
    _delete(session, actor, content_id, find_comments(session, content_id, unanswered))


def settle_again(
    session: Session, actor: Actor, content_id: int, threads: Mapping[int, bool]
) -> None:
    """Let those of some threads that are still there be resolved, or not, as they were.

    The item is locked. Raises ForbiddenError.
    """
    if not threads:
        return
    actor.require(Permission.CONTENT_COMMENT)
    for is_resolved in (True, False):
        thread_ids = [key for key, was_resolved in threads.items() if was_resolved is is_resolved]
        _settle(session, actor, content_id, thread_ids, is_resolved=is_resolved)


def _lock(session: Session, actor: Actor, content_id: int) -> Content:
    item = content.lock_for_change(session, actor, content_id, None)
    lifecycle.require_move(session, actor, item, Move.COMMENT)
    return item


def _quote(session: Session, content_id: int, version: int | None, line: int | None) -> str | None:
    if version is None:
        if line is not None:
            raise InvalidInputError("line", "say of which `version` it is a line")
        return None
    body = versions.get_version(session, content_id, version).body
    quote = None if line is None else quote_of(body, line)
    if line is not None and quote is None:
        raise InvalidInputError("line", f"version {version} has fewer lines")
    return quote


def _say(session: Session, actor: Actor, item: Content, thread_id: int, body: str) -> int:
    named = comment_notices.require_mentions(session, item, body)
    comment_id = session.execute(
        insert(Comment)
        .values(thread_id=thread_id, author_id=actor.user_id, body=body)
        .returning(Comment.id)
    ).scalar_one()
    activity.record(
        session, actor.user_id, "comment.create", "content", item.id,
        thread_id=thread_id, comment_id=comment_id,
    )  # fmt: skip
    comment_notices.tell_of_comment(session, item, thread_id, int(comment_id), actor.user_id, named)
    return int(comment_id)


def _settle(
    session: Session,
    actor: Actor,
    content_id: int,
    thread_ids: Collection[int],
    *,
    is_resolved: bool,
) -> Sequence[int]:
    """Settle threads, or open them again, and return those that were not so before."""
    is_open = CommentThread.resolved_at.is_(None)
    changed = session.scalars(
        update(CommentThread)
        .where(
            is_one_of(CommentThread.id, thread_ids),
            CommentThread.content_id == content_id,
            is_open if is_resolved else ~is_open,
        )
        .values(
            resolved_at=func.clock_timestamp() if is_resolved else None,
            resolved_by_id=actor.user_id if is_resolved else None,
        )
        .returning(CommentThread.id)
        .execution_options(synchronize_session=False)
    ).all()
    action = "comment.resolve" if is_resolved else "comment.reopen"
    lines = [(content_id, {"thread_id": thread_id}) for thread_id in sorted(changed)]
    activity.record_many(session, actor.user_id, action, "content", lines)
    return changed


def _require_thread(session: Session, content_id: int, thread_id: int) -> None:
    wanted = (CommentThread.id == thread_id, CommentThread.content_id == content_id)
    if session.scalar(select(CommentThread.id).where(*wanted)) is None:
        raise no_thread()


def _find(session: Session, content_id: int, comment_id: int) -> CommentLine:
    found = find_comments(session, content_id, Comment.id == comment_id)
    if not found:
        raise NotFoundError("There is no such comment, or it was deleted.")
    return found[0]


def _delete(
    session: Session, actor: Actor, content_id: int, comments: Sequence[CommentLine]
) -> None:
    """Delete comments, the empty places that nothing follows, and the threads that say nothing."""
    if any(comment.author_id != actor.user_id for comment in comments):
        actor.require(Permission.CONTENT_EDIT_ANY)
    if not comments:
        return
    session.execute(
        update(Comment)
        .where(is_one_of(Comment.id, [comment.id for comment in comments]))
        .values(body="", deleted_at=func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )
    thread_ids = {comment.thread_id for comment in comments}
    later = aliased(Comment)
    following = select(later.id).where(
        later.thread_id == Comment.thread_id, later.id > Comment.id, later.deleted_at.is_(None)
    )
    is_needless = Comment.deleted_at.is_not(None) & ~following.exists()
    session.execute(delete(Comment).where(is_one_of(Comment.thread_id, thread_ids), is_needless))
    said = select(Comment.id).where(Comment.thread_id == CommentThread.id)
    is_empty = is_one_of(CommentThread.id, thread_ids) & ~said.exists()
    session.execute(delete(CommentThread).where(is_empty))
    lines = [
        (content_id, {"thread_id": comment.thread_id, "comment_id": comment.id})
        for comment in comments
    ]
    activity.record_many(session, actor.user_id, "comment.delete", "content", lines)
