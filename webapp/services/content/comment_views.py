"""Comments as they are read: the threads of an item, and what was said in one of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, true
from sqlalchemy.orm import Session, aliased

from webapp.kit.line_places import LinePlaces
from webapp.models import Comment, CommentThread, Content, Review, ReviewLink
from webapp.models.arrays import is_one_of
from webapp.services.accounts.actors import Actor
from webapp.services.content import item_reads
from webapp.services.errors import NotFoundError


@dataclass(frozen=True)
class CommentLine:
    """One comment; of one that was deleted before others answered only its place is left."""

    id: int
    thread_id: int
    author_id: int | None
    body: str
    created_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None


@dataclass(frozen=True)
class ThreadLine:
    """A thread with its first comment, and how many it has.

    `current_line` is where the line that it is about stands in the newest version; where that line
    is in there no more, it `is_outdated`.
    """

    id: int
    version: int | None
    line: int | None
    quote: str | None
    resolved_at: datetime | None
    resolved_by_id: int | None
    created_at: datetime
    comment_count: int
    first: CommentLine
    current_line: int | None = None
    is_outdated: bool = False


@dataclass(frozen=True)
class GuestWords:
    """What a guest said of a version by the link of a review; with a step, it decided that."""

    link_id: int
    review_id: int
    version: int
    step: str | None
    name: str
    decision: str
    comment: str
    decided_at: datetime


def list_threads(
    session: Session,
    actor: Actor,
    content_id: int,
    *,
    is_resolved: bool | None,
    version: int | None,
    below: int | None,
    limit: int,
) -> list[ThreadLine]:
    """Return the threads of an item, newest first. Raises NotFoundError."""
    item_reads.require_item(session, actor, content_id)
    statement = _threads().where(CommentThread.content_id == content_id)
    if is_resolved is not None:
        is_open = CommentThread.resolved_at.is_(None)
        statement = statement.where(~is_open if is_resolved else is_open)
    if version is not None:
        statement = statement.where(CommentThread.version_number == version)
    if below is not None:
        statement = statement.where(CommentThread.id < below)
    return _read(session, content_id, statement.order_by(CommentThread.id.desc()).limit(limit))


def get_thread(session: Session, actor: Actor, content_id: int, thread_id: int) -> ThreadLine:
    """Return one thread of an item. Raises NotFoundError."""
    item_reads.require_item(session, actor, content_id)
    return read_thread(session, content_id, thread_id)


def read_thread(session: Session, content_id: int, thread_id: int) -> ThreadLine:
    """Return one thread of an item that the caller may see. Raises NotFoundError."""
    wanted = (CommentThread.id == thread_id, CommentThread.content_id == content_id)
    found = _read(session, content_id, _threads().where(*wanted))
    if not found:
        raise no_thread()
    return found[0]


def list_comments(
    session: Session, thread_id: int, *, above: int | None, limit: int
) -> list[CommentLine]:
    """Return what was said in a thread that the caller may see, oldest first."""
    statement = select(*_COMMENT).where(Comment.thread_id == thread_id)
    if above is not None:
        statement = statement.where(Comment.id > above)
    rows = session.execute(statement.order_by(Comment.id).limit(limit))
    return [CommentLine(*row) for row in rows]


def read_comment(session: Session, comment_id: int) -> CommentLine:
    """Return one comment, which has to be there."""
    return CommentLine(*session.execute(select(*_COMMENT).where(Comment.id == comment_id)).one())


def find_comments(
    session: Session, content_id: int, which: ColumnElement[bool]
) -> list[CommentLine]:
    """Return those comments on an item that a condition holds for, and that are not deleted."""
    statement = (
        select(*_COMMENT)
        .join(CommentThread, CommentThread.id == Comment.thread_id)
        .where(CommentThread.content_id == content_id, Comment.deleted_at.is_(None), which)
    )
    return [CommentLine(*row) for row in session.execute(statement.order_by(Comment.id))]


def find_said(session: Session, comment_ids: Collection[int]) -> dict[int, list[int]]:
    """Return by their items those of some comments that are not deleted."""
    rows = session.execute(
        select(CommentThread.content_id, Comment.id)
        .join(CommentThread, CommentThread.id == Comment.thread_id)
        .where(is_one_of(Comment.id, comment_ids), Comment.deleted_at.is_(None))
        .order_by(CommentThread.content_id, Comment.id)
    )
    said: dict[int, list[int]] = {}
    for content_id, comment_id in rows:
        said.setdefault(content_id, []).append(comment_id)
    return said


def list_guest_words(
    session: Session, content_id: int, *, version: int | None, limit: int
) -> list[GuestWords]:
    """Return what guests have said of an item that the caller may see, the last said first."""
    statement = (
        select(
            ReviewLink.id.label("link_id"), ReviewLink.review_id, Review.number.label("version"),
            ReviewLink.step, ReviewLink.guest_name.label("name"), ReviewLink.decision,
            ReviewLink.comment, ReviewLink.decided_at,
        )
        .join(Review, Review.id == ReviewLink.review_id)
        .where(Review.content_id == content_id, ReviewLink.decided_at.is_not(None))
        .order_by(ReviewLink.id.desc())
        .limit(limit)
    )  # fmt: skip
    if version is not None:
        statement = statement.where(Review.number == version)
    return [GuestWords(**row._asdict()) for row in session.execute(statement)]


def no_thread() -> NotFoundError:
    """Return the refusal of a thread that the item does not have."""
    return NotFoundError("There is no such thread.")


_COMMENT = (
    Comment.id, Comment.thread_id, Comment.author_id, Comment.body, Comment.created_at,
    Comment.edited_at, Comment.deleted_at,
)  # fmt: skip
_OF_THREAD = 8


def _threads() -> Select[*tuple[Any, ...]]:
    counted = aliased(Comment)
    count = select(func.count()).select_from(counted).where(counted.thread_id == CommentThread.id)
    first = (
        select(*_COMMENT)
        .where(Comment.thread_id == CommentThread.id)
        .order_by(Comment.id)
        .limit(1)
        .lateral("first")
    )
    return select(
        CommentThread.id, CommentThread.version_number, CommentThread.line, CommentThread.quote,
        CommentThread.resolved_at, CommentThread.resolved_by_id, CommentThread.created_at,
        count.scalar_subquery(), *first.c,
    ).select_from(CommentThread).join(first, true())  # fmt: skip


def _read(
    session: Session, content_id: int, statement: Select[*tuple[Any, ...]]
) -> list[ThreadLine]:
    lines = [
        ThreadLine(*(*row[:_OF_THREAD], CommentLine(*row[_OF_THREAD:])))
        for row in session.execute(statement)
    ]
    return _placed(session, content_id, lines)


def _placed(session: Session, content_id: int, lines: Sequence[ThreadLine]) -> list[ThreadLine]:
    """Say of each line that is quoted where it stands now; the text is read only for these."""
    quotes = {line.quote for line in lines if line.quote is not None}
    if not quotes:
        return list(lines)
    body = session.scalar(select(Content.body).where(Content.id == content_id)) or ""
    places = LinePlaces(body, quotes)
    return [_place(line, places) for line in lines]


def _place(line: ThreadLine, places: LinePlaces) -> ThreadLine:
    if line.quote is None or line.line is None:
        return line
    now = places.nearest(line.quote, line.line)
    return replace(line, current_line=now, is_outdated=now is None)
