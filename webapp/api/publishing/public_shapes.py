"""What the public reads, as the API describes it."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from webapp.api.problems import PublicRetraction
from webapp.kit.text_origins import TextOrigin
from webapp.services.publishing.corrections import MOST_OF_ONE_ITEM


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
