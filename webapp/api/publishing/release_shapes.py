"""How releases are shown, and the parts that their requests share."""

from datetime import datetime
from typing import Literal

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from webapp.api.answers import answer
from webapp.api.auth import current_actor
from webapp.api.blueprint import ACCOUNT_PROBLEMS
from webapp.api.edge import open_session
from webapp.api.fields import Id, Query
from webapp.api.problems import problem_response
from webapp.kit.permissions import Permission
from webapp.models import Release
from webapp.services.publishing import release_entries, release_rows

PATH = "/releases"
ONE = f"{PATH}/<int:release_id>"

RELEASE_PROBLEMS = {
    **ACCOUNT_PROBLEMS,
    "404": problem_response("There is no such release."),
    "409": problem_response(
        "Its state stands against it, or some of its items: `errors` names them as `entries.ID`."
    ),
    "412": problem_response("The release has changed since it was read."),
    "428": problem_response("If-Match is missing."),
}

State = Literal["open", "scheduled", "live", "undone", "cancelled", "failed"]
Telling = Literal["each", "none"]
IfMissed = Literal["run", "skip", "ask"]
EntryAction = Literal["publish", "unpublish", "archive"]


class ReleasePath(Query):
    """Which release."""

    release_id: Id


class ProblemAnswer(BaseModel):
    """An item that kept a release from going live, and why."""

    content_id: int
    reason: str


class ReleaseLine(BaseModel):
    """A release in a list."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)

    id: int
    name: str
    state: State
    at: datetime | None = Field(validation_alias="due_at", description="Its moment, or the last.")
    zone: str | None
    local_time: datetime | None = Field(description="The wall time in `zone` that was meant.")
    if_missed: IfMissed
    late_limit_seconds: int | None
    telling: Literal["each", "digest", "none"]
    approved_at: datetime | None = Field(description="When it was approved as it is.")
    approved_by_id: int | None
    created_by_id: int | None
    created_at: datetime
    went_live_at: datetime | None
    undone_at: datetime | None
    failure: str | None = Field(description="Why it did not go live, or has lost its moment.")


class EntryCounts(BaseModel):
    """How many items it has, by what it does to them."""

    model_config = ConfigDict(from_attributes=True)

    publish: int
    unpublish: int
    archive: int
    unprepared: int = Field(description="How many versions are still to be rendered and judged.")
    refused: int = Field(description="How many cannot go out as they are.")


class ReleaseAnswer(ReleaseLine):
    """A release, with how much is in it and what kept it from going live."""

    counts: EntryCounts
    problems: list[ProblemAnswer] = Field(
        description="The first items that kept it from going live; for who sees all items."
    )


class ReleasePage(BaseModel):
    """A page of releases."""

    items: list[ReleaseLine]
    next: str | None


def answer_with_release(release_id: int, status: int = 200) -> Response:
    """Return one release as it is now, with its ETag."""
    session, actor = open_session(), current_actor()
    session.flush()
    release = release_rows.find(session, release_id)
    may_see_all = actor.may(Permission.CONTENT_READ_ANY)
    shown = ReleaseAnswer(
        **shape(release).model_dump(),
        counts=EntryCounts.model_validate(release_entries.count(session, release_id)),
        problems=[
            ProblemAnswer.model_validate(one) for one in (release.problems or []) if may_see_all
        ],
    )
    location = f"/api/v1{PATH}/{release_id}" if status in {201, 202} else None
    # The state of its versions changes while they are prepared, and no revision counts that.
    return answer(shown, status, revision=release.revision, is_all_counted=False, location=location)


def shape(release: Release) -> ReleaseLine:
    """Return a release as a list shows it."""
    return ReleaseLine.model_validate(release)
