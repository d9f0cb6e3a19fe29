"""The types of fields that repeat in requests and answers."""

import re
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
)
from pydantic_core import CoreSchema

from webapp.api.errors import RequestError
from webapp.kit.content_limits import BODY_LIMIT, TAG_LIMIT, TAGS_LIMIT, check_metadata
from webapp.kit.etags import is_any, read_tags
from webapp.kit.json_values import check_text
from webapp.kit.moments import NotAMomentError, read_moment
from webapp.kit.slugs import SLUG_MAX_LENGTH, SLUG_PATTERN
from webapp.kit.visible_lines import check_line

T = TypeVar("T")

LARGEST_ID = 2**63 - 1
REVISION = re.compile(r"[1-9][0-9]{0,17}")
PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)")


def _without_null_defaults(schema: dict[str, Any]) -> None:
    """Keep the document from saying that null is what a field without a value means.

    Most fields refuse it, and where a change may hold it, it says something else than nothing.
    """
    for described in schema.get("properties", {}).values():
        if described.get("default", ...) is None:
            del described["default"]


class Input(BaseModel):
    """The parent of request bodies: unknown fields and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra=_without_null_defaults)


class Query(BaseModel):
    """The parent of query strings and paths, where everything arrives as text."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_without_null_defaults)


def _text(value: str) -> str:
    return check_text(value)


def _line_or_nothing(value: str) -> str:
    return check_line(value) if value.strip() else ""


def _moment(value: Any) -> datetime:  # noqa: ANN401
    try:
        return read_moment(value)
    except NotAMomentError as error:
        raise ValueError(f"{error} (in an address a + is written %2B)") from error


def _plain_number(value: Any) -> Any:  # noqa: ANN401
    """Let a text through only as JSON would write the number; what it stands for is asked next."""
    if isinstance(value, str) and PLAIN_NUMBER.fullmatch(value) is None:
        raise ValueError("must be a whole number, in plain digits")
    return value


def _plain_flag(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, str) and value not in {"true", "false"}:
        raise ValueError("must be true or false")
    return value


def _metadata(value: dict[str, Any]) -> dict[str, Any]:
    check_metadata(value)
    return value


class _WithoutNull:
    """Takes null from what a field accepts, which leaves None to its default alone."""

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Return the schema of `T` alone, so that errors and the document speak of `T` alone."""
        schema = handler(source)
        inner: CoreSchema = schema["schema"]  # It is that of `T | None`.
        return inner


Omittable = Annotated[T | None, _WithoutNull()]
"""A field that may be left out and is then None; null is refused, as for any other field."""

Number = Annotated[int, BeforeValidator(_plain_number)]
Flag = Annotated[bool, BeforeValidator(_plain_flag)]
Id = Annotated[Number, Field(ge=1, le=LARGEST_ID)]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(check_line)]
Title = Annotated[str, Field(max_length=300), AfterValidator(_line_or_nothing)]
ShortText = Annotated[str, Field(max_length=2_000), AfterValidator(_text)]
BodyText = Annotated[str, Field(max_length=BODY_LIMIT), AfterValidator(_text)]
SlugText = Annotated[str, Field(max_length=SLUG_MAX_LENGTH, pattern=SLUG_PATTERN)]
TagName = Annotated[str, Field(min_length=1, max_length=TAG_LIMIT), AfterValidator(check_line)]
TagNames = Annotated[list[TagName], Field(max_length=TAGS_LIMIT)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Metadata = Annotated[
    dict[str, Any],
    AfterValidator(_metadata),
    Field(description="Whatever the item shall carry. It is public as soon as the item is."),
]
Limit = Annotated[Number, Field(ge=1, le=100, description="How many items a page holds at most.")]


class PageQuery(Query):
    """Which page of a list."""

    limit: Limit = 20
    cursor: Annotated[
        Omittable[str],
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

    model_config = ConfigDict(json_schema_extra=_without_null_defaults)

    if_match: Annotated[
        Omittable[str],
        Field(
            alias="If-Match",
            description='The ETag of the item as you read it, or "*". Of several any may fit. '
            'W/"7" is taken as "7", because proxies that compress make it weak.',
        ),
    ] = None

    def tags(self) -> frozenset[str] | None:
        """Return the tags that the caller has seen, without their quotes; None for `*`.

        Raises RequestError: 428 without the header, 412 for what is no list of tags.
        """
        header = (self.if_match or "").strip()
        if not header:
            raise RequestError(428, "Send If-Match with the ETag of the item as you read it.")
        if is_any(header):
            return None
        tags = read_tags(header)
        if tags is None:
            raise RequestError(412, 'Send in If-Match what ETag held, with its quotes: "7".')
        return frozenset(tags)

    def revisions(self) -> frozenset[int] | None:
        """Return the revisions that the caller has seen; None for `*`.

        Raises RequestError as `tags` does, and 412 for what no revision has as its ETag.
        """
        tags = self.tags()
        if tags is None:
            return None
        seen = frozenset(int(tag) for tag in tags if REVISION.fullmatch(tag))
        if not seen:
            raise RequestError(412, "If-Match holds no ETag of this item; read it again.")
        return seen
