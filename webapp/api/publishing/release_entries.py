"""The items of a release: added by lists or filters, listed, and taken out."""

from datetime import datetime
from typing import Annotated, Any, Self

from flask import Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from webapp.api.answers import answer, page_of
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import BEARER, Blueprint
from webapp.api.content.item_filters import FilterInput
from webapp.api.edge import open_session
from webapp.api.fields import Id, IfMatch, Input, Omittable, PageQuery
from webapp.api.publishing.release_shapes import (
    ONE,
    RELEASE_PROBLEMS,
    EntryAction,
    ReleaseAnswer,
    ReleasePath,
    answer_with_release,
)
from webapp.kit.cursors import decode_cursor
from webapp.kit.permissions import Permission
from webapp.services.publishing import release_entries, release_rows
from webapp.services.publishing.release_entries import EntryLine, EntryWish

blueprint = Blueprint("entries", title="Releases")

MOST_AT_ONCE = 500


class EntryInput(Input):
    """What shall become of one item."""

    content_id: Id
    action: EntryAction = "publish"
    version: Omittable[Id] = Field(
        None, description="The version to publish; the newest if left out."
    )

    @model_validator(mode="after")
    def _pins_what_it_publishes(self) -> Self:
        if self.version is not None and self.action != "publish":
            raise ValueError("version is sent with publish alone")
        return self


class EntriesInput(Input):
    """Items of a list, each with what shall become of it; or those that fit a filter, with one."""

    entries: Annotated[
        Omittable[list[EntryInput]], Field(min_length=1, max_length=MOST_AT_ONCE)
    ] = None
    filter: Omittable[FilterInput] = None
    action: Omittable[EntryAction] = Field(
        None, description="What shall become of those that fit the filter; publish if left out."
    )

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if (self.entries is None) == (self.filter is None):
            raise ValueError("send either entries or filter")
        if self.action is not None and self.filter is None:
            raise ValueError("action is sent with filter alone; each of entries has its own")
        named = [entry.content_id for entry in self.entries or []]
        if len(named) != len(set(named)):
            raise ValueError("an item is in it once")
        return self


class RemovedEntries(Input):
    """Items that shall not be in a release any more."""

    content_ids: list[Id] = Field(min_length=1, max_length=MOST_AT_ONCE)


class ReleaseEntryAnswer(BaseModel):
    """One item of a release."""

    model_config = ConfigDict(from_attributes=True)

    content_id: int
    action: EntryAction
    version: int | None
    title: str
    is_prepared: bool = Field(description="Whether its version was rendered and judged.")
    failure: str | None = Field(description="Why its version cannot go out.")
    former_version: int | None = Field(
        description="Once it went live: the version that was public before, if one was."
    )
    former_standing: str | None
    put_back_at: datetime | None


class EntryPage(BaseModel):
    """A page of items, in the order of their places."""

    items: list[ReleaseEntryAnswer]
    next: str | None


@blueprint.post(
    f"{ONE}/entries", responses={200: ReleaseAnswer, **RELEASE_PROBLEMS}, security=BEARER
)
@requires(Permission.SCHEDULE_MANAGE)
def add(path: ReleasePath, header: IfMatch, body: EntriesInput) -> Response:
    """Put up to 500 items into a release, or all that fit a filter; it holds 10,000 at most.

    An item that is in it already is to become what is said last. A publication pins a version,
    whatever is edited later, and a worker renders it ahead. Ends the approval.
    """
    session, actor, revisions = open_session(), current_actor(), header.revisions()
    if body.filter is not None:
        release_entries.add_fitting(
            session, actor, path.release_id, revisions, body.filter.wanted(),
            body.action or "publish",
        )  # fmt: skip
    else:
        wishes = [
            EntryWish(entry.content_id, entry.action, entry.version) for entry in body.entries or []
        ]
        release_entries.add(session, actor, path.release_id, revisions, wishes)
    return answer_with_release(path.release_id)


@blueprint.get(f"{ONE}/entries", responses={200: EntryPage, **RELEASE_PROBLEMS}, security=BEARER)
@requires(Permission.SCHEDULE_READ)
def list_entries(path: ReleasePath, query: PageQuery) -> Response:
    """List the items of a release that one may see, in the order in which they were added."""
    session, actor = open_session(), current_actor()
    release_rows.find(session, path.release_id)
    after: Any = (0, 0) if query.cursor is None else decode_cursor(query.cursor, int, int)
    rows = release_entries.list_entries(
        session, actor, path.release_id, after=after, limit=query.limit + 1
    )
    page = page_of(rows, query.limit, _shape, lambda row: (row.position, row.content_id))
    return answer(EntryPage(**page))


@blueprint.post(
    f"{ONE}/entries/remove", responses={200: ReleaseAnswer, **RELEASE_PROBLEMS}, security=BEARER
)
@requires(Permission.SCHEDULE_MANAGE)
def remove(path: ReleasePath, header: IfMatch, body: RemovedEntries) -> Response:
    """Take up to 500 items out of a release. Ends the approval."""
    release_entries.remove(
        open_session(), current_actor(), path.release_id, header.revisions(), body.content_ids
    )
    return answer_with_release(path.release_id)


def _shape(line: EntryLine) -> ReleaseEntryAnswer:
    return ReleaseEntryAnswer.model_validate(line)
