"""What the public reads. No session, no ORM: one statement, and stored bytes passed through."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from flask import Response, request
from pydantic import AfterValidator, Field, RootModel

from webapp.api.answers import REVALIDATE, public_answer
from webapp.api.auth import public_but_for
from webapp.api.blueprint import API_PREFIX, NOT_MODIFIED, OPTIONAL_BEARER, Blueprint
from webapp.api.edge import web_context
from webapp.api.fields import Flag, Omittable, PageQuery, Query, SlugText
from webapp.api.problems import PublicRetraction, problem, problem_response
from webapp.api.publishing.forecasts import (
    FORECAST_PROBLEMS,
    ForecastMoment,
    forecast,
    foreseen,
    require_forecaster,
)
from webapp.api.publishing.public_shapes import PublishedAnswer, PublishedPage, RetractedAnswer
from webapp.kit.cursors import decode_cursor
from webapp.kit.json_values import check_text
from webapp.kit.search.queries import LONGEST_QUERY, NoQueryError, SearchQuery, read_query
from webapp.kit.text_origins import TextOrigin
from webapp.services.errors import InvalidInputError, NotFoundError
from webapp.services.publishing import forecast_lists, forecasts, published
from webapp.services.publishing.published import Moved, PublicFilter, Retracted

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


class ForecastedQuery(Query):
    """When."""

    at: ForecastMoment = None


class PublishedQuery(PageQuery):
    """Which public items."""

    tag: Omittable[SlugText] = Field(None, description="Slug of a tag.")
    category: Omittable[SlugText] = Field(None, description="Slug of a category.")
    subtree: Flag = Field(False, description="The categories below `category` as well.")
    author: Omittable[Words] = Field(None, description="Login of an author.")
    q: Omittable[QueryText] = Field(None, description="What to search for, as `GET /search` does.")
    origin: Omittable[TextOrigin] = Field(None, description="Who wrote it, where that was said.")
    at: ForecastMoment = None


class FormerOrPublished(RootModel[PublishedAnswer | RetractedAnswer]):
    """A public item, or what stands in the place of one."""


@blueprint.get(
    "/published",
    responses={200: PublishedPage, **NOT_MODIFIED, **FORECAST_PROBLEMS},
    security=OPTIONAL_BEARER,
)
@public_but_for("at")
def list_published(query: PublishedQuery) -> Response:
    """List public items, newest first."""
    before: Any = None if query.cursor is None else decode_cursor(query.cursor, datetime, int)
    if query.at is not None:
        require_forecaster()
    filters = _filters(query)
    at, limit = query.at, query.limit
    if at is not None:
        body = foreseen(
            lambda reader: forecast_lists.list_at(reader, filters, at, before=before, limit=limit)
        )
        return forecast(Response(body, content_type="application/json"), at)
    body = web_context().readers.run(
        lambda reader: published.list_newest(reader, filters, before=before, limit=limit)
    )
    return public_answer(body)


def _filters(query: PublishedQuery) -> PublicFilter:
    asked = None if query.q is None else read_asked(query.q)
    if query.subtree and query.category is None:
        raise InvalidInputError("subtree", "is of a category, which is not named", place="query")
    return PublicFilter(query.tag, query.category, query.author, asked, query.subtree, query.origin)


@blueprint.get(
    "/published/<slug>",
    responses={
        200: FormerOrPublished,
        **NOT_MODIFIED,
        **FORECAST_PROBLEMS,
        "301": {"description": "It has another slug now; see Location."},
        "404": problem_response("Nothing public has this slug."),
        "410": problem_response("It was retracted; `retracted` says why."),
    },
    security=OPTIONAL_BEARER,
)
@public_but_for("at")
def read_published(path: PublishedPath, query: ForecastedQuery) -> Response:
    """Read a public item by its slug; an old slug answers with a redirect to the present one.

    What was retracted answers 410 with the reason, or 200 with a stub, as IMPRINT_RETRACTED says.
    """
    if query.at is not None:
        return forecast(_read_ahead(path.slug, query.at), query.at)
    readers = web_context().readers
    document = readers.run(lambda reader: published.read(reader, path.slug))
    if document is not None:
        return public_answer(document.body, document.etag)
    former = readers.run(lambda reader: published.find_former(reader, path.slug))
    if former is None:
        raise NotFoundError("Nothing public has this slug.")
    return _say_retracted(former) if isinstance(former, Retracted) else _redirect(former)


def _read_ahead(slug: str, at: datetime) -> Response:
    """Answer with what will be public under a slug at a moment to come."""
    require_forecaster()
    found = foreseen(lambda reader: forecasts.read_at(reader, slug, at))
    if found is None:
        raise NotFoundError("Nothing will be public under this slug at that moment.")
    if isinstance(found, bytes):
        return Response(found, content_type="application/json")
    if isinstance(found, Retracted):
        return _say_retracted(found)
    return _redirect(found, f"?at={quote(at.isoformat(), safe='')}")


def _redirect(former: Moved, query: str = "") -> Response:
    # An item may take its old slug again, so nobody may keep this answer unasked.
    location = f"{request.script_root}{API_PREFIX}/published/{former.slug}{query}"
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
