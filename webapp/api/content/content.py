"""Items of content: create, read, list, edit, publish and unpublish, put aside."""

from datetime import datetime
from typing import Any, Literal

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from webapp.api.answers import answer, page_of
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import (
    ACCOUNT_PROBLEMS,
    BEARER,
    IF_MATCH_PROBLEMS,
    NOT_MODIFIED,
    PRUNED,
    Blueprint,
)
from webapp.api.content.item_fields import ContentChanges, ContentEdit, NewContent
from webapp.api.content.warnings import ChecksQuery, Warnings, warnings_of
from webapp.api.edge import open_session, render_saves_ahead, web_context
from webapp.api.fields import (
    ContentPath,
    Id,
    IfMatch,
    Input,
    Omittable,
    PageQuery,
)
from webapp.kit.cursors import decode_cursor
from webapp.kit.lifecycle import Move, Progress, Standing
from webapp.kit.permissions import Permission
from webapp.kit.text_origins import TextOrigin
from webapp.models import Category
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, lifecycle
from webapp.services.content.content import ContentView, Draft
from webapp.services.content.item_reads import Shelf, WholeItem, read_item
from webapp.services.content.lifecycle import standing_of
from webapp.services.content.tagging import ItemTag
from webapp.services.publishing import publishing

blueprint = Blueprint("content", title="Content")

NEWEST = 0
CHANGE_PROBLEMS = {**ACCOUNT_PROBLEMS, **IF_MATCH_PROBLEMS}


class PublishRequest(Input):
    """Which version shall be public; without a number, the newest."""

    version: Id | None = None
    notify: bool = Field(True, description="Whether followers are told, if it is news to them.")


class ContentListQuery(PageQuery):
    """Which items to list; without a status, all that are neither archived nor in the trash."""

    status: Omittable[Standing] = None
    origin: Omittable[TextOrigin] = Field(None, description="Who wrote the newest version.")
    reviewed: Omittable[bool] = Field(
        None, description="Whether the newest version has an approval."
    )


class AuthorAnswer(BaseModel):
    """Who wrote it."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    login: str
    display_name: str


class TermAnswer(BaseModel):
    """A category or a tag, by name."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    slug: str
    name: str


class ContentSummary(BaseModel):
    """An item in a list: all but its body."""

    id: int
    title: str = Field(description="Empty while a draft has none.")
    slug: str = Field(description="Empty while a draft has neither a title nor a slug of its own.")
    status: Standing = Field(
        description="Where it stands. What was public and is no more is unpublished, not a draft."
    )
    is_public: bool = Field(description="Whether the public can read some version of it now.")
    version: int = Field(description="The number of the newest version.")
    excerpt: str
    author: AuthorAnswer
    category: TermAnswer | None
    tags: list[TermAnswer]
    metadata: dict[str, Any] = Field(description="Public as soon as the item is.")
    origin: TextOrigin | None = Field(description="Who wrote it; null where nobody has said it.")
    tool: str | None
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None


