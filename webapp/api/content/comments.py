"""Comments: what authors and editors say to each other about an item, or a line of a version."""

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from webapp.api.answers import answer, no_content, page_of
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, PRUNED, Blueprint
from webapp.api.edge import open_session
from webapp.api.fields import ContentPath, Flag, Id, Input, Omittable, PageQuery, Query
from webapp.kit.cursors import decode_cursor
from webapp.kit.json_values import check_text
from webapp.kit.permissions import Permission
from webapp.services.content import comment_views, comments, people
from webapp.services.content.comment_views import CommentLine, GuestWords, ThreadLine

blueprint = Blueprint("comments", title="Comments")

MOST_PEOPLE = MOST_GUESTS = 50


def _said(value: str) -> str:
    if not value.strip():
        raise ValueError("must say something")
    return check_text(value)


Words = Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(_said)]


class NewComment(Input):
    """What is said; plain text, which nobody renders."""

    body: Annotated[
        Words,
        Field(
            description="`@[Ada](12)` names the account 12, which is told; `people` lists who may"
            " be named, 20 at most in one comment."
        ),
    ]


class PeopleQuery(Query):
    """Which of those who may see an item."""

    q: Annotated[str, Field(max_length=200, description="How the name begins.")] = ""


class PersonAnswer(BaseModel):
    """Somebody who may see the item."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    display_name: str


class PeopleAnswer(BaseModel):
    """The first of them by name, 50 at most; `q` narrows them."""

    items: list[PersonAnswer]


class NewThread(NewComment):
    """What is said of an item, or of a version, or of a line of one."""

    version: Annotated[Omittable[Id], Field(description="The number of a version.")] = None
    line: Annotated[
        Omittable[Id], Field(description="A line of the body of that version, from 1.")
    ] = None


class ThreadQuery(PageQuery):
    """Which threads of an item."""

    resolved: Annotated[Omittable[Flag], Field(description="Only those that are, or are not.")] = (
        None
    )
    version: Annotated[Omittable[Id], Field(description="Only those begun on this version.")] = None


class ThreadPath(ContentPath):
    """Which thread of which item."""

    thread_id: Id


class CommentPath(ContentPath):
    """Which comment on which item."""

    comment_id: Id


class CommentAnswer(BaseModel):
    """A comment. One that was deleted, and that others follow, has `deleted_at` and no words."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    thread_id: int
    author_id: int | None
    body: str
    created_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None


class ThreadAnswer(BaseModel):
    """A thread with its first comment.

    `quote` is how the line began in that version, `current_line` is where it stands in the newest
    one, and `outdated` says that it is in there no more.
    """

    id: int
    version: int | None
    line: int | None
    quote: str | None
    current_line: int | None
    outdated: bool
    resolved_at: datetime | None
    resolved_by_id: int | None
    created_at: datetime
    comment_count: int
    first: CommentAnswer


class GuestWordsAnswer(BaseModel):
    """What a guest said of a version by the link of a review; with a `step`, it decided that."""

    model_config = ConfigDict(from_attributes=True)

    link_id: int
    review_id: int
    version: int
    step: str | None
    name: str
    decision: Literal["approve", "changes_wanted", "reject"]
    comment: str
    decided_at: datetime


class ThreadPage(BaseModel):
    """A page of threads.

    Beside the first stands what guests have said by the links of reviews, the last 50.
    """

    items: list[ThreadAnswer]
    guests: list[GuestWordsAnswer]
    next: str | None


class CommentPage(BaseModel):
    """A thread, and a page of what was said in it."""

    thread: ThreadAnswer
    items: list[CommentAnswer]
    next: str | None


