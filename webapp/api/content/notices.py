"""Notices: what the newsroom tells an account of its work."""

from datetime import datetime
from typing import Annotated, Any, Self

from flask import Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from webapp.api.answers import answer, no_content, page_of
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, Blueprint
from webapp.api.edge import keeps_no_answer, open_session
from webapp.api.fields import Flag, Id, Input, Moment, Omittable, PageQuery
from webapp.kit.cursors import decode_cursor
from webapp.kit.permissions import Permission
from webapp.services.content import notice_inbox
from webapp.services.content.notice_inbox import MOST_COUNTED, NoticeLine

blueprint = Blueprint("notices", title="Notices")


class NoticeQuery(PageQuery):
    """Which notices."""

    unread: Annotated[Flag, Field(description="Only those that are not read.")] = False


class ReadNotices(Input):
    """Which notices are read: some `ids`, those that came `until` a moment, or `all`."""

    ids: Annotated[Omittable[list[Id]], Field(min_length=1, max_length=500)] = None
    until: Omittable[Moment] = None
    all: Annotated[bool, Field(description="All that there are now.")] = False

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if [self.ids is not None, self.until is not None, self.all].count(True) != 1:
            raise ValueError("say one of `ids`, `until` and `all`")
        return self


class NoticeAnswer(BaseModel):
    """One notice.

    `text` says it in a sentence, and `words` are those of the comment or decision as it stands.
    """

    model_config = ConfigDict(from_attributes=True)

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


class NoticePage(BaseModel):
    """A page of notices, and how many are unread; `is_exact` is false where counting stopped."""

    items: list[NoticeAnswer]
    next: str | None
    unread: int
    is_exact: bool


@blueprint.get("/notices", responses={200: NoticePage, **ACCOUNT_PROBLEMS}, security=BEARER)
@requires(Permission.NOTIFICATION_READ)
def list_notices(query: NoticeQuery) -> Response:
    """List what the newsroom tells you of your work, newest first.

    Comments, decisions on reviews, plans that failed. What is told of an item is hidden from who
    may not see it any more. What one follows is told under `/notifications`.
    """
    session, actor = open_session(), current_actor()
    below: Any = None if query.cursor is None else decode_cursor(query.cursor, int)[0]
    rows = notice_inbox.list_notices(
        session, actor, is_unread=query.unread,
        below=below, limit=query.limit + 1,
    )  # fmt: skip
    unread = notice_inbox.count_unread(session, actor)
    page = page_of(rows, query.limit, _shape, lambda row: (row.id,))
    return answer(NoticePage(**page, unread=unread, is_exact=unread < MOST_COUNTED))


@blueprint.post("/notices/read", responses={204: None, **ACCOUNT_PROBLEMS}, security=BEARER)
@requires(Permission.NOTIFICATION_MANAGE)
@keeps_no_answer
def mark_read(body: ReadNotices) -> Response:
    """Mark notices as read. What is read before its mail goes out is not mailed."""
    notice_inbox.mark_read(open_session(), current_actor(), ids=body.ids, until=body.until)
    return no_content()


def _shape(line: NoticeLine) -> NoticeAnswer:
    return NoticeAnswer.model_validate(line)
