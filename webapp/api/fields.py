"""The types of fields that repeat in requests and answers."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from webapp.api.errors import RequestError
from webapp.kit.etags import is_any, read_tags
from webapp.kit.json_values import check_json, check_text
from webapp.kit.slugs import SLUG_MAX_LENGTH, SLUG_PATTERN

LARGEST_ID = 2**63 - 1
BODY_LIMIT = 2_000_000
REVISION = re.compile(r"[1-9][0-9]{0,17}")


class Input(BaseModel):
    """The parent of request bodies: unknown fields and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Query(BaseModel):
    """The parent of query strings and paths, where everything arrives as text."""

    model_config = ConfigDict(extra="forbid")


def _text(value: str) -> str:
    return check_text(value)


def _spoken(value: str) -> str:
    if not value.strip():
        raise ValueError("is blank")
    return check_text(value)


def _moment(value: datetime) -> datetime:
    if not 1970 <= value.year <= 9000:
        raise ValueError("must lie between the years 1970 and 9000")
    return value.astimezone(UTC)


def _metadata(value: dict[str, Any]) -> dict[str, Any]:
    check_json(value)
    if len(str(value)) > 50_000:
        raise ValueError("is larger than 50,000 characters")
    return value


Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_spoken)]
Title = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_spoken)]
ShortText = Annotated[str, Field(max_length=2_000), AfterValidator(_text)]
BodyText = Annotated[str, Field(max_length=BODY_LIMIT), AfterValidator(_text)]
SlugText = Annotated[str, Field(max_length=SLUG_MAX_LENGTH, pattern=SLUG_PATTERN)]
TagNames = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_spoken)]],
    Field(max_length=50),
]
Moment = Annotated[AwareDatetime, Field(strict=False), AfterValidator(_moment)]
Metadata = Annotated[dict[str, Any], AfterValidator(_metadata)]
Limit = Annotated[int, Field(ge=1, le=100, description="How many items a page holds at most.")]


class PageQuery(Query):
    """Which page of a list."""

    limit: Limit = 20
    cursor: Annotated[
        str | SkipJsonSchema[None],
        Field(max_length=500, description="The `next` of the page before; none for the first."),
    ] = None


class ContentPath(Query):
    """Which item."""

    content_id: Id


class VersionPath(ContentPath):
    """Which version of which item."""

    number: Id


class IfMatch(BaseModel):
    """The ETag that the caller has seen."""

    if_match: Annotated[
        str | SkipJsonSchema[None],
        Field(
            alias="If-Match",
            description='The ETag of the item as you read it, or "*". Of several any may fit. '
            'W/"7" is taken as "7", because proxies that compress make it weak.',
        ),
    ] = None

    def revisions(self) -> frozenset[int] | None:
        """Return the revisions that the caller has seen; None for `*`.

        Raises RequestError: 428 without the header, 412 for what no revision has as its ETag.
        """
        header = (self.if_match or "").strip()
        if not header:
            raise RequestError(428, "Send If-Match with the ETag of the item as you read it.")
        if is_any(header):
            return None
        tags = read_tags(header)
        if tags is None:
            raise RequestError(412, 'Send in If-Match what ETag held, with its quotes: "7".')
        seen = frozenset(int(tag) for tag in tags if REVISION.fullmatch(tag))
        if not seen:
            raise RequestError(412, "If-Match holds no ETag of this item; read it again.")
        return seen
