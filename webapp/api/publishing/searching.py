"""The search: for everybody in what is public, and for who has signed in in their own as well."""

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import BaseModel, Field

from webapp.api.answers import public_answer, tagged
from webapp.api.auth import known_actor, public_to_all
from webapp.api.blueprint import NOT_MODIFIED, OPTIONAL_BEARER, Blueprint
from webapp.api.context import WebContext
from webapp.api.edge import open_session, web_context
from webapp.api.fields import Flag, Moment, Number, Omittable, PageQuery, SlugText
from webapp.api.publishing.forecasts import (
    FORECAST_PROBLEMS,
    ForecastMoment,
    forecast,
    foreseen,
    require_forecaster,
)
from webapp.api.publishing.published import QueryText, Words, read_asked
from webapp.kit.cursors import decode_cursor
from webapp.kit.lifecycle import Standing
from webapp.kit.search.languages import DICTIONARIES, SIMPLE, language_code
from webapp.services.errors import AuthenticationError, InvalidInputError
from webapp.services.publishing import searching
from webapp.services.publishing.forecast_search import search_at
from webapp.services.publishing.search_filters import SearchFilter
from webapp.services.publishing.searching import Found, Hit

blueprint = Blueprint("search", title="Search")

MOST_HITS = 50


class SearchQueryString(PageQuery):
    """What is searched for, and in what."""

    q: QueryText = Field(
        description='Words that are all to be found; `"in a row"`, `-without`, `begin*`, and `OR`'
        " between two words. At most 32 words."
    )
    limit: Annotated[Number, Field(ge=1, le=MOST_HITS, description="Hits of a page.")] = 20
    scope: Literal["public", "mine", "all"] = Field(
        "public",
        alias="in",
        description="`public`: what everybody may read. `mine`: your own items as they are now."
        " `all`: whatever you may see.",
    )
    typing: Flag = Field(False, description="The last word may go on: somebody is still typing it.")
    status: Omittable[Standing] = Field(None, description="Where the item stands.")
    tag: Omittable[SlugText] = Field(None, description="Slug of a tag.")
    category: Omittable[SlugText] = Field(None, description="Slug of a category.")
    author: Omittable[Words] = Field(None, description="Login of an author.")
    language: Omittable[Words] = Field(None, description="Such as `de`, or `simple` for none.")
    since: Omittable[Moment] = Field(
        None, alias="from", description="Published, or saved last, from this moment on."
    )
    until: Omittable[Moment] = Field(
        None, alias="to", description="Published, or saved last, before this moment."
    )
    at: ForecastMoment = None


class SearchHit(BaseModel):
    """An item that was found."""

    id: int
    position: int = Field(description="Its place among all hits; the first is 1.")
    is_public: bool = Field(description="Found in what is public, or else in the working copy.")
    status: Standing
    version: int
    slug: str
    url: str | None = Field(description="Where readers find it; none of a working copy.")
    title: str
    title_html: str = Field(description="The title as HTML: no tags but <mark>.")
    snippet: str = Field(description="What it says of it, as HTML: no tags but <mark>.")
    author: str
    language: str
    changed_at: datetime = Field(description="Published, or saved last, at that moment.")


class SearchPage(BaseModel):
    """A page of hits, best first."""

    items: list[SearchHit]
    next: str | None
    did_you_mean: str | None = Field(
        description="Where nothing is found: the search with words mended that nothing public has."
    )


@blueprint.get(
    "/search",
    responses={200: SearchPage, **NOT_MODIFIED, **FORECAST_PROBLEMS},
    security=OPTIONAL_BEARER,
)
@public_to_all
def search(query: SearchQueryString) -> Response:
    """Search, best first. Among very many hits the newest 200 are ranked, then the next 200.

    Where words are wanted in a row, a page may be empty and have a next one.
    """
    if query.at is not None:
        return _search_ahead(query, query.at)
    asked = read_asked(query.q, is_being_typed=query.typing)
    cursor, filters = _cursor(query), _filters(query)
    context = web_context()
    if query.scope == "public":
        found = context.readers.run(
            lambda reader: searching.search_public(reader, asked, filters, cursor, query.limit)
        )
        return public_answer(_page(found, context).model_dump_json().encode())
    actor = known_actor()
    if actor is None:
        raise AuthenticationError("Sign in to search in more than what is public.")
    found = searching.search_visible(
        open_session(), actor, query.scope, asked, filters, cursor, query.limit
    )
    return tagged(_page(found, context))


def _search_ahead(query: SearchQueryString, at: datetime) -> Response:
    """Search in what will be public at a moment to come."""
    require_forecaster()
    if query.scope != "public":
        raise InvalidInputError("at", "is of what is public, so it wants in=public", place="query")
    asked = read_asked(query.q, is_being_typed=query.typing)
    cursor, filters = _cursor(query), _filters(query)
    found = foreseen(lambda reader: search_at(reader, asked, filters, at, cursor, query.limit))
    body = _page(found, web_context()).model_dump_json()
    return forecast(Response(body, content_type="application/json"), at)


def _cursor(query: SearchQueryString) -> Any:  # noqa: ANN401
    if query.cursor is None:
        return searching.FIRST
    return decode_cursor(query.cursor, int, int, int, int)


def _filters(query: SearchQueryString) -> SearchFilter:
    language = None
    if query.language is not None:
        language = SIMPLE if query.language == SIMPLE else language_code(query.language)
        if language is None:
            known = ", ".join(sorted(DICTIONARIES))
            raise InvalidInputError(
                "language", f"must be {SIMPLE} or one of {known}", place="query"
            )
    return SearchFilter(
        query.tag, query.category, query.author, language, query.since, query.until, query.status
    )


def _page(found: Found, context: WebContext) -> SearchPage:
    items = [_shape(hit, context) for hit in found.hits]
    return SearchPage(items=items, next=found.next, did_you_mean=found.did_you_mean)


def _shape(hit: Hit, context: WebContext) -> SearchHit:
    url = context.settings.link_to_content(hit.slug) if hit.is_public else None
    return SearchHit(url=url, **vars(hit))
