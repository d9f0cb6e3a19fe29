"""What somebody is writing and has not saved: theirs alone, and cheap to keep every few seconds."""

from datetime import datetime
from typing import Annotated, Any

from flask import Response
from pydantic import BaseModel, Field

from webapp.api.answers import answer, no_content
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import BEARER, NOT_MODIFIED, Blueprint
from webapp.api.content.content import (
    CHANGE_PROBLEMS,
    ContentAnswer,
    answer_with,
    given_changes,
)
from webapp.api.content.item_fields import ContentChanges
from webapp.api.edge import open_session
from webapp.api.fields import ContentPath, Id, IfMatch, Input
from webapp.api.problems import MergeAnswer
from webapp.kit.permissions import Permission
from webapp.services.content import autosaves
from webapp.services.content.autosaves import AutosaveView

blueprint = Blueprint("autosaves", title="Content")


class UnsavedChanges(Input):
    """The fields that were changed since a version was read."""

    base_version: Annotated[
        Id, Field(description="The `version` of the item that the changes were begun from.")
    ]
    changes: ContentChanges


class AutosaveAnswer(BaseModel):
    """Your unsaved changes to an item."""

    base_version: int
    changes: dict[str, Any]
    updated_at: datetime
    conflicted_at: datetime | None = Field(
        description="Since when they could not become a version by themselves, and wait for you."
    )
    item_version: int = Field(
        description="The newest version of the item: where it is above `base_version`, read them."
    )


class AutosaveWhole(AutosaveAnswer):
    """Your unsaved changes, and how the item stands to them."""

    merge: MergeAnswer | None = Field(description="Null while the item is as you read it.")


@blueprint.put(
    "/content/<int:content_id>/autosave",
    responses={200: AutosaveAnswer, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_EDIT_OWN)
def keep(path: ContentPath, header: IfMatch, body: UnsavedChanges) -> Response:
    """Keep what you are writing, apart from everybody else's; it is no version and no activity.

    Send all that you have changed since `base_version`; it takes the place of what you kept before.
    The first time needs no If-Match; later ones want the ETag of the last answer, so that two
    windows do not write over each other (412). Left alone for 15 minutes, it becomes a version.
    """
    view = autosaves.keep(
        open_session(), current_actor(), path.content_id,
        frozenset() if header.if_match is None else header.revisions(),
        body.base_version, given_changes(body.changes),
    )  # fmt: skip
    return answer(AutosaveAnswer(**_fields(view)), revision=view.autosave.revision)


@blueprint.get(
    "/content/<int:content_id>/autosave",
    responses={200: AutosaveWhole, **NOT_MODIFIED, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_EDIT_OWN)
def read(path: ContentPath) -> Response:
    """Read what you have not saved; where the item has moved on, with what both make together."""
    view = autosaves.get(open_session(), current_actor(), path.content_id)
    merge = None if view.merge is None else MergeAnswer.model_validate(view.merge)
    whole = AutosaveWhole(**_fields(view), merge=merge)
    # What has become of the item meanwhile no revision of the unsaved changes counts.
    return answer(whole, revision=view.autosave.revision, is_all_counted=False)


@blueprint.delete(
    "/content/<int:content_id>/autosave",
    responses={204: None, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_EDIT_OWN)
def discard(path: ContentPath, header: IfMatch) -> Response:
    """Forget what you have not saved; If-Match holds its ETag."""
    autosaves.discard(open_session(), current_actor(), path.content_id, header.revisions())
    return no_content()


@blueprint.post(
    "/content/<int:content_id>/autosave/save",
    responses={200: ContentAnswer, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_EDIT_OWN)
def save(path: ContentPath, header: IfMatch) -> Response:
    """Make a version of it, and forget it; If-Match holds the ETag of the item.

    409 where the item has another newest version than the one that you began from: read your
    unsaved changes again, which come with what both make together, and PATCH that.
    """
    autosaves.save(open_session(), current_actor(), path.content_id, header.revisions())
    return answer_with(path.content_id)


def _fields(view: AutosaveView) -> dict[str, Any]:
    autosave = view.autosave
    return {
        "base_version": autosave.base_version,
        "changes": autosave.changes,
        "updated_at": autosave.updated_at,
        "conflicted_at": autosave.conflicted_at,
        "item_version": view.item_version,
    }
