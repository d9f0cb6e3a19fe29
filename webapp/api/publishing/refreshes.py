"""How far a changed name has come in the public documents."""

from typing import Literal

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from webapp.api.answers import answer
from webapp.api.auth import requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, Blueprint
from webapp.api.edge import open_session
from webapp.api.fields import Id, Query
from webapp.kit.permissions import Permission
from webapp.services.publishing import refresh

blueprint = Blueprint("refreshes", title="Refreshes")


class RefreshPath(Query):
    """Of what the name is."""

    named: Literal["author", "category", "tag"]
    named_id: Id


class RefreshAnswer(BaseModel):
    """How many public documents have been looked at since the last change of the name."""

    model_config = ConfigDict(from_attributes=True)

    state: Literal["waiting", "paused", "running", "done", "failed", "discarded"] = Field(
        description="`failed` and `discarded` are for an operator, or for the next change."
    )
    total: int
    done: int


@blueprint.get(
    "/refreshes/<named>/<int:named_id>",
    responses={200: RefreshAnswer, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.TAXONOMY_MANAGE)
def read_refresh(path: RefreshPath) -> Response:
    """Say how far a name has come. `done` is as many as `total` once all of them show it."""
    progress = refresh.progress_of(open_session(), path.named, path.named_id)
    return answer(RefreshAnswer.model_validate(progress))
