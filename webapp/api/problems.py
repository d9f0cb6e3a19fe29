"""RFC 9457 problem documents: one shape for every error that a client meets."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, Literal

import orjson
from flask import Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from structlog.contextvars import get_contextvars

from webapp.kit.content_checks.pages import Level
from webapp.kit.lifecycle import Move, Progress, Standing

PROBLEM_JSON = "application/problem+json"


class FieldError(BaseModel):
    """One thing that is wrong with the input, and where."""

    field: str = Field(description="Dotted path, such as body.title or query.limit.")
    reason: str


class ItemState(BaseModel):
    """Where an item stands, and what the caller may do to it there."""

    status: Standing
    state: Progress = Field(description="How far its newest version is.")
    moves: list[Move] = Field(description="What the caller may do to it now.")


class FieldConflictAnswer(BaseModel):
    """A field, or a stretch of the body, that both have changed in different ways."""

    model_config = ConfigDict(from_attributes=True)

    field: str
    base: Any
    mine: Any
    theirs: Any


class MergeAnswer(BaseModel):
    """Your changes put together with what the item has become; offered, and applied by nobody."""

    model_config = ConfigDict(from_attributes=True)

    changes: dict[str, Any] = Field(
        description="What to PATCH for the item to hold both. In a body with conflicts each such "
        "place has the item's own words."
    )
    conflicts: list[FieldConflictAnswer]


class NewerItem(BaseModel):
    """What an item has become since the caller read it."""

    model_config = ConfigDict(from_attributes=True)

    version: int = Field(description="The number of its newest version.")
    etag: str = Field(description="What If-Match wants by now.")
    merge: MergeAnswer | None = Field(
        description="What both have changed; only where `base_version` was sent."
    )


class FindingAnswer(BaseModel):
    """What one check has to say of a version."""

    model_config = ConfigDict(from_attributes=True)

    rule: str
    level: Level
    message: str
    place: str = Field(description="The words of the page, or the address, that it is about.")


class PublicRetraction(BaseModel):
    """Why an item is public no more, and since when."""

    reason: str
    retracted_at: datetime


class OfferedMoment(BaseModel):
    """A moment that may have been meant, and how a clock in the zone shows it."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    time: datetime = Field(description="Without an offset, as the clock shows it.")
    fold: Literal["earlier", "later"] | None


class Problem(BaseModel):
    """What went wrong, for people and for programs."""

    type: str = Field(description="A name for this kind of problem; about:blank where none.")
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[FieldError] = Field(default_factory=list, description="Every wrong field at once.")
    item: ItemState | None = Field(
        None,
        description="Where the state of an item (409), or who asks (403), stands against it.",
    )
    newer: NewerItem | None = Field(
        None,
        description="Where an item has changed since it was read (412): what it is now.",
    )
    findings: list[FindingAnswer] | None = Field(
        None, description="Where errors that checks find keep a version from going out (422)."
    )
    retracted: PublicRetraction | None = Field(
        None, description="Where a public item was retracted (410)."
    )
    offers: list[OfferedMoment] | None = Field(
        None, description="Where a wall time is left out in its zone, or comes twice (422)."
    )


def problem(
    status: int,
    detail: str,
    *,
    kind: str = "about:blank",
    errors: Sequence[FieldError] = (),
    item: ItemState | None = None,
    newer: NewerItem | None = None,
    retracted: PublicRetraction | None = None,
    findings: list[FindingAnswer] | None = None,
    offers: list[OfferedMoment] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return the answer for a problem."""
    document = Problem(
        type=kind,
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        request_id=str(get_contextvars().get("request_id", "")),
        errors=list(errors),
        item=item,
        newer=newer,
        retracted=retracted,
        findings=findings,
        offers=offers,
    )
    said = {name: value for name, value in document.model_dump().items() if value is not None}
    body = orjson.dumps(said, option=orjson.OPT_UTC_Z)
    return Response(body, status, headers=headers, content_type=PROBLEM_JSON)


def field_errors(part: str, error: ValidationError) -> list[FieldError]:
    """Return what Pydantic found wrong in one part of a request, once for each field."""
    found_errors = error.errors(include_url=False, include_context=False, include_input=False)
    reasons: dict[str, str] = {}
    for found in found_errors:
        field = ".".join([part, *(str(step) for step in found["loc"])])
        reasons.setdefault(field, str(found["msg"]).removeprefix("Value error, "))
    return [FieldError(field=field, reason=reason) for field, reason in reasons.items()]


def problem_response(description: str) -> dict[str, Any]:
    """Return the OpenAPI description of a problem answer."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {PROBLEM_JSON: {"schema": schema}}}
