"""The shapes of answers."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flask import Response, request
from pydantic import BaseModel

from webapp.api.errors import RequestError
from webapp.api.fields import IfMatch
from webapp.kit.cursors import encode_cursor, split_page
from webapp.kit.etags import holds_tag

Row = TypeVar("Row")

OWN = "private, no-cache"
"""A cache of the reader alone may keep it, and asks before each use."""

REVALIDATE = "public, max-age=0, must-revalidate"
"""Every cache may keep it, and asks before each use."""


def answer(
    model: BaseModel,
    status: int = 200,
    *,
    revision: int | None = None,
    is_all_counted: bool = True,
    location: str | None = None,
) -> Response:
    """Return a model as JSON, with the ETag of the revision and where it can be read again.

    Where it shows what no revision counts (not `is_all_counted`), nobody is told that it is as
    they have it.
    `location` is a path of this application; the client gets the path in front of it as well.
    """
    response = Response(model.model_dump_json(), status, content_type="application/json")
    if location is not None:
        response.headers["Location"] = request.script_root + location
    if revision is None:
        return response
    return conditional(response, f'"{revision}"', OWN, may_be_unchanged=is_all_counted)


def zip_answer(data: bytes, name: str) -> Response:
    """Return a zip to be saved under a name, which no cache keeps."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(data, headers=headers, content_type="application/zip")


def public_answer(body: bytes, etag: str | None = None) -> Response:
    """Return bytes of JSON that everybody may read, or 304 to who has them already.

    Without an ETag of its own the body gets one that follows from its bytes.
    """
    response = Response(body, content_type="application/json")
    return conditional(response, etag or digest_etag(body), REVALIDATE)


def digest_etag(body: bytes) -> str:
    """Return the ETag that follows from the bytes of an answer."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def tagged(model: BaseModel) -> Response:
    """Return a model as JSON with the ETag that follows from it; no cache keeps it."""
    body = model.model_dump_json().encode()
    response = Response(body, content_type="application/json")
    return conditional(response, digest_etag(body), "no-store")


def as_seen(header: IfMatch, shape: Callable[[Row], BaseModel]) -> Callable[[Row], bool]:
    """Return the question whether a thing is still as the caller has seen it.

    A service asks it once the thing is locked. The ETag follows from all that is shown, so it
    needs no column, and whatever changes the thing, also an older release, changes it too. Raises
    RequestError for an If-Match that is missing or no list.
    """
    seen = header.tags()

    def is_seen(row: Row) -> bool:
        body = shape(row).model_dump_json().encode()
        return seen is None or digest_etag(body).strip('"') in seen

    return is_seen


def conditional(
    response: Response, etag: str, cache_control: str, *, may_be_unchanged: bool = True
) -> Response:
    """Give an answer its ETag, and to a GET or HEAD only what its conditions ask for.

    That is 304 to a client that has it already, where it may be unchanged. Raises RequestError
    (412) where the client wants another one than there is (RFC 9110, 13.2.2).
    """
    headers = {"ETag": etag, "Cache-Control": cache_control}
    if request.method in {"GET", "HEAD"}:
        wanted = request.headers.get("If-Match")
        if wanted is not None and not holds_tag(wanted, etag):
            raise RequestError(412, "It has changed since you read it.")
        if may_be_unchanged and holds_tag(request.headers.get("If-None-Match", ""), etag):
            return Response(status=304, headers=headers)
    response.headers.update(headers)
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
