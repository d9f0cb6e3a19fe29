"""What the public reads. No session, no ORM: one statement, and stored bytes passed through."""

from datetime import datetime
from typing import Annotated, Any

from flask import Response, request
from pydantic import AfterValidator, BaseModel, Field, RootModel

from webapp.api.answers import REVALIDATE, public_answer
from webapp.api.auth import public
from webapp.api.blueprint import API_PREFIX, NOT_MODIFIED, Blueprint
from webapp.api.edge import web_context
from webapp.api.fields import Flag, Omittable, PageQuery, Query, SlugText
from webapp.api.problems import PublicRetraction, problem, problem_response
from webapp.kit.cursors import decode_cursor
from webapp.kit.json_values import check_text
from webapp.kit.search.queries import LONGEST_QUERY, NoQueryError, SearchQuery, read_query
from webapp.kit.text_origins import TextOrigin
from webapp.services.errors import InvalidInputError, NotFoundError
from webapp.services.publishing import published
from webapp.services.publishing.corrections import MOST_OF_ONE_ITEM
from webapp.services.publishing.published import PublicFilter, Retracted

blueprint = Blueprint("published", title="Published content")

Words = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(check_text)]


QueryText = Annotated[
    str, Field(min_length=1, max_length=LONGEST_QUERY), AfterValidator(check_text)
]


def read_asked(text: str, *, is_being_typed: bool = False) -> SearchQuery:
    """Read what is searched for. Raises InvalidInputError, which says why nothing can be found."""
    try:
        return read_query(text, is_being_typed=is_being_typed)
    except NoQueryError as error:
        raise InvalidInputError("q", str(error), place="query") from error


class PublishedPath(Query):
    """Which public item."""

    slug: SlugText


class PublishedQuery(PageQuery):
    """Which public items."""

    tag: Omittable[SlugText] = Field(None, description="Slug of a tag.")
    category: Omittable[SlugText] = Field(None, description="Slug of a category.")
    subtree: Flag = Field(False, description="The categories below `category` as well.")
    author: Omittable[Words] = Field(None, description="Login of an author.")
    q: Omittable[QueryText] = Field(None, description="What to search for, as `GET /search` does.")
    origin: Omittable[TextOrigin] = Field(None, description="Who wrote it, where that was said.")


class PublicPerson(BaseModel):
    """Who wrote it."""

    id: int
    name: str


class PublicTerm(BaseModel):
    """A category or a tag."""

    id: int
    slug: str
    name: str


class PublicOrigin(BaseModel):
    """Who wrote it, and whether somebody has reviewed this very version before it went public."""

    kind: TextOrigin
    reviewed: bool = Field(description="Whether somebody has approved of this very version.")


class PublishedSummary(BaseModel):
    """A public item in a list."""

    id: int
    slug: str
    title: str
    excerpt: str
    author: PublicPerson
    category: PublicTerm | None
    tags: list[PublicTerm]
    published_at: datetime
    updated_at: datetime
    metadata: dict[str, Any]
    origin: PublicOrigin | None = Field(
        None, description="Left out where nobody has said who wrote it."
    )


class PublicCorrection(BaseModel):
    """What was wrong in an earlier text, and since when it is right."""

    note: str
    corrected_at: datetime


class PublishedAnswer(PublishedSummary):
    """A public item whole, with its sanitised HTML."""

    html: str = Field(description="Sanitised HTML; everything else is plain text.")
    corrections: list[PublicCorrection] = Field(
        description=f"All of them, at most {MOST_OF_ONE_ITEM}, newest last."
    )


class RetractedAnswer(BaseModel):
    """What stands where an item stood that was retracted, if IMPRINT_RETRACTED is `stub`."""

    id: int
    slug: str
    title: str | None = Field(description="null where it was not to be kept.")
    retracted: PublicRetraction


class PublishedPage(BaseModel):
    """A page of public items."""

    items: list[PublishedSummary]
    next: str | None


class FormerOrPublished(RootModel[PublishedAnswer | RetractedAnswer]):
    """A public item, or what stands in the place of one."""


@blueprint.get("/published", responses={200: PublishedPage, **NOT_MODIFIED}, security=[])
@public
def list_published(query: PublishedQuery) -> Response:
    """List public items, newest first."""
    before: Any = None if query.cursor is None else decode_cursor(query.cursor, datetime, int)
    asked = None if query.q is None else read_asked(query.q)
    if query.subtree and query.category is None:
        raise InvalidInputError("subtree", "is of a category, which is not named", place="query")
    filters = PublicFilter(
        query.tag, query.category, query.author, asked, query.subtree, query.origin
    )
    body = web_context().readers.run(
        lambda reader: published.list_newest(reader, filters, before=before, limit=query.limit)
    )
    return public_answer(body)


@blueprint.get(
    "/published/<slug>",
    responses={
        200: FormerOrPublished,
        **NOT_MODIFIED,
        "301": {"description": "It has another slug now; see Location."},
        "404": problem_response("Nothing public has this slug."),
        "410": problem_response("It was retracted; `retracted` says why."),
    },
    security=[],
)
@public
def read_published(path: PublishedPath) -> Response:
    """Read a public item by its slug; an old slug answers with a redirect to the present one.

    What was retracted answers 410 with the reason, or 200 with a stub, as IMPRINT_RETRACTED says.
    """
    readers = web_context().readers
    document = readers.run(lambda reader: published.read(reader, path.slug))
    if document is not None:
        return public_answer(document.body, document.etag)
    former = readers.run(lambda reader: published.find_former(reader, path.slug))
    if former is None:
        raise NotFoundError("Nothing public has this slug.")
    if isinstance(former, Retracted):
        return _say_retracted(former)
    # An item may take its old slug again, so nobody may keep this answer unasked.
    location = f"{request.script_root}{API_PREFIX}/published/{former.slug}"
    headers = {"Location": location, "Cache-Control": REVALIDATE}
    return Response(status=301, headers=headers)


def _say_retracted(former: Retracted) -> Response:
    """Say why an item is not public any more, as the settings want it said."""
    why = PublicRetraction(reason=former.reason, retracted_at=former.retracted_at)
    if web_context().settings.retracted == "stub":
        stub = RetractedAnswer(id=former.id, slug=former.slug, title=former.title, retracted=why)
        return public_answer(stub.model_dump_json().encode())
    headers = {"Cache-Control": REVALIDATE}
    return problem(410, former.reason, retracted=why, headers=headers)
