"""The fields of an item as they are sent."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from webapp.api.fields import (
    BodyText,
    Id,
    Input,
    Metadata,
    Omittable,
    ShortText,
    SlugText,
    TagNames,
    Title,
)
from webapp.kit.text_origins import LONGEST_TOOL, TextOrigin
from webapp.kit.visible_lines import check_line

ToolName = Annotated[str, Field(min_length=1, max_length=LONGEST_TOOL), AfterValidator(check_line)]
ORIGIN = (
    "Who wrote the text: a person, one with a tool, or a tool. Without it: a person where somebody "
    "has signed in, a tool in the session of an agent, and for other API keys nobody has said it; "
    "what a person changes in a generated text is assisted."
)
TOOL = "What wrote it or helped; for editors alone."


class NewContent(Input):
    """The text of a new item, which may lack anything until it is to go out.

    Without a slug one is made from the title, as soon as there is one.
    """

    title: Title = ""
    body: BodyText = ""
    body_format: Literal["markdown", "html"] = "markdown"
    slug: SlugText | None = None
    excerpt: ShortText = ""
    category_id: Id | None = None
    tags: TagNames = Field(default_factory=list)
    metadata: Metadata = Field(default_factory=dict)
    origin: Annotated[Omittable[TextOrigin], Field(description=ORIGIN)] = None
    tool: Annotated[Omittable[ToolName], Field(description=TOOL)] = None


class ContentChanges(Input):
    """What to change; a field that is left out stays as it is."""

    title: Omittable[Title] = None
    body: Omittable[BodyText] = None
    body_format: Omittable[Literal["markdown", "html"]] = None
    slug: Omittable[SlugText] = None
    excerpt: Omittable[ShortText] = None
    category_id: Id | None = None
    tags: Omittable[TagNames] = None
    metadata: Omittable[Metadata] = None
    origin: Annotated[Omittable[TextOrigin], Field(description=ORIGIN)] = None
    tool: Annotated[Omittable[ToolName], Field(description=TOOL)] = None


class ContentEdit(ContentChanges):
    """What to change, and in what."""

    base_version: Annotated[
        Omittable[Id],
        Field(
            description="The `version` that you began from. Whoever sent it and comes too late "
            "(412) is offered what both changed."
        ),
    ] = None
