"""A filter over items, as a request says it."""

from typing import Self

from pydantic import Field, model_validator

from webapp.api.fields import Id, Input, Moment, Name, Omittable, SlugText
from webapp.kit.lifecycle import Standing
from webapp.services.content.item_filters import ItemFilter


class FilterInput(Input):
    """Items to which all that is given applies; without a status, what is not put aside."""

    status: Omittable[Standing] = Field(None, strict=False)
    author_id: Omittable[Id] = None
    category_id: Omittable[Id] = None
    tag: Omittable[SlugText] = Field(None, description="Slug of a tag.")
    created_from: Omittable[Moment] = Field(None, description="Written at this moment or later.")
    created_to: Omittable[Moment] = Field(None, description="Written before this moment.")
    import_collection: Omittable[Name] = Field(
        None, description="The collection of an import that they came with."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("say by at least one field which items are meant")
        return self

    def wanted(self) -> ItemFilter:
        """Return the filter as services take it."""
        return ItemFilter(**self.model_dump())
