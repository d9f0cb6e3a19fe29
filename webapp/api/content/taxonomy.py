"""Categories (a tree, kept by managers) and tags (made by use)."""

from functools import partial
from typing import Annotated

from flask import Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from webapp.api.answers import (
    OWN,
    answer,
    as_seen,
    conditional,
    digest_etag,
    no_content,
    page_of,
    public_answer,
    tagged,
)
from webapp.api.auth import current_actor, known_actor, public_to_all, requires
from webapp.api.blueprint import (
    ACCOUNT_PROBLEMS,
    BEARER,
    IF_MATCH_PROBLEMS,
    NOT_MODIFIED,
    OPTIONAL_BEARER,
    Blueprint,
    Responses,
)
from webapp.api.edge import open_session
from webapp.api.fields import (
    LARGEST_ID,
    Flag,
    Id,
    IfMatch,
    Input,
    Name,
    Omittable,
    PageQuery,
    Query,
    ShortText,
    SlugText,
)
from webapp.api.problems import problem_response
from webapp.kit.cursors import decode_cursor
from webapp.kit.permissions import Permission
from webapp.models import Category
from webapp.services.accounts.actors import Actor
from webapp.services.content import category_removal, taxonomy, term_counts
from webapp.services.content.taxonomy import CategoryChanges, CategoryView
from webapp.services.content.term_counts import CategoryCounts

blueprint = Blueprint("taxonomy", title="Categories and tags")

CHANGE_PROBLEMS: Responses = {**ACCOUNT_PROBLEMS, **IF_MATCH_PROBLEMS}
NOT_FOUND: Responses = {"404": problem_response("There is no such category.")}


class CategoryInput(Input):
    """A category; without a slug one is made from the name, without a parent it is a root."""

    name: Name
    slug: Omittable[SlugText] = None
    description: ShortText = ""
    parent_id: Id | None = None


CountsFlag = Annotated[
    Flag,
    Field(description="Say how much stands in each. The ETag is then that of the numbers as well."),
]


class CountedQuery(Query):
    """Whether to count."""

    counts: CountsFlag = False


class CountedPageQuery(PageQuery):
    """Which page of a list, and whether to count."""

    counts: CountsFlag = False


class CategoryPath(Query):
    """Which category."""

    category_id: Id


class MergeInput(Input):
    """Into which one."""

    into_id: Id


def _id_or_none(text: str) -> str:
    if text != "none" and int(text) > LARGEST_ID:
        raise ValueError(f"must be at most {LARGEST_ID}")
    return text


class DeletionQuery(Query):
    """What becomes of what stands in a category."""

    reassign_to: Annotated[
        Omittable[str],
        Field(
            pattern=r"^(?:none|[1-9][0-9]{0,18})$",
            description="The category into which its items and sub-categories come; `none`, as"
            " without it, leaves them without one.",
        ),
        AfterValidator(_id_or_none),
    ] = None
    only_unused: Annotated[
        Flag,
        Field(
            description="Refuse (409) where something stands in it and `reassign_to` is left out."
        ),
    ] = False


