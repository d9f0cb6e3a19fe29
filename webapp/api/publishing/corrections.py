"""What was wrong in public: corrected with a note, or retracted with a reason."""

from typing import Annotated

from flask import Response
from pydantic import AfterValidator, Field

from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import BEARER, Blueprint
from webapp.api.content.content import CHANGE_PROBLEMS, NEWEST, ContentAnswer, answer_with
from webapp.api.edge import open_session
from webapp.api.fields import ContentPath, Id, IfMatch, Input
from webapp.kit.permissions import Permission
from webapp.kit.visible_lines import check_line
from webapp.services.publishing import corrections, retractions

blueprint = Blueprint("corrections", title="Content")

PublicNote = Annotated[str, Field(min_length=1, max_length=1_000), AfterValidator(check_line)]


class NewCorrection(Input):
    """What is corrected, and by which version; without a number, the newest."""

    note: PublicNote = Field(description="What was wrong, for readers: one line of plain text.")
    version: Id | None = None
    notify: bool = Field(False, description="Whether all followers are told of the correction.")


class NewRetraction(Input):
    """Why an item is retracted."""

    reason: PublicNote = Field(description="Why, for readers: one line of plain text.")
    keep_title: bool = Field(True, description="Whether its place goes on showing its title.")


@blueprint.post(
    "/content/<int:content_id>/correct",
    responses={200: ContentAnswer, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_PUBLISH_APPROVED)
def correct(path: ContentPath, header: IfMatch, body: NewCorrection) -> Response:
    """Publish a version of a public item as a correction, with a note that everybody reads.

    It wants what publishing wants: who may not publish alone corrects by exactly a version that has
    an approval. The notes stay with the item for as long as it is public, and are there again when
    it comes back; an item has at most 100 (409). Followers hear of it by `notify` alone, which
    takes `message.send` as well.
    """
    corrections.correct(
        open_session(), current_actor(), path.content_id, header.revisions(), body.note,
        number=body.version, notify=body.notify,
    )  # fmt: skip
    return answer_with(path.content_id, checked=body.version or NEWEST)


@blueprint.post(
    "/content/<int:content_id>/retract",
    responses={200: ContentAnswer, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_PUBLISH)
def retract(path: ContentPath, header: IfMatch, body: NewRetraction) -> Response:
    """Take an item from the public and say why in its place, and cancel its open schedules.

    Its address answers 410 with the reason, or a stub, as IMPRINT_RETRACTED says, and its former
    addresses redirect there. Nobody is told of it any more, as with `unpublish`. Publishing it
    again ends the retraction.
    """
    retractions.retract(
        open_session(), current_actor(), path.content_id, header.revisions(), body.reason,
        keep_title=body.keep_title,
    )  # fmt: skip
    return answer_with(path.content_id)
