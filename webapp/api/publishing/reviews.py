"""Reviews: what editors say of a version before it goes public."""

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from webapp.api.answers import answer, no_content, page_of
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, Blueprint
from webapp.api.content.content import CHANGE_PROBLEMS
from webapp.api.content.warnings import Warnings, warnings_of
from webapp.api.edge import open_session
from webapp.api.fields import ContentPath, Flag, Id, IfMatch, Input, Moment, Omittable, PageQuery
from webapp.kit.cursors import decode_cursor
from webapp.kit.json_values import check_text
from webapp.kit.permissions import Permission
from webapp.kit.review_policy import read_steps
from webapp.models import ReviewLink
from webapp.services.publishing import review_claims, review_views, reviews
from webapp.services.publishing.review_views import ReviewView
from webapp.services.publishing.reviews import Decision

blueprint = Blueprint("reviews", title="Reviews")

State = Literal["open", "approved", "changes_wanted", "rejected", "withdrawn", "voided"]
Verdict = Literal["approve", "changes_wanted", "reject"]


class ReviewPath(ContentPath):
    """Which review of which item."""

    review_id: Id


class NewReview(Input):
    """A wish for a review of the newest version."""

    due_at: Moment | None = Field(None, description="By when the author would like to know.")


class NewDecision(Input):
    """What somebody says of the version that they have seen."""

    decision: Verdict
    comment: Annotated[str, Field(max_length=5_000), AfterValidator(check_text)] = ""
    step: Omittable[Annotated[str, Field(min_length=1, max_length=40)]] = Field(
        None,
        description="Which step is decided; without one, the first that is open to the caller.",
    )
    version: Omittable[Id] = Field(None, description="The number of the version that was seen.")
    digest: Omittable[Annotated[str, Field(pattern="^[0-9a-f]{64}$")]] = Field(
        None, description="The digest of the version that was seen, as the review tells it."
    )

    @model_validator(mode="after")
    def _want_what_was_seen(self) -> "NewDecision":
        if self.version is None and self.digest is None:
            raise ValueError("wants the version or the digest that was seen")
        return self


class ReviewQuery(PageQuery):
    """Which reviews; without a state, all."""

    state: Omittable[State] = None
    due_before: Omittable[Moment] = Field(
        None, description="Only those that are wanted before this moment."
    )
    claimed_by: Omittable[Id] = Field(
        None, description="Only those that this account is reviewing now."
    )
    mine: Flag = Field(False, description="Only those that the caller has asked for.")


class GuestAnswer(BaseModel):
    """A guest, who has no account, and the link by which they answered."""

    name: str = Field(description="As who made the link gave it; empty where it was erased.")
    link_id: int
    invited_by_id: int | None


class OpinionAnswer(BaseModel):
    """What a guest said who was asked for no step; it decides nothing."""

    guest: GuestAnswer
    decision: Verdict
    comment: str
    decided_at: datetime


class ClaimAnswer(BaseModel):
    """Who is reviewing it, and until when that is taken for granted."""

    model_config = ConfigDict(from_attributes=True)

    claimed_by_id: int
    claimed_at: datetime
    expires_at: datetime


class StepAnswer(BaseModel):
    """One step of a review, and what was said in it."""

    name: str
    role: str | None = Field(description="The least role of whoever decides it.")
    decision: Verdict | None
    comment: str
    decided_by_id: int | None
    guest: GuestAnswer | None = Field(description="The guest who decided it, if one did.")
    decided_at: datetime | None


class ReviewAnswer(BaseModel):
    """A review, and the numbers of the versions to compare its version with."""

    id: int
    content_id: int
    title: str
    version: int
    digest: str = Field(description="SHA-256 of all that a save keeps but its category, in hex.")
    state: State
    steps: list[StepAnswer]
    opinions: list[OpinionAnswer] = Field(description="What guests said without deciding.")
    in_order: bool = Field(description="Whether each step waits for the one before it.")
    live_version: int | None = Field(description="The version that is public now.")
    approved_version: int | None = Field(description="The version that was approved last.")
    claim: ClaimAnswer | None = Field(description="Who is reviewing it now.")
    submitted_by_id: int | None
    due_at: datetime | None
    created_at: datetime
    ended_at: datetime | None


class SubmittedAnswer(ReviewAnswer):
    """A review that was just asked for, and what checks say of its version."""

    warnings: Warnings


class ReviewPage(BaseModel):
    """A page of reviews."""

    items: list[ReviewAnswer]
    next: str | None


