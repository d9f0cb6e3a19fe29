"""Who is told of a comment: the author of the item, who took part in the thread, who is named."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.kit.mentions import mentioned_ids
from webapp.models import Comment, Content
from webapp.services.content.people import find_strangers
from webapp.services.errors import InvalidInputError
from webapp.services.notices import Cause, tell, tell_all

MOST_MENTIONS = 20
"""Most accounts that one comment names."""

MAIL_AFTER = timedelta(minutes=1)
"""What is said of an item in this time goes in one mail."""


def require_mentions(session: Session, item: Content, body: str, former: str = "") -> set[int]:
    """Return whom a comment names, and its former words did not.

    Raises InvalidInputError for too many, and for one that is no account, or may not see the item:
    which of the two is told to nobody.
    """
    named = mentioned_ids(body)
    if len(named) > MOST_MENTIONS:
        raise InvalidInputError("body", f"names more than {MOST_MENTIONS} accounts")
    added = named - mentioned_ids(former)
    strangers = find_strangers(session, item.author_id, added) if added else []
    if strangers:
        numbers = ", ".join(map(str, strangers))
        raise InvalidInputError(
            "body", f"names {numbers}, which may not see this item; /people lists who may"
        )
    return added


def tell_of_comment(
    session: Session,
    item: Content,
    thread_id: int,
    comment_id: int,
    by_id: int,
    named: Collection[int],
) -> None:
    """Tell whoever is named, the author, and all who have said something in the thread."""
    said = select(Comment.author_id).where(
        Comment.thread_id == thread_id,
        Comment.author_id.is_not(None),
        Comment.deleted_at.is_(None),
    )
    others = {item.author_id, *session.scalars(said.distinct())} - set(named)
    causes = [
        _cause(item, thread_id, comment_id, by_id, "comment.mentioned", named),
        _cause(
            item, thread_id, comment_id, by_id, "comment.added",
            [user_id for user_id in others if user_id is not None],
        ),
    ]  # fmt: skip
    tell_all(session, causes, mail_after=MAIL_AFTER)


def tell_of_mentions(
    session: Session,
    item: Content,
    thread_id: int,
    comment_id: int,
    by_id: int,
    named: Collection[int],
) -> None:
    """Tell those whom a comment names since it was changed, and who have not heard of it."""
    cause = _cause(item, thread_id, comment_id, by_id, "comment.mentioned", named)
    tell_all(session, [cause], mail_after=MAIL_AFTER)


def tell_of_settling(
    session: Session, item: Content, thread_id: int, settled_at: datetime, by_id: int
) -> None:
    """Tell who began a thread that somebody else says is settled."""
    first = select(Comment.author_id).where(Comment.thread_id == thread_id)
    opener_id = session.scalar(first.order_by(Comment.id).limit(1))
    if opener_id is None:
        return
    tell(
        session, [opener_id], "comment.resolved", "comment_thread", thread_id,
        content_id=item.id, by_id=by_id, details={"thread_id": thread_id},
        dedupe=f"settled:{thread_id}:{settled_at.isoformat()}",
        mail_group=_group(item), mail_after=MAIL_AFTER,
    )  # fmt: skip


def _cause(
    item: Content,
    thread_id: int,
    comment_id: int,
    by_id: int,
    kind: str,
    user_ids: Collection[int],
) -> Cause:
    return Cause(
        user_ids, kind, "comment", comment_id, content_id=item.id, by_id=by_id,
        details={"thread_id": thread_id}, dedupe=f"comment:{comment_id}",
        mail_group=_group(item),
    )  # fmt: skip


def _group(item: Content) -> str:
    return f"comments:{item.id}"
