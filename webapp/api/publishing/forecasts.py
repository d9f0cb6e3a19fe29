"""What the public will see at a moment to come, for who reads every schedule and every draft."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from flask import Response
from pydantic import Field

from webapp.api.auth import known_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, Blueprint, Responses
from webapp.api.edge import open_session, web_context
from webapp.api.fields import ContentPath, Moment, Omittable, Query
from webapp.api.publishing.public_shapes import PublishedAnswer
from webapp.kit.permissions import Permission
from webapp.services.content.renderings import ensure_renderings
from webapp.services.errors import AuthenticationError, NotFoundError
from webapp.services.publishing import forecasts
from webapp.services.publishing.forecast_documents import UnrenderedError
from webapp.services.publishing.published import Reader

blueprint = Blueprint("forecasts", title="Forecasts")

Result = TypeVar("Result")

FORECAST_FOR = "Imprint-Forecast-For"
"""The header that says of which moment an answer is, and so that it is a forecast."""

ForecastMoment = Annotated[
    Omittable[Moment],
    Field(
        description="Show what will be public at this moment, as it is planned now. It takes the"
        " permission `future.read`; the answer says the moment in Imprint-Forecast-For."
    ),
]
FORECAST_PROBLEMS: Responses = {
    "401": ACCOUNT_PROBLEMS["401"],
    "403": ACCOUNT_PROBLEMS["403"],
}


class ForecastQuery(Query):
    """For which moment."""

    at: Moment = Field(description="The moment; it has not passed.")


@blueprint.get(
    "/content/<int:content_id>/forecast",
    responses={200: PublishedAnswer, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.FUTURE_READ)
def read_item(path: ContentPath, query: ForecastQuery) -> Response:
    """Read what the public will read of an item at a moment to come; 404 where it will not be."""
    document = foreseen(lambda reader: forecasts.read_item_at(reader, path.content_id, query.at))
    if document is None:
        raise NotFoundError("Nothing of it will be public at that moment, as it is planned now.")
    return forecast(Response(document, content_type="application/json"), query.at)


def require_forecaster() -> None:
    """Raise AuthenticationError or ForbiddenError unless who calls a public view may see ahead."""
    actor = known_actor()
    if actor is None:
        raise AuthenticationError("Sign in to see what will be public.")
    actor.require(Permission.FUTURE_READ)


def foreseen(read: Callable[[Reader], Result]) -> Result:
    """Read ahead; where a version has lost its rendering, it is rendered and all begun anew."""
    try:
        return web_context().readers.run(read)
    except UnrenderedError as error:
        ensure_renderings(open_session(), error.version_ids)
        # Another request was faster, so it is there by now.
        return web_context().readers.run(read)


def forecast(response: Response, at: datetime) -> Response:
    """Mark an answer as a forecast, which no cache keeps and no search engine lists."""
    response.headers[FORECAST_FOR] = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
