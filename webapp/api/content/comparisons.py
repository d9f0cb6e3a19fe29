"""What changed between two versions of an item."""

from typing import Annotated, Any, Literal

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from webapp.api.answers import answer
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, PRUNED, Blueprint
from webapp.api.edge import open_session
from webapp.api.fields import Flag, Id, Omittable, Query, VersionPath
from webapp.kit.permissions import Permission
from webapp.services.content import comparisons, item_reads

blueprint = Blueprint("comparisons", title="Versions")


class ComparisonQuery(Query):
    """What to compare with, and how to show it."""

    former: Annotated[
        Omittable[Id], Field(description="The other version; without it the one before.")
    ] = None
    html: Annotated[
        Flag, Field(description="Whether to show the page as it is read, with its changes marked.")
    ] = False


class ChangedField(BaseModel):
    """The two values of a field that differs."""

    former: Any
    latter: Any


class ComparedRun(BaseModel):
    """Words in a row that both texts have, or that one of them has alone."""

    model_config = ConfigDict(from_attributes=True)

    operation: Literal["equal", "removed", "added"]
    text: str


class ComparisonAnswer(BaseModel):
    """What makes the former version the latter."""

    former: int
    latter: int
    fields: dict[str, ChangedField] = Field(description="Those that differ, but for the body.")
    body: list[ComparedRun] = Field(
        description="What is equal or removed, in a row, is the former body; what is equal or "
        "added is the latter."
    )
    words_added: int
    words_removed: int
    is_exact: bool = Field(
        description="False where a long stretch of ever the same words is shown as replaced."
    )
    html: str | None = Field(
        description="The latter page, safe to show, with <ins class=added> and <del "
        "class=removed>; null unless it was asked for."
    )


@blueprint.get(
    "/content/<int:content_id>/versions/<int:number>/comparison",
    responses={200: ComparisonAnswer, **ACCOUNT_PROBLEMS, **PRUNED},
    security=BEARER,
)
@requires(Permission.CONTENT_READ_OWN)
def compare_versions(path: VersionPath, query: ComparisonQuery) -> Response:
    """Show what a version changed, word by word."""
    session = open_session()
    item_reads.require_item(session, current_actor(), path.content_id)
    found = comparisons.compare(session, path.content_id, query.former, path.number)
    fields = {
        "metadata" if name == "details" else name: ChangedField(former=values[0], latter=values[1])
        for name, values in found.fields.items()
    }
    page = comparisons.marked_page(session, found.former, found.latter) if query.html else None
    return answer(
        ComparisonAnswer(
            former=found.former.number,
            latter=found.latter.number,
            fields=fields,
            body=[ComparedRun.model_validate(run) for run in found.body],
            words_added=found.words_added,
            words_removed=found.words_removed,
            is_exact=found.is_exact,
            html=page,
        )
    )
