"""Labels of versions: names such as "as printed", under which one is found again and kept."""

from datetime import datetime
from typing import Annotated, Any

from flask import Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from webapp.api.answers import answer, no_content, page_of
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, PRUNED, Blueprint
from webapp.api.edge import open_session
from webapp.api.fields import ContentPath, Id, Input, PageQuery, VersionPath
from webapp.kit.cursors import decode_cursor
from webapp.kit.permissions import Permission
from webapp.kit.visible_lines import check_line
from webapp.services.content import labels
from webapp.services.content.labels import LabelLine

blueprint = Blueprint("labels", title="Versions")


class NewLabel(Input):
    """A name for a version, which no other version of the item has."""

    name: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(check_line)]


class LabelAnswer(BaseModel):
    """A label, and the version that has it."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    version: int
    created_by_id: int | None
    created_at: datetime


class LabelPage(BaseModel):
    """A page of labels."""

    items: list[LabelAnswer]
    next: str | None


class LabelPath(ContentPath):
    """Which label of which item."""

    label_id: Id


@blueprint.post(
    "/content/<int:content_id>/versions/<int:number>/labels",
    responses={201: LabelAnswer, **ACCOUNT_PROBLEMS, **PRUNED},
    security=BEARER,
)
@requires(Permission.CONTENT_EDIT_OWN)
def add(path: VersionPath, body: NewLabel) -> Response:
    """Give a version a name. It is found by it, and no pruning of versions takes it away.

    A name that another version of the item has is refused (409). Once more is the same label.
    """
    line = labels.add(open_session(), current_actor(), path.content_id, path.number, body.name)
    return answer(_shape(line), 201)


@blueprint.get(
    "/content/<int:content_id>/labels",
    responses={200: LabelPage, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_READ_OWN)
def list_labels(path: ContentPath, query: PageQuery) -> Response:
    """List the labels of an item's versions, newest first."""
    below: Any = None
    if query.cursor is not None:
        (below,) = decode_cursor(query.cursor, int)
    rows = labels.list_labels(
        open_session(), current_actor(), path.content_id, below=below, limit=query.limit + 1
    )
    return answer(LabelPage(**page_of(rows, query.limit, _shape, lambda row: (row.id,))))


@blueprint.delete(
    "/content/<int:content_id>/labels/<int:label_id>",
    responses={204: None, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_EDIT_OWN)
def remove(path: LabelPath) -> Response:
    """Take a name from its version."""
    labels.remove(open_session(), current_actor(), path.content_id, path.label_id)
    return no_content()


def _shape(line: LabelLine) -> LabelAnswer:
    return LabelAnswer.model_validate(line)
