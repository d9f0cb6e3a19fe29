"""Tags: made by use, put in order by managers."""

from functools import partial

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from webapp.api.answers import as_seen, no_content, page_of, public_answer, tagged
from webapp.api.auth import current_actor, public, requires
from webapp.api.blueprint import BEARER, NOT_MODIFIED, Blueprint, Responses
from webapp.api.content.taxonomy import (
    CHANGE_PROBLEMS,
    CountedPageQuery,
    CountedQuery,
    MergeInput,
)
from webapp.api.edge import open_session
from webapp.api.fields import Id, IfMatch, Input, Omittable, Query, SlugText, TagName
from webapp.api.problems import problem_response
from webapp.kit.cursors import decode_cursor
from webapp.kit.permissions import Permission
from webapp.models import Tag
from webapp.services.content import tag_changes, tagging, term_counts
from webapp.services.content.tag_changes import TagChanges

blueprint = Blueprint("tags", title="Tags")

NOT_FOUND: Responses = {"404": problem_response("There is no such tag.")}


class TagPath(Query):
    """Which tag."""

    tag_id: Id


class TagInput(Input):
    """What a tag is called; without a slug it keeps the one it has."""

    name: TagName
    slug: Omittable[SlugText] = None


class TagAnswer(BaseModel):
    """A tag."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    slug: str
    name: str


class CountedTag(TagAnswer):
    """A tag, with how many public items have it where that is asked for."""

    public: int | None = Field(None, description="Public items; with `counts=true` alone.")


class TagPage(BaseModel):
    """A page of tags."""

    items: list[CountedTag]
    next: str | None


@blueprint.get("/tags", responses={200: TagPage, **NOT_MODIFIED}, security=[])
@public
def list_tags(query: CountedPageQuery) -> Response:
    """List tags in the order of their slugs."""
    after_slug = ""
    if query.cursor is not None:
        (after_slug,) = decode_cursor(query.cursor, str)  # type: ignore[assignment]
    rows = tagging.list_tags(open_session(), after_slug=after_slug, limit=query.limit + 1)
    ids = [row.id for row in rows]
    counted = term_counts.count_tags(open_session(), ids) if query.counts else {}
    page = TagPage(**page_of(rows, query.limit, partial(_tag, counted), lambda row: (row.slug,)))
    return public_answer(page.model_dump_json(exclude_unset=True).encode())


@blueprint.get(
    "/tags/<int:tag_id>",
    responses={200: CountedTag, **NOT_FOUND, **NOT_MODIFIED},
    security=[],
)
@public
def read_tag(path: TagPath, query: CountedQuery) -> Response:
    """Read a tag of something public; one that only drafts have is as secret as they are.

    A change of it wants the ETag of an answer without `counts`.
    """
    found = tag_changes.view_tag(open_session(), path.tag_id)
    counted = term_counts.count_tags(open_session(), [found.id]) if query.counts else {}
    return public_answer(_tag(counted, found).model_dump_json(exclude_unset=True).encode())


@blueprint.put("/tags/<int:tag_id>", responses={200: TagAnswer, **CHANGE_PROBLEMS}, security=BEARER)
@requires(Permission.TAXONOMY_MANAGE)
def rename_tag(path: TagPath, header: IfMatch, body: TagInput) -> Response:
    """Give a tag another name, for all items that have it; it is still found under its former one.

    Lists are right at once; public items show the new name moments later.
    """
    changed = tag_changes.rename_tag(
        open_session(), current_actor(), path.tag_id, as_seen(header, _plain),
        TagChanges(body.name, body.slug),
    )  # fmt: skip
    return tagged(_plain(changed))


@blueprint.post(
    "/tags/<int:tag_id>/merge", responses={200: TagAnswer, **CHANGE_PROBLEMS}, security=BEARER
)
@requires(Permission.TAXONOMY_MANAGE)
def merge_tag(path: TagPath, header: IfMatch, body: MergeInput) -> Response:
    """Merge a tag into another one, and return that.

    Its items and followers come along, and who writes its name gets the other one.
    """
    target = tag_changes.merge_tag(
        open_session(), current_actor(), path.tag_id, as_seen(header, _plain), body.into_id
    )
    return tagged(_plain(target))


@blueprint.delete("/tags/<int:tag_id>", responses={204: None, **CHANGE_PROBLEMS}, security=BEARER)
@requires(Permission.TAXONOMY_MANAGE)
def delete_tag(path: TagPath, header: IfMatch) -> Response:
    """Take a tag from all items and readers; whoever writes its name makes it anew.

    Public items show it until a job has been there, moments later.
    """
    tag_changes.delete_tag(open_session(), current_actor(), path.tag_id, as_seen(header, _plain))
    return no_content()


def _plain(row: Tag) -> TagAnswer:
    return TagAnswer.model_validate(row)


def _tag(counted: dict[int, int], row: Tag) -> CountedTag:
    given = TagAnswer.model_validate(row).model_dump()
    if row.id in counted:
        given["public"] = counted[row.id]
    return CountedTag(**given)