@blueprint.get(
    "/content/<int:content_id>/comments",
    responses={200: ThreadPage, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_READ_OWN)
def list_threads(path: ContentPath, query: ThreadQuery) -> Response:
    """List what is said of an item: each thread with its first comment, newest first."""
    session = open_session()
    rows = comment_views.list_threads(
        session, current_actor(), path.content_id,
        is_resolved=query.resolved, version=query.version,
        below=_place(query), limit=query.limit + 1,
    )  # fmt: skip
    guests: list[GuestWords] = []
    if query.cursor is None:
        guests = comment_views.list_guest_words(
            session, path.content_id, version=query.version, limit=MOST_GUESTS
        )
    page = page_of(rows, query.limit, _shape, lambda row: (row.id,))
    said = [GuestWordsAnswer.model_validate(one) for one in guests]
    return answer(ThreadPage(**page, guests=said))


@blueprint.post(
    "/content/<int:content_id>/comments",
    responses={201: ThreadAnswer, **ACCOUNT_PROBLEMS, **PRUNED},
    security=BEARER,
)
@requires(Permission.CONTENT_COMMENT)
def start(path: ContentPath, body: NewThread) -> Response:
    """Begin a thread: on the item, on a `version` of it, or on a `line` of that.

    The line is quoted as it is there, so that it is found again in later versions. The author of
    the item, who took part in the thread and who is named are told by a notice, and by a mail that
    waits a minute for what else is said.
    """
    line = comments.start(
        open_session(), current_actor(), path.content_id, body.body,
        version=body.version, line=body.line,
    )  # fmt: skip
    return answer(_shape(line), 201)


@blueprint.get(
    "/content/<int:content_id>/people",
    responses={200: PeopleAnswer, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_COMMENT)
def list_people(path: ContentPath, query: PeopleQuery) -> Response:
    """List who may see an item, and so may be named in what is said of it."""
    found = people.list_people(
        open_session(), current_actor(), path.content_id, begins_with=query.q, limit=MOST_PEOPLE
    )
    return answer(PeopleAnswer(items=[PersonAnswer.model_validate(one) for one in found]))


@blueprint.get(
    "/content/<int:content_id>/comments/threads/<int:thread_id>",
    responses={200: CommentPage, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_READ_OWN)
def show_thread(path: ThreadPath, query: PageQuery) -> Response:
    """Show a thread with all that was said in it, oldest first."""
    session = open_session()
    thread = comment_views.get_thread(session, current_actor(), path.content_id, path.thread_id)
    rows = comment_views.list_comments(
        session, thread.id, above=_place(query), limit=query.limit + 1
    )
    page = page_of(rows, query.limit, _shape_comment, lambda row: (row.id,))
    return answer(CommentPage(thread=_shape(thread), **page))


@blueprint.post(
    "/content/<int:content_id>/comments/threads/<int:thread_id>/replies",
    responses={201: CommentAnswer, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_COMMENT)
def reply(path: ThreadPath, body: NewComment) -> Response:
    """Answer in a thread. One that is resolved stays so until somebody opens it again."""
    line = comments.reply(
        open_session(), current_actor(), path.content_id, path.thread_id, body.body
    )
    return answer(_shape_comment(line), 201)


@blueprint.post(
    "/content/<int:content_id>/comments/threads/<int:thread_id>/resolve",
    responses={200: ThreadAnswer, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_COMMENT)
def resolve(path: ThreadPath) -> Response:
    """Say that a thread is settled. Saying it once more changes nothing."""
    return _settle(path, is_resolved=True)


@blueprint.post(
    "/content/<int:content_id>/comments/threads/<int:thread_id>/reopen",
    responses={200: ThreadAnswer, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_COMMENT)
def reopen(path: ThreadPath) -> Response:
    """Say that a thread is not settled after all. Saying it once more changes nothing."""
    return _settle(path, is_resolved=False)


@blueprint.patch(
    "/content/<int:content_id>/comments/<int:comment_id>",
    responses={200: CommentAnswer, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_COMMENT)
def edit(path: CommentPath, body: NewComment) -> Response:
    """Change the words of a comment of your own."""
    line = comments.edit(
        open_session(), current_actor(), path.content_id, path.comment_id, body.body
    )
    return answer(_shape_comment(line))


@blueprint.delete(
    "/content/<int:content_id>/comments/<int:comment_id>",
    responses={204: None, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_COMMENT)
def remove(path: CommentPath) -> Response:
    """Delete a comment of your own; editors delete any. Where others follow, its place stays."""
    comments.remove(open_session(), current_actor(), path.content_id, path.comment_id)
    return no_content()


def _settle(path: ThreadPath, *, is_resolved: bool) -> Response:
    line = comments.set_resolved(
        open_session(), current_actor(), path.content_id, path.thread_id, is_resolved=is_resolved
    )
    return answer(_shape(line))


def _place(query: PageQuery) -> Any:  # noqa: ANN401
    return None if query.cursor is None else decode_cursor(query.cursor, int)[0]


def _shape(line: ThreadLine) -> ThreadAnswer:
    return ThreadAnswer(
        id=line.id, version=line.version, line=line.line, quote=line.quote,
        current_line=line.current_line, outdated=line.is_outdated,
        resolved_at=line.resolved_at, resolved_by_id=line.resolved_by_id,
        created_at=line.created_at, comment_count=line.comment_count,
        first=_shape_comment(line.first),
    )  # fmt: skip


def _shape_comment(line: CommentLine) -> CommentAnswer:
    return CommentAnswer.model_validate(line)
