"""Releases: many items change at one moment, all of them or none."""

from typing import Annotated, Any, Literal

from flask import Response
from pydantic import BaseModel, Field

from webapp.api.answers import answer, no_content, page_of
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, NOT_MODIFIED, Blueprint
from webapp.api.edge import open_session
from webapp.api.fields import IfMatch, Input, Name, Omittable, PageQuery, Query
from webapp.api.publishing.planned_times import DueMoment
from webapp.api.publishing.release_shapes import (
    ONE,
    PATH,
    RELEASE_PROBLEMS,
    IfMissed,
    ProblemAnswer,
    ReleaseAnswer,
    ReleasePage,
    ReleasePath,
    State,
    Telling,
    answer_with_release,
    shape,
)
from webapp.kit.cursors import decode_cursor
from webapp.kit.permissions import Permission
from webapp.services.publishing import release_undo, releases
from webapp.services.publishing.releases import ReleaseMoment, ReleasePlan

blueprint = Blueprint("releases", title="Releases")

LateLimit = Annotated[
    int,
    Field(
        ge=0,
        le=31_536_000,
        description="From how many seconds on it is too late; without it, as the settings say.",
    ),
]
IF_MISSED = (
    "What becomes of it when an outage made it late: it goes live all the same, is called off, or "
    "is open again and waits for a decision."
)


class NewRelease(Input):
    """What there is to say of a release; its items are added to it."""

    name: Name
    telling: Telling = Field("each", description="Whether followers are told of each item.")
    if_missed: IfMissed = Field("run", description=IF_MISSED)
    late_limit_seconds: LateLimit | None = None


class ReleaseChanges(Input):
    """What to change; a field that is left out stays."""

    name: Omittable[Name] = None
    telling: Omittable[Telling] = None
    if_missed: Omittable[IfMissed] = Field(None, description=IF_MISSED)
    late_limit_seconds: LateLimit | None = None


class NewMoment(Input):
    """When it goes live."""

    at: DueMoment


class ReleasesQuery(PageQuery):
    """Which releases."""

    state: Omittable[State] = None


class UndoQuery(Query):
    """What becomes of items that were changed since the release went live."""

    changed: Omittable[Literal["skip", "also"]] = Field(
        None, description="Leave them, or put them back as well; without it they are asked about."
    )


class UndoneRelease(BaseModel):
    """What an undo has put back, and what it left."""

    release: int
    put_back: int
    left: int
    first_left: list[ProblemAnswer] = Field(description="The first of those that it left.")


@blueprint.post(PATH, responses={201: ReleaseAnswer, **ACCOUNT_PROBLEMS}, security=BEARER)
@requires(Permission.SCHEDULE_MANAGE)
def create(body: NewRelease) -> Response:
    """Begin a release, to which items are added."""
    plan = ReleasePlan(body.name, body.telling, body.if_missed, body.late_limit_seconds)
    release = releases.create(open_session(), current_actor(), plan)
    return answer_with_release(release.id, 201)


@blueprint.get(PATH, responses={200: ReleasePage, **ACCOUNT_PROBLEMS}, security=BEARER)
@requires(Permission.SCHEDULE_READ)
def list_all(query: ReleasesQuery) -> Response:
    """List releases, the newest first."""
    before: Any = None if query.cursor is None else decode_cursor(query.cursor, int)[0]
    rows = releases.list_releases(
        open_session(), state=query.state, before=before, limit=query.limit + 1
    )
    page = page_of(rows, query.limit, shape, lambda row: (row.id,))
    return answer(ReleasePage(**page))


@blueprint.get(
    ONE, responses={200: ReleaseAnswer, **NOT_MODIFIED, **RELEASE_PROBLEMS}, security=BEARER
)
@requires(Permission.SCHEDULE_READ)
def read(path: ReleasePath) -> Response:
    """Read a release; its ETag is what a change of it wants in If-Match."""
    return answer_with_release(path.release_id)


