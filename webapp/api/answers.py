"""The shapes of answers."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flask import Response, request
from pydantic import BaseModel

from webapp.kit.cursors import encode_cursor, split_page

Row = TypeVar("Row")


def answer(
    model: BaseModel, status: int = 200, *, revision: int | None = None, location: str | None = None
) -> Response:
    """Return a model as JSON, with the ETag of the revision and where it can be read again."""
    response = Response(model.model_dump_json(), status, content_type="application/json")
    if revision is not None:
        response.set_etag(str(revision))
        response.headers["Cache-Control"] = "private, no-cache"
    if location is not None:
        response.headers["Location"] = location
    if revision is not None and request.method == "GET":
        response.make_conditional(request)
    return response


def no_content() -> Response:
    """Return the answer of a request that leaves nothing to say."""
    return Response(status=204)


def page_of(
    rows: Sequence[Row],
    limit: int,
    shape: Callable[[Row], Any],
    key: Callable[[Row], tuple[Any, ...]],
) -> dict[str, Any]:
    """Return the fields of a page from `limit + 1` rows: the items, and the cursor if more follow.

    `key` gives the sort key of a row, from which the next page goes on.
    """
    page, last = split_page(rows, limit)
    following = None if last is None else encode_cursor(*key(last))
    return {"items": [shape(row) for row in page], "next": following}
