"""The owner of an account asks for a copy of what is kept of them, and fetches it."""

from datetime import datetime
from typing import Literal

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from webapp.api.answers import answer, zip_answer
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, Blueprint
from webapp.api.edge import keeps_no_answer, open_session
from webapp.api.fields import Id, Query
from webapp.kit.permissions import Permission
from webapp.services.operations import account_exports

blueprint = Blueprint("exports", title="Copies of one's data")


class ExportAnswer(BaseModel):
    """One copy."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    state: Literal["making", "ready", "expired", "failed"]
    asked_at: datetime
    rows_done: int = Field(description="How many rows are in it so far.")
    byte_count: int
    ready_at: datetime | None
    expires_at: datetime | None
    files: int = Field(description="How many files it has; each is a zip.")


class ExportPath(Query):
    """Which copy."""

    export_id: Id


class ExportFilePath(ExportPath):
    """Which of its files."""

    number: Id


@blueprint.post(
    "/accounts/me/exports", responses={202: ExportAnswer, **ACCOUNT_PROBLEMS}, security=BEARER
)
@requires(Permission.ACCOUNT_EXPORT)
def ask() -> Response:
    """Ask for a copy of all that is kept of one's account; three a day at most, one at a time.

    A worker makes it, and a mail says where it can be fetched, for IMPRINT_EXPORT_HOURS.
    """
    session, user_id = open_session(), current_actor().user_id
    export_id = account_exports.ask(session, user_id)
    shown = ExportAnswer.model_validate(account_exports.show(session, user_id, export_id))
    return answer(shown, 202, location=f"/api/v1/accounts/me/exports/{export_id}")


@blueprint.get(
    "/accounts/me/exports/<int:export_id>",
    responses={200: ExportAnswer, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.ACCOUNT_EXPORT)
def show(path: ExportPath) -> Response:
    """Show how far a copy is."""
    found = account_exports.show(open_session(), current_actor().user_id, path.export_id)
    return answer(ExportAnswer.model_validate(found))


@blueprint.post(
    "/accounts/me/exports/<int:export_id>/files/<int:number>",
    responses={200: None, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.ACCOUNT_EXPORT)
@keeps_no_answer
def fetch(path: ExportFilePath) -> Response:
    """Fetch a file of a copy, a zip; the mailed link leads to the same. It leaves a line."""
    data = account_exports.fetch_own(
        open_session(), current_actor().user_id, path.export_id, path.number
    )
    return zip_answer(data, f"my-data-{path.number}.zip")