@blueprint.patch(ONE, responses={200: ReleaseAnswer, **RELEASE_PROBLEMS}, security=BEARER)
@requires(Permission.SCHEDULE_MANAGE)
def change(path: ReleasePath, header: IfMatch, body: ReleaseChanges) -> Response:
    """Change its name, whom it tells, or what becomes of it when it is late; ends its approval."""
    releases.change(
        open_session(), current_actor(), path.release_id, header.revisions(),
        body.model_dump(exclude_unset=True),
    )  # fmt: skip
    return answer_with_release(path.release_id)


@blueprint.delete(ONE, responses={204: None, **RELEASE_PROBLEMS}, security=BEARER)
@requires(Permission.SCHEDULE_MANAGE)
def delete(path: ReleasePath, header: IfMatch) -> Response:
    """Delete a release that has no moment and never went live; its items stay as they are."""
    releases.delete(open_session(), current_actor(), path.release_id, header.revisions())
    return no_content()


@blueprint.post(
    f"{ONE}/approve", responses={200: ReleaseAnswer, **RELEASE_PROBLEMS}, security=BEARER
)
@requires(Permission.CONTENT_APPROVE)
def approve(path: ReleasePath, header: IfMatch) -> Response:
    """Approve of a release as a whole, as it is; any later change of it ends the approval.

    Who may not publish alone gives it its moment by virtue of this, or of approvals of each of its
    versions. Only somebody who may publish alone approves it.
    """
    releases.approve(open_session(), current_actor(), path.release_id, header.revisions())
    return answer_with_release(path.release_id)


@blueprint.post(
    f"{ONE}/schedule", responses={200: ReleaseAnswer, **RELEASE_PROBLEMS}, security=BEARER
)
@requires(Permission.SCHEDULE_MANAGE)
def schedule(path: ReleasePath, header: IfMatch, body: NewMoment) -> Response:
    """Give a release its moment, or another one.

    What keeps it from going live as of now is refused (409), and `errors` names the items. At its
    moment all of it happens in one transaction, or nothing does: then it is `failed`, and
    `problems` says why.
    """
    releases.schedule(
        open_session(), current_actor(), path.release_id, header.revisions(),
        ReleaseMoment(body.at),
    )  # fmt: skip
    return answer_with_release(path.release_id)


@blueprint.post(
    f"{ONE}/publish", responses={202: ReleaseAnswer, **RELEASE_PROBLEMS}, security=BEARER
)
@requires(Permission.SCHEDULE_MANAGE)
def publish(path: ReleasePath, header: IfMatch) -> Response:
    """Let a release go live now: a worker does it at once, as at a moment that has come."""
    releases.schedule(open_session(), current_actor(), path.release_id, header.revisions(), None)
    return answer_with_release(path.release_id, 202)


@blueprint.post(
    f"{ONE}/cancel", responses={200: ReleaseAnswer, **RELEASE_PROBLEMS}, security=BEARER
)
@requires(Permission.SCHEDULE_MANAGE)
def cancel(path: ReleasePath, header: IfMatch) -> Response:
    """Call a release off. Its items stay in it, and it can be given another moment."""
    releases.cancel(open_session(), current_actor(), path.release_id, header.revisions())
    return answer_with_release(path.release_id)


@blueprint.post(f"{ONE}/undo", responses={200: UndoneRelease, **RELEASE_PROBLEMS}, security=BEARER)
@requires(Permission.CONTENT_PUBLISH)
def undo(path: ReleasePath, header: IfMatch, query: UndoQuery) -> Response:
    """Put each item back to what was public of it before, or to not public, all at once.

    Where another release or somebody by hand has changed some of them since, it is refused (409)
    and `errors` names the first of these; `changed` says what shall become of them. What is in the
    trash is left. Nobody is told, but those whom a withdrawal by the release kept from hearing.
    """
    undone = release_undo.undo(
        open_session(), current_actor(), path.release_id, header.revisions(), query.changed
    )
    first = [ProblemAnswer(content_id=one, reason=why) for one, why in undone.first_left]
    return answer(
        UndoneRelease(
            release=path.release_id, put_back=undone.put_back, left=undone.left, first_left=first
        )
    )
