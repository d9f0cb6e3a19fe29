"""What an account has been told of the desk, as its owner reads it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy.orm import Session

from webapp.kit.mentions import as_read
from webapp.kit.notice_kinds import NOTICE_KINDS, line_of
from webapp.kit.permissions import Permission
from webapp.models import Content, Notice
from webapp.models.arrays import is_one_of
from webapp.services.accounts.actors import Actor
from webapp.services.content.notice_lines import select_lines

MOST_COUNTED = 1_000
Lines = Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class NoticeLine:
    """One notice; `text` is its sentence, `words` what somebody said, where they said something."""

    id: int
    kind: str
    subject_kind: str
    subject_id: int
    content_id: int | None
    title: str | None
    by_id: int | None
    text: str
    words: str
    details: dict[str, Any]
    created_at: datetime
    read_at: datetime | None


def list_notices(
    session: Session, actor: Actor, *, is_unread: bool, below: int | None, limit: int
) -> list[NoticeLine]:
    """Return one's notices, newest first, from below an id.

    Those of items that the actor may not see any more are hidden, and so is what was said and
    deleted.
    """
    statement = _own(actor, select_lines())
    if is_unread:
        statement = statement.where(Notice.read_at.is_(None))
    if below is not None:
        statement = statement.where(Notice.id < below)
    rows = session.execute(statement.order_by(Notice.id.desc()).limit(limit))
    return [_line(row) for row in rows]


def count_unread(session: Session, actor: Actor) -> int:
    """Return how many notices are unread, counting no further than `MOST_COUNTED`."""
    unread = _own(actor, select_lines()).with_only_columns(Notice.id, maintain_column_froms=True)
    unread = unread.where(Notice.read_at.is_(None)).limit(MOST_COUNTED)
    return session.scalar(select(func.count()).select_from(unread.subquery())) or 0


def mark_read(
    session: Session, actor: Actor, *, ids: Collection[int] | None, until: datetime | None
) -> None:
    """Mark notices as read: some, those that came until a moment, or without either all.

    They keep the first time; ids of nobody's or somebody else's notices are passed over.
    """
    statement = update(Notice).where(Notice.user_id == actor.user_id, Notice.read_at.is_(None))
    if ids is not None:
        statement = statement.where(is_one_of(Notice.id, ids))
    if until is not None:
        statement = statement.where(Notice.created_at <= until)
    session.execute(
        statement.values(read_at=func.clock_timestamp()).execution_options(
            synchronize_session=False
        )
    )


def _own(actor: Actor, statement: Lines) -> Lines:
    own = statement.where(Notice.user_id == actor.user_id)
    if not actor.may(Permission.SCHEDULE_READ):
        # It tells the name of a release, which the newsroom alone may read.
        own = own.where(Notice.subject_kind != "release")
    if actor.may(Permission.CONTENT_READ_ANY):
        return own
    seen: ColumnElement[bool] = Notice.content_id.is_(None)
    if actor.may(Permission.CONTENT_READ_OWN):
        seen = or_(seen, Content.author_id == actor.user_id)
    return own.where(seen)


def _line(row: Any) -> NoticeLine:  # noqa: ANN401
    values = row._asdict()
    by = values.pop("by")
    # A kind of a newer release has no words here yet.
    known = row.kind in NOTICE_KINDS
    told = line_of(row.kind, **{**row.details, "title": row.title, "by": by}) if known else row.kind
    values["words"] = as_read(row.words)
    return NoticeLine(text=told, **values)