class HoldingAnswer(BaseModel):
    """A release that holds an item and has not gone live."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    state: Literal["open", "scheduled"]
    action: Literal["publish", "unpublish", "archive"]
    at: datetime | None = Field(validation_alias="due_at")


class ContentAnswer(ContentSummary):
    """An item whole, as its authors and editors see it."""

    body: str
    body_format: Literal["markdown", "html"]
    state: Progress = Field(
        description="How far its newest version is; what is public stays as it is meanwhile."
    )
    moves: list[Move] = Field(description="What the caller may do to it now.")
    releases: list[HoldingAnswer] = Field(
        description="Releases that hold it, open or with a moment; they keep it from being put "
        "aside."
    )
    warnings: Warnings = None


class ContentPage(BaseModel):
    """A page of items."""

    items: list[ContentSummary]
    next: str | None


@blueprint.post("/content", responses={201: ContentAnswer, **ACCOUNT_PROBLEMS}, security=BEARER)
@requires(Permission.CONTENT_CREATE)
def create(query: ChecksQuery, body: NewContent) -> Response:
    """Write a new item; its text is its first version.

    Below the role editor, an account has at most IMPRINT_QUOTA_DRAFTS drafts (409), and at most
    IMPRINT_QUOTA_SAVES_A_DAY saves with IMPRINT_QUOTA_BYTES_A_DAY bytes in a day of UTC (429).
    """
    if query.checks:
        render_saves_ahead()
    fields = body.model_dump()
    draft = Draft(**{**fields, "tags": tuple(fields["tags"])})
    actor = current_actor()
    made = content.create_whole(open_session(), actor, draft)
    return answer_whole(actor, made, 201, checked=made.content.version if query.checks else None)


@blueprint.get("/content", responses={200: ContentPage, **ACCOUNT_PROBLEMS}, security=BEARER)
@requires(Permission.CONTENT_READ_OWN)
def list_content(query: ContentListQuery) -> Response:
    """List the items that one may see, newest first: editors all, authors their own."""
    before: Any = None if query.cursor is None else decode_cursor(query.cursor, int)
    rows = content.list_content(
        open_session(), current_actor(), status=query.status, before=before,
        limit=query.limit + 1, origin=query.origin, reviewed=query.reviewed,
    )  # fmt: skip
    page = page_of(rows, query.limit, summary_of, lambda row: (row.content.id,))
    return answer(ContentPage(**page))


@blueprint.get(
    "/content/<int:content_id>",
    responses={200: ContentAnswer, **NOT_MODIFIED, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_READ_OWN)
def read(path: ContentPath) -> Response:
    """Read an item; its ETag is what a change of it wants in If-Match."""
    actor = current_actor()
    return answer_whole(actor, read_item(web_context().single_reads.first, actor, path.content_id))


@blueprint.patch(
    "/content/<int:content_id>",
    responses={200: ContentAnswer, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_EDIT_OWN)
def edit(path: ContentPath, query: ChecksQuery, header: IfMatch, body: ContentEdit) -> Response:
    """Change some fields; the result is a new version. What is public stays as it is.

    It counts as a save of the day, as a new item does.
    """
    if query.checks:
        render_saves_ahead()
    session, actor = open_session(), current_actor()
    saved = content.edit(
        session, actor, path.content_id, header.revisions(), given_changes(body),
        base_version=body.base_version,
    )  # fmt: skip
    whole = saved or content.get(session, actor, path.content_id)
    return answer_whole(actor, whole, checked=whole.content.version if query.checks else None)


@blueprint.delete(
    "/content/<int:content_id>",
    responses={200: ContentAnswer, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_TRASH_OWN)
def delete(path: ContentPath, header: IfMatch) -> Response:
    """Put an item into the trash, from which it can be taken out again.

    One that is public, archived or has an open schedule is refused (409).
    """
    content.trash(open_session(), current_actor(), path.content_id, header.revisions())
    return answer_with(path.content_id)


@blueprint.post(
    "/content/<int:content_id>/trash",
    responses={200: ContentAnswer, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_TRASH_OWN)
def trash(path: ContentPath, header: IfMatch) -> Response:
    """Put an item into the trash, as DELETE does."""
    content.trash(open_session(), current_actor(), path.content_id, header.revisions())
    return answer_with(path.content_id)


@blueprint.post(
    "/content/<int:content_id>/untrash",
    responses={200: ContentAnswer, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_TRASH_OWN)
def untrash(path: ContentPath, header: IfMatch) -> Response:
    """Take an item out of the trash; it stands where it stood before.

    It counts as a draft, of which an author may have so many (409).
    """
    content.untrash(open_session(), current_actor(), path.content_id, header.revisions())
    return answer_with(path.content_id)


@blueprint.post(
    "/content/<int:content_id>/archive",
    responses={200: ContentAnswer, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_TRASH_OWN)
def archive(path: ContentPath, header: IfMatch) -> Response:
    """Put an item aside for good: lists leave it out, and nobody edits or publishes it.

    One that is public, in the trash or has an open schedule is refused (409): unpublish it first.
    """
    content.archive(open_session(), current_actor(), path.content_id, header.revisions())
    return answer_with(path.content_id)


@blueprint.post(
    "/content/<int:content_id>/unarchive",
    responses={200: ContentAnswer, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_TRASH_OWN)
def unarchive(path: ContentPath, header: IfMatch) -> Response:
    """Take an item out of the archive; it stands where it stood before.

    It counts as a draft, of which an author may have so many (409).
    """
    content.unarchive(open_session(), current_actor(), path.content_id, header.revisions())
    return answer_with(path.content_id)


@blueprint.post(
    "/content/<int:content_id>/publish",
    responses={200: ContentAnswer, **CHANGE_PROBLEMS, **PRUNED},
    security=BEARER,
)
@requires(Permission.CONTENT_PUBLISH_APPROVED)
def publish(path: ContentPath, header: IfMatch, body: PublishRequest) -> Response:
    """Make a version public now and tell the followers, which takes `message.send` as well.

    One that lacks a title, or what IMPRINT_REQUIRED_FIELDS names, is refused (422) with all of it.

    Who may not publish alone (authors, and the roles of IMPRINT_APPROVAL_REQUIRED_ROLES) publishes
    exactly a version that has an approval; without one it is refused (403).
    An open schedule to publish the same version or an older one is cancelled; one for a newer
    version, and one to unpublish, stay.
    """
    publishing.publish(
        open_session(), current_actor(), path.content_id, header.revisions(),
        number=body.version, notify=body.notify,
    )  # fmt: skip
    return answer_with(path.content_id, checked=body.version or NEWEST)


@blueprint.post(
    "/content/<int:content_id>/unpublish",
    responses={200: ContentAnswer, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_PUBLISH)
def unpublish(path: ContentPath, header: IfMatch) -> Response:
    """Take an item back from the public, and cancel its open schedules.

    Nobody is told of it any more: inboxes hide it, and mails that wait are not sent. A mail that
    the mail server has taken already cannot be called back.
    """
    publishing.unpublish(open_session(), current_actor(), path.content_id, header.revisions())
    return answer_with(path.content_id)


def given_changes(body: ContentChanges) -> dict[str, Any]:
    """Return the fields that were sent; null means something for the category alone."""
    given = body.model_dump(exclude_unset=True, exclude={"base_version"})
    return {
        name: value.value if isinstance(value, TextOrigin) else value
        for name, value in given.items()
        if value is not None or name == "category_id"
    }


def answer_with(content_id: int, status: int = 200, *, checked: int | None = None) -> Response:
    """Answer with an item as it stands now, in the transaction of this request.

    Told is what checks say of the version of a number, of the `NEWEST`, or of none.
    """
    actor = current_actor()
    whole = content.get(open_session(), actor, content_id)
    number = None if checked is None else checked or whole.content.version
    return answer_whole(actor, whole, status, checked=number)


def answer_whole(
    actor: Actor, whole: WholeItem, status: int = 200, *, checked: int | None = None
) -> Response:
    """Answer with an item that has been read, and what checks say of a version of it."""
    item = whole.content
    facts = lifecycle.facts_from(actor, item, whole.state)
    shown = ContentAnswer(
        **_shown(whole),
        body=item.body,
        body_format=item.body_format,
        state=facts.progress,
        moves=lifecycle.moves_of(actor, item, facts),
        releases=[HoldingAnswer.model_validate(held) for held in whole.state.held],
        warnings=None if checked is None else warnings_of(item.id, checked),
    )
    return answer(
        shown,
        status,
        revision=item.revision,
        is_all_counted=whole.is_all_counted,
        location=f"/api/v1/content/{item.id}" if status == 201 else None,
    )


def summary_of(view: ContentView) -> ContentSummary:
    """Shape an item for a list."""
    return ContentSummary(**_shown(view))


def _shown(view: ContentView | WholeItem) -> dict[str, Any]:
    """Return what is shown of an item in a list, and with the rest of it."""
    item, author = view.content, view.author
    return {
        "id": item.id,
        "title": item.title,
        "slug": item.slug,
        "status": standing_of(item),
        "is_public": view.is_public,
        "version": item.version,
        "excerpt": item.excerpt,
        "author": AuthorAnswer(id=author.id, login=author.login, display_name=author.display_name),
        "category": None if view.category is None else _term(view.category),
        "tags": [_term(tag) for tag in view.tags],
        "metadata": item.details,
        "origin": None if item.origin is None else TextOrigin(item.origin),
        "tool": item.tool,
        "created_at": item.created_at,
        "updated_at": item.updated_at,
        "published_at": item.published_at,
    }


def _term(term: Category | Shelf | ItemTag) -> TermAnswer:
    return TermAnswer(id=term.id, slug=term.slug, name=term.name)
