"""Links by which somebody without an account reviews one version."""

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import BaseModel, Field

from webapp.api.accounts.accounts import EmailAddress
from webapp.api.answers import answer, no_content, page_of
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, Blueprint
from webapp.api.edge import keeps_no_answer, open_session, web_context
from webapp.api.fields import Id, Input, Name, Number, Omittable, PageQuery
from webapp.api.publishing.reviews import ReviewPath, Verdict
from webapp.kit.clock import utc_now
from webapp.kit.cursors import decode_cursor
from webapp.kit.permissions import Permission
from webapp.models import ReviewLink
from webapp.services.publishing import review_links
from webapp.services.publishing.review_links import Guest

blueprint = Blueprint("guests", title="Reviews")


class NewReviewLink(Input):
    """Who is asked, and what about."""

    name: Annotated[Name, Field(max_length=100, description="As it is told beside the answer.")]
    email: Omittable[EmailAddress] = Field(
        None, description="Where the link is mailed; without it the answer holds the link."
    )
    step: Omittable[Annotated[str, Field(min_length=1, max_length=40)]] = Field(
        None,
        description="The step that the answer decides, which the caller has to be able to decide "
        "now; without one it is an opinion.",
    )
    hours: Omittable[Annotated[Number, Field(ge=1, le=8_760)]] = Field(
        None,
        description="How long the link works, a week if nothing is said; "
        "IMPRINT_REVIEW_LINK_HOURS at most.",
    )


class ReviewLinkPath(ReviewPath):
    """Which link to which review."""

    link_id: Id


class ReviewLinkAnswer(BaseModel):
    """A link, and what was said by it."""

    id: int
    name: str
    email: str | None = Field(description="Where it goes by mail, until it is answered.")
    step: str | None
    state: Literal["open", "answered", "revoked", "expired"]
    decision: Verdict | None
    comment: str
    created_by_id: int | None
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None


class NewReviewLinkAnswer(ReviewLinkAnswer):
    """A new link; its token is shown this once."""

    url: str | None = Field(description="The page to hand over; null where it is mailed.")


class ReviewLinkPage(BaseModel):
    """A page of links."""

    items: list[ReviewLinkAnswer]
    next: str | None


@blueprint.post(
    "/content/<int:content_id>/reviews/<int:review_id>/links",
    responses={201: NewReviewLinkAnswer, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.REVIEW_INVITE)
@keeps_no_answer
def make(path: ReviewPath, body: NewReviewLink) -> Response:
    """Ask somebody without an account for a review, by a link for one answer.

    To open it changes nothing. It ends with its answer, its time, the review, when it is revoked,
    and when whoever made it could not make it any more. An answer to a step decides it in the place
    of the caller, who then decides no other step. The author is told by mail.
    """
    settings = web_context().settings
    guest = Guest(body.name, body.email, body.step)
    link, token = review_links.make(
        open_session(), current_actor(), path.content_id, path.review_id, guest,
        hours=body.hours, most_hours=settings.review_link_hours,
    )  # fmt: skip
    url = None if token is None else settings.link_to_page("review", token)
    return answer(NewReviewLinkAnswer(**_shape(link).model_dump(), url=url), 201)


@blueprint.get(
    "/content/<int:content_id>/reviews/<int:review_id>/links",
    responses={200: ReviewLinkPage, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_READ_OWN)
def list_links(path: ReviewPath, query: PageQuery) -> Response:
    """List the links to a review, newest first, with what was said by each."""
    below: Any = None
    if query.cursor is not None:
        (below,) = decode_cursor(query.cursor, int)
    rows = review_links.list_links(
        open_session(), current_actor(), path.content_id, path.review_id,
        below=below, limit=query.limit + 1,
    )  # fmt: skip
    return answer(ReviewLinkPage(**page_of(rows, query.limit, _shape, lambda row: (row.id,))))


@blueprint.delete(
    "/content/<int:content_id>/reviews/<int:review_id>/links/<int:link_id>",
    responses={204: None, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.REVIEW_INVITE)
def revoke(path: ReviewLinkPath) -> Response:
    """End a link at once, unless it is answered; the address that it went to is forgotten."""
    review_links.revoke(
        open_session(), current_actor(), path.content_id, path.review_id, path.link_id
    )
    return no_content()


def _shape(link: ReviewLink) -> ReviewLinkAnswer:
    return ReviewLinkAnswer(
        id=link.id,
        name=link.guest_name,
        email=link.guest_address,
        step=link.step,
        state=_state(link),
        decision=link.decision,
        comment=link.comment,
        created_by_id=link.created_by_id,
        created_at=link.created_at,
        expires_at=link.expires_at,
        decided_at=link.decided_at,
    )


def _state(link: ReviewLink) -> Literal["open", "answered", "revoked", "expired"]:
    if link.decision is not None:
        return "answered"
    if link.revoked_at is not None:
        return "revoked"
    return "open" if link.expires_at > utc_now() else "expired"
