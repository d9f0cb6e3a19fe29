"""What an import knows of an item, for its authors and editors."""

from datetime import datetime
from typing import Any, Literal

from flask import Response
from pydantic import BaseModel, Field

from webapp.api.answers import answer
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, Blueprint
from webapp.api.edge import open_session
from webapp.api.fields import ContentPath
from webapp.kit.permissions import Permission
from webapp.services.interchange import sources

blueprint = Blueprint("imports", title="Imports")


class ImportAnswer(BaseModel):
    """Where an item came from, and what its source said at the last import."""

    source: str = Field(description="The key by which the next import knows the item again.")
    status: Literal["draft", "published", "scheduled"]
    published_at: datetime | None
    expires_at: datetime | None
    private: dict[str, Any] = Field(
        description="What the source has beside, such as unknown keys of its front matter. "
        "It is never in a public answer."
    )


@blueprint.get(
    "/content/<int:content_id>/import",
    responses={200: ImportAnswer, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_READ_OWN)
def read_import(path: ContentPath) -> Response:
    """Read what an import keeps of an item; 404 for one that was written here."""
    source, record = sources.get(open_session(), current_actor(), path.content_id)
    said = sources.Said.from_json(record.said)
    return answer(
        ImportAnswer(
            source=source,
            status=said.status,
            published_at=said.published_at,
            expires_at=said.expires_at,
            private=record.private,
        )
    )