class CategoryAnswer(BaseModel):
    """A category and where it stands."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    slug: str
    name: str
    description: str
    parent_id: int | None


class CountsAnswer(BaseModel):
    """How much stands in a category at this moment."""

    model_config = ConfigDict(from_attributes=True)

    public: int = Field(description="Public items in it.")
    public_with_subtree: int = Field(description="Public items in it and below it.")
    items: int | None = Field(
        description="Items in it that you may see, drafts as well, without the trash; null for"
        " who may not choose among all categories."
    )


class CountedCategory(CategoryAnswer):
    """A category, with what stands in it where that is asked for."""

    counts: CountsAnswer | None = Field(None, description="With `counts=true` alone.")


class CategoryPage(BaseModel):
    """A page of categories."""

    items: list[CountedCategory]
    next: str | None


@blueprint.get(
    "/categories", responses={200: CategoryPage, **NOT_MODIFIED}, security=OPTIONAL_BEARER
)
@public_to_all
def list_categories(query: CountedPageQuery) -> Response:
    """List categories in the order of their ids; `parent_id` makes them a tree.

    One that an import has made shows once something in it is public; authors see it before.
    """
    actor = known_actor()
    after_id = 0
    if query.cursor is not None:
        (after_id,) = decode_cursor(query.cursor, int)  # type: ignore[assignment]
    rows = taxonomy.list_categories(open_session(), actor, after_id=after_id, limit=query.limit + 1)
    counted = _counts(actor, [row.id for row in rows], is_wanted=query.counts)
    page = page_of(rows, query.limit, partial(_counted, counted), lambda row: (row.id,))
    return _answer_to(actor, CategoryPage(**page))


@blueprint.get(
    "/categories/<int:category_id>",
    responses={200: CountedCategory, **NOT_FOUND, **NOT_MODIFIED},
    security=OPTIONAL_BEARER,
)
@public_to_all
def read_category(path: CategoryPath, query: CountedQuery) -> Response:
    """Read one category. A change of it wants the ETag of an answer without `counts`."""
    actor = known_actor()
    found = taxonomy.view_category(open_session(), actor, path.category_id)
    counted = _counts(actor, [found.id], is_wanted=query.counts)
    return _answer_to(actor, _counted(counted, found))


@blueprint.post("/categories", responses={201: CategoryAnswer, **ACCOUNT_PROBLEMS}, security=BEARER)
@requires(Permission.TAXONOMY_MANAGE)
def create_category(body: CategoryInput) -> Response:
    """Add a category."""
    made = taxonomy.create_category(open_session(), current_actor(), _changes(body))
    return answer(_category(made), 201, location=f"/api/v1/categories/{made.id}")


@blueprint.put(
    "/categories/<int:category_id>",
    responses={200: CategoryAnswer, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.TAXONOMY_MANAGE)
def change_category(path: CategoryPath, header: IfMatch, body: CategoryInput) -> Response:
    """Replace what a category says of itself; without a slug it keeps the one it has.

    Lists by category are right at once; public items show the new names moments later.
    """
    changed = taxonomy.change_category(
        open_session(), current_actor(), path.category_id, as_seen(header, _category),
        _changes(body),
    )  # fmt: skip
    return tagged(_category(changed))


@blueprint.delete(
    "/categories/<int:category_id>", responses={204: None, **CHANGE_PROBLEMS}, security=BEARER
)
@requires(Permission.TAXONOMY_MANAGE)
def delete_category(path: CategoryPath, query: DeletionQuery, header: IfMatch) -> Response:
    """Remove a category; its items and sub-categories stay, without it or in another one.

    Public items show it until a job has been there, moments later. Its followers lose it; a merge
    keeps them.
    """
    chosen = query.reassign_to
    category_removal.delete_category(
        open_session(), current_actor(), path.category_id, as_seen(header, _category),
        reassign_to=None if chosen in {None, "none"} else int(chosen),
        only_unused=query.only_unused and chosen is None,
    )  # fmt: skip
    return no_content()


@blueprint.post(
    "/categories/<int:category_id>/merge",
    responses={200: CategoryAnswer, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.TAXONOMY_MANAGE)
def merge_category(path: CategoryPath, header: IfMatch, body: MergeInput) -> Response:
    """Merge a category into another one, and return that.

    Its items, followers and sub-categories come along, and its slug stays an alias of the other
    one's. Lists are right at once; public items show the other name moments later.
    """
    target = category_removal.merge_category(
        open_session(), current_actor(), path.category_id, as_seen(header, _category), body.into_id
    )
    return tagged(_category(target))


def _changes(body: CategoryInput) -> CategoryChanges:
    return CategoryChanges(**body.model_dump())


def _answer_to(actor: Actor | None, shown: BaseModel) -> Response:
    """Answer with what this caller may see, which no cache may give to another one."""
    body = shown.model_dump_json(exclude_unset=True).encode()
    if actor is None:
        response = public_answer(body)
    else:
        response = conditional(
            Response(body, content_type="application/json"), digest_etag(body), OWN
        )
    response.vary.add("Authorization")
    return response


def _category(row: Category | CategoryView) -> CategoryAnswer:
    return CategoryAnswer.model_validate(row)


def _counts(
    actor: Actor | None, category_ids: list[int], *, is_wanted: bool
) -> dict[int, CategoryCounts]:
    return term_counts.count_categories(open_session(), actor, category_ids) if is_wanted else {}


def _counted(counted: dict[int, CategoryCounts], row: CategoryView) -> CountedCategory:
    """Shape a category with its counts, or as it is without them."""
    given = _category(row).model_dump()
    if row.id in counted:
        given["counts"] = CountsAnswer.model_validate(counted[row.id])
    return CountedCategory(**given)
