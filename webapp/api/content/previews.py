"""Links that show a version to people without an account, and what a front end reads by one."""

from datetime import datetime
from typing import Annotated, Any

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from webapp.api.answers import answer, no_content, page_of
from webapp.api.auth import current_actor, public, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, PRUNED, Blueprint
from webapp.api.edge import keeps_no_answer, open_session, web_context
from webapp.api.fields import ContentPath, Id, Input, Number, PageQuery, Query, VersionPath
from webapp.kit.cursors import decode_cursor
from webapp.kit.permissions import Permission
from webapp.services.content import previews
from webapp.services.content.previews import PreviewLine

blueprint = Blueprint("previews", title="Previews")

NOT_FOR_ROBOTS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}


class NewPreview(Input):
    """How long the link opens."""

    hours: Annotated[Number, Field(ge=1, le=720, description="Up to thirty days.")] = 72


class PreviewLinkAnswer(BaseModel):
    """A link that opens one version."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    version: int
    created_by_id: int | None
    created_at: datetime
    expires_at: datetime
    views: int = Field(description="How often it was opened.")
    last_viewed_at: datetime | None


class NewPreviewAnswer(PreviewLinkAnswer):
    """A new link; its token is shown this once."""

    url: str = Field(description="A page that shows the version to whoever has this address.")
    token: str = Field(description="What a front end sends to `GET /previews` to show it itself.")


class PreviewLinkPage(BaseModel):
    """A page of links."""

    items: list[PreviewLinkAnswer]
    next: str | None


class PreviewPath(ContentPath):
    """Which link of which item."""

    preview_id: Id


class PreviewQuery(Query):
    """The token of a link."""

    token: Annotated[str, Field(min_length=1, max_length=100)]


class PreviewAnswer(BaseModel):
    """A version as it would be read, to be shown by a front end that says that it is a preview."""

    content_id: int
    version: int
    title: str
    slug: str
    excerpt: str
    html: str
    tags: list[str] = Field(description="The slugs of its tags.")
    metadata: dict[str, Any]
    expires_at: datetime = Field(description="Until when the link opens.")


@blueprint.post(
    "/content/<int:content_id>/versions/<int:number>/previews",
    responses={201: NewPreviewAnswer, **ACCOUNT_PROBLEMS, **PRUNED},
    security=BEARER,
)
@requires(Permission.CONTENT_PREVIEW)
@keeps_no_answer
def make(path: VersionPath, body: NewPreview) -> Response:
    """Make a link that shows this version to whoever has it, public or not.

    It ends by itself, when it is revoked, while the item is put aside, and with the account of who
    made it. Search engines are told to leave it alone.
    """
    line, token = previews.make(
        open_session(), current_actor(), path.content_id, path.number, hours=body.hours
    )
    url = web_context().settings.link_to_page("preview", token)
    return answer(NewPreviewAnswer(**_shape(line).model_dump(), url=url, token=token), 201)


@blueprint.get(
    "/content/<int:content_id>/previews",
    responses={200: PreviewLinkPage, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_READ_OWN)
def list_links(path: ContentPath, query: PageQuery) -> Response:
    """List the links that open an item, newest first, with how often each was opened."""
    below: Any = None
    if query.cursor is not None:
        (below,) = decode_cursor(query.cursor, int)
    rows = previews.list_links(
        open_session(), current_actor(), path.content_id, below=below, limit=query.limit + 1
    )
    return answer(PreviewLinkPage(**page_of(rows, query.limit, _shape, lambda row: (row.id,))))


@blueprint.delete(
    "/content/<int:content_id>/previews/<int:preview_id>",
    responses={204: None, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_PREVIEW)
def revoke(path: PreviewPath) -> Response:
    """End a link at once."""
    previews.revoke(open_session(), current_actor(), path.content_id, path.preview_id)
    return no_content()


@blueprint.get("/previews", responses={200: PreviewAnswer, "404": ACCOUNT_PROBLEMS["404"]})
@public
def read(query: PreviewQuery) -> Response:
    """Read what a link shows, for a front end that shows it itself; it counts as opened."""
    preview = previews.open_link(open_session(), query.token)
    version = preview.version
    shown = answer(
        PreviewAnswer(
            content_id=version.content_id,
            version=version.number,
            title=version.title,
            slug=version.slug,
            excerpt=preview.excerpt,
            html=preview.html,
            tags=version.tags,
            metadata=version.details,
            expires_at=preview.expires_at,
        )
    )
    shown.headers.update(NOT_FOR_ROBOTS)
    return shown


def _shape(line: PreviewLine) -> PreviewLinkAnswer:
    return PreviewLinkAnswer.model_validate(line)