@blueprint.post(
    "/content/<int:content_id>/reviews",
    responses={201: SubmittedAnswer, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_EDIT_OWN)
def submit(path: ContentPath, header: IfMatch, body: NewReview) -> Response:
    """Ask for a review of the newest version.

    The next edit voids it: what is approved is one version and its digest. Refused (409) where that
    version is in review, approved or scheduled already.
    """
    session, actor = open_session(), current_actor()
    review_id = reviews.submit(session, actor, path.content_id, header.revisions(), body.due_at)
    return _answer_with(path.content_id, review_id, 201)


@blueprint.get(
    "/content/<int:content_id>/reviews",
    responses={200: ReviewPage, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_READ_OWN)
def list_for_content(path: ContentPath, query: PageQuery) -> Response:
    """List the reviews of an item, newest first."""
    rows = review_views.list_for_content(
        open_session(), current_actor(), path.content_id,
        below=_below(query), limit=query.limit + 1,
    )  # fmt: skip
    return _page(rows, query)


@blueprint.get(
    "/content/<int:content_id>/reviews/<int:review_id>",
    responses={200: ReviewAnswer, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_READ_OWN)
def read(path: ReviewPath) -> Response:
    """Read one review."""
    return _answer_with(path.content_id, path.review_id)


@blueprint.post(
    "/content/<int:content_id>/reviews/<int:review_id>/decisions",
    responses={200: ReviewAnswer, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_APPROVE)
def decide(path: ReviewPath, body: NewDecision) -> Response:
    """Approve the version of a review, ask for changes, or reject it.

    `version` or `digest` says what the caller has seen: another one than the review's is refused
    (412). Nobody approves what they have saved or submitted themselves, unless they may publish it
    alone (403). A no after the approval takes that back, and cancels an open schedule that rests
    upon it. The author is told by mail.
    """
    seen = None if body.digest is None else bytes.fromhex(body.digest)
    decision = Decision(body.decision, body.comment, body.step, body.version, seen)
    reviews.decide(open_session(), current_actor(), path.content_id, path.review_id, decision)
    return _answer_with(path.content_id, path.review_id)


@blueprint.delete(
    "/content/<int:content_id>/reviews/<int:review_id>",
    responses={200: ReviewAnswer, **CHANGE_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_EDIT_OWN)
def withdraw(path: ReviewPath, header: IfMatch) -> Response:
    """Take a version back from its review, or give up its approval and what is scheduled by it.

    If-Match wants the ETag of the item.
    """
    session, actor = open_session(), current_actor()
    reviews.withdraw(session, actor, path.content_id, path.review_id, header.revisions())
    return _answer_with(path.content_id, path.review_id)


@blueprint.put(
    "/content/<int:content_id>/reviews/<int:review_id>/claim",
    responses={200: ReviewAnswer, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_APPROVE)
def claim(path: ReviewPath) -> Response:
    """Say that you are reviewing this, for a day, or until somebody decides.

    It keeps nobody from deciding. While somebody else is at it, 409 says who and since when.
    """
    review_claims.claim(open_session(), current_actor(), path.content_id, path.review_id)
    return _answer_with(path.content_id, path.review_id)


@blueprint.delete(
    "/content/<int:content_id>/reviews/<int:review_id>/claim",
    responses={204: None, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_APPROVE)
def release(path: ReviewPath) -> Response:
    """Say that you are reviewing this no more."""
    review_claims.release(open_session(), current_actor(), path.content_id, path.review_id)
    return no_content()


@blueprint.get("/reviews", responses={200: ReviewPage, **ACCOUNT_PROBLEMS}, security=BEARER)
@requires(Permission.CONTENT_READ_OWN)
def list_reviews(query: ReviewQuery) -> Response:
    """List reviews, newest first: editors see all, authors those of their own items."""
    rows = review_views.list_reviews(
        open_session(), current_actor(), state=query.state, is_mine=query.mine,
        due_before=query.due_before, claimed_by=query.claimed_by,
        below=_below(query), limit=query.limit + 1,
    )  # fmt: skip
    return _page(rows, query)


def _below(query: PageQuery) -> Any:  # noqa: ANN401
    return None if query.cursor is None else decode_cursor(query.cursor, int)[0]


def _page(rows: list[ReviewView], query: PageQuery) -> Response:
    return answer(ReviewPage(**page_of(rows, query.limit, _shape, lambda view: (view.review.id,))))


def _answer_with(content_id: int, review_id: int, status: int = 200) -> Response:
    view = review_views.get(open_session(), current_actor(), content_id, review_id)
    if status != 201:
        return answer(_shape(view), status)
    warnings = warnings_of(content_id, view.review.number)
    made = SubmittedAnswer(**_shape(view).model_dump(), warnings=warnings)
    return answer(made, status, location=f"/api/v1/content/{content_id}/reviews/{review_id}")


def _shape(view: ReviewView) -> ReviewAnswer:
    row = view.review
    steps = read_steps(row.steps)
    return ReviewAnswer(
        id=row.id,
        content_id=row.content_id,
        title=view.title,
        version=row.number,
        digest=row.digest.hex(),
        state=view.state,
        steps=_steps(view),
        opinions=[
            OpinionAnswer(
                guest=_guest(link),
                decision=link.decision,
                comment=link.comment,
                decided_at=link.decided_at,
            )
            for link in view.answers
            if link.step is None
        ],
        in_order=steps.in_order,
        live_version=view.live_version,
        approved_version=view.approved_version,
        claim=None if view.claim is None else ClaimAnswer.model_validate(view.claim),
        submitted_by_id=row.submitted_by_id,
        due_at=row.due_at,
        created_at=row.created_at,
        ended_at=row.ended_at,
    )


def _steps(view: ReviewView) -> list[StepAnswer]:
    """Return the steps that there are, with what was said, and a taking back behind them."""
    roles = {step.name: step.role.value for step in read_steps(view.review.steps).steps}
    said = {decision.step: decision for decision in view.decisions}
    guests = {link.decision_id: _guest(link) for link in view.answers}
    names = [*roles, *(name for name in said if name not in roles)]
    return [
        StepAnswer(
            name=name,
            role=roles.get(name),
            decision=said[name].decision if name in said else None,
            comment=said[name].comment if name in said else "",
            decided_by_id=said[name].decided_by_id if name in said else None,
            guest=guests.get(said[name].id) if name in said else None,
            decided_at=said[name].decided_at if name in said else None,
        )
        for name in names
    ]


def _guest(link: ReviewLink) -> GuestAnswer:
    return GuestAnswer(name=link.guest_name, link_id=link.id, invited_by_id=link.created_by_id)
