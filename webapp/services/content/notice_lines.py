"""What a notice says: with the title as it is now, and the words of whom it tells of."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import aliased

from webapp.models import Comment, Content, Notice, ReviewDecision, ReviewLink, User

WORDS_LIMIT = 1_000
"""Longest words of a comment or decision in a notice, in characters."""

_BY = aliased(User)
_IS_SAID = and_(Comment.id.is_not(None), Comment.deleted_at.is_(None))


def select_lines(*columns: Any) -> Select[*tuple[Any, ...]]:  # noqa: ANN401
    """Return the SELECT of notices with their words, and with some columns more.

    What was deleted since is told no more.
    """
    words = func.coalesce(
        func.left(Comment.body, WORDS_LIMIT),
        func.left(ReviewDecision.comment, WORDS_LIMIT),
        func.left(ReviewLink.comment, WORDS_LIMIT),
        Notice.details["words"].as_string(),
        "",
    )
    return (
        select(
            Notice.id, Notice.kind, Notice.subject_kind, Notice.subject_id, Notice.content_id,
            Content.title, Notice.by_id, _BY.display_name.label("by"), words.label("words"),
            Notice.details, Notice.created_at, Notice.read_at, *columns,
        )
        .select_from(Notice)
        .outerjoin(Content, Content.id == Notice.content_id)
        .outerjoin(_BY, _BY.id == Notice.by_id)
        .outerjoin(Comment, _is_about("comment", Comment.id))
        .outerjoin(ReviewDecision, _is_about("review_decision", ReviewDecision.id))
        .outerjoin(ReviewLink, _is_about("review_link", ReviewLink.id))
        .where(or_(Notice.subject_kind != "comment", _IS_SAID))
    )  # fmt: skip


def _is_about(kind: str, key: Any) -> ColumnElement[bool]:  # noqa: ANN401
    return and_(Notice.subject_kind == kind, key == Notice.subject_id)
