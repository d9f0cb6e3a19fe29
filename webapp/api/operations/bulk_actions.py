"""Bulk actions: change many items by one request, and see what becomes of each."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from flask import Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from webapp.api.answers import answer, page_of
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, Blueprint
from webapp.api.content.item_filters import FilterInput
from webapp.api.edge import open_session, render_saves_ahead
from webapp.api.fields import (
    Id,
    Input,
    Omittable,
    PageQuery,
    Query,
    TagNames,
)
from webapp.api.problems import problem_response
from webapp.kit.cursors import decode_cursor, encode_cursor
from webapp.kit.permissions import Permission
from webapp.models import BulkAction
from webapp.services.operations import bulk_actions
from webapp.services.operations.bulk_actions import ItemLine, Wish
from webapp.services.operations.bulk_changes import Action, Options

blueprint = Blueprint("bulk", title="Bulk actions")

PATH = "/bulk-actions"
MOST_IDS = 10_000
BULK_PROBLEMS = {
    **ACCOUNT_PROBLEMS,
    "404": problem_response("There is no such bulk action that one may know of."),
    "409": problem_response("It is at work, or has ended, or too many are at work."),
}

Asked = Literal[
    "publish", "unpublish", "archive", "unarchive", "trash", "untrash", "tag", "untag", "move",
    "change_author",
]  # fmt: skip
ItemState = Literal["waiting", "done", "skipped", "failed"]
Reason = Literal[
    "unchanged", "not_found", "forbidden", "conflict", "changed_since", "already_undone",
    "irreversible", "told",
]  # fmt: skip


class BulkRequest(Input):
    """What to do, and to which items: those of `content_ids`, or those that fit `filter`."""

    action: Asked
    content_ids: Annotated[Omittable[list[Id]], Field(min_length=1, max_length=MOST_IDS)] = None
    filter: Omittable[FilterInput] = None
    tags: Annotated[
        Omittable[TagNames], Field(min_length=1, description="For `tag` and `untag`: their names.")
    ] = None
    category_id: Annotated[
        Id | None, Field(description="For `move`: the category; null for none.")
    ] = None
    author_id: Annotated[
        Omittable[Id], Field(description="For `change_author`: an account that writes items.")
    ] = None
    notify: bool = Field(
        False,
        description="For `publish`: whether followers are told, if it is news to them. Here they "
        "are not, unless you say so.",
    )
    dry_run: bool = Field(
        False, description="Answer what would come of it, and change nothing (200)."
    )
    cursor: Annotated[
        Omittable[str],
        Field(max_length=500, description="With `dry_run`: the `next` of the page before."),
    ] = None

    @model_validator(mode="after")
    def _fits_the_action(self) -> Self:
        if (self.content_ids is None) == (self.filter is None):
            raise ValueError("send either content_ids or filter")
        if (self.tags is not None) != (self.action in {"tag", "untag"}):
            raise ValueError("tags are sent with tag and untag, and only with these")
        if ("category_id" in self.model_fields_set) != (self.action == "move"):
            raise ValueError("category_id is sent with move, and only with that")
        if (self.author_id is not None) != (self.action == "change_author"):
            raise ValueError("author_id is sent with change_author, and only with that")
        if self.notify and self.action != "publish":
            raise ValueError("notify is sent with publish alone")
        if self.cursor is not None and not self.dry_run:
            raise ValueError("cursor is sent with dry_run alone")
        return self


class BulkPath(Query):
    """Which bulk action."""

    bulk_action_id: Id


class ItemsQuery(PageQuery):
    """Which of its items."""

    state: Omittable[ItemState] = None


class BulkAnswer(BaseModel):
    """A bulk action, and how far it is."""

    id: int
    action: Action
    options: dict[str, Any] = Field(description="What was asked for, the filter among it.")
    state: Literal["running", "done", "cancelled", "stopped"]
    is_stalled: bool = Field(
        description="Whether it waits for an operator, because its work has failed too often."
    )
    ending: str | None = Field(description="Why it ended before all was done.")
    made_by_id: int | None
    api_key_id: int | None
    agent_session: str | None
    undoes_id: int | None = Field(description="The bulk action that it puts back.")
    matched: int = Field(description="How many items it is about.")
    waiting: int
    done: int
    skipped: int = Field(description="How many needed no change, or are not there for its maker.")
    failed: int
    created_at: datetime
    ended_at: datetime | None


class BulkPage(BaseModel):
    """A page of bulk actions."""

    items: list[BulkAnswer]
    next: str | None


class ItemAnswer(BaseModel):
    """What became of one item."""

    model_config = ConfigDict(from_attributes=True)

    content_id: int
    state: ItemState
    reason: Reason | None
    detail: str | None
    revision_before: int | None
    revision_after: int | None


class ItemPage(BaseModel):
    """A page of items, in the order of their ids."""

    items: list[ItemAnswer]
    next: str | None


class TrialAnswer(BaseModel):
    """What would come of it: how many items, and of 20 of them each by itself.

    Each page is tried by itself, as if the items of no other page were changed.
    """

    dry_run: Literal[True] = True
    action: Action
    matched: int
    sample: list[ItemAnswer]
    next: str | None = Field(description="For `cursor`: the next items; null after the last.")


@blueprint.post(
    PATH,
    responses={200: TrialAnswer, 202: BulkAnswer, **ACCOUNT_PROBLEMS, "409": BULK_PROBLEMS["409"]},
    security=BEARER,
)
@requires(Permission.CONTENT_CHANGE_MANY)
def ask(body: BulkRequest) -> Response:
    """Do one thing to many items: by a list of up to 10,000 ids, or to up to 100,000 that fit.

    The items are chosen now; a worker changes them, each as the route for one item would, with the
    rights that you have at that moment. `dry_run` tells first of how many items it would be, and
    tries the first 20; `next` in `cursor` has the next 20 tried.
    """
    session, actor = open_session(), current_actor()
    wish = _wish_of(body)
    if body.dry_run:
        # All was done and is taken back again, so that the answer is what would have come of it.
        # A text that cannot be rendered is told as its item's, and refuses not the whole request.
        render_saves_ahead()
        savepoint = session.begin_nested()
        after: Any = 0 if body.cursor is None else decode_cursor(body.cursor, int)[0]
        trial = bulk_actions.attempt(session, actor, wish, after)
        savepoint.rollback()
        sample = [
            ItemAnswer(
                content_id=content_id, state=one.state, reason=one.reason, detail=one.detail,
                revision_before=one.before, revision_after=one.after,
            )
            for content_id, one in trial.sample.items()
        ]  # fmt: skip
        following = None if trial.after is None else encode_cursor(trial.after)
        return answer(
            TrialAnswer(action=wish.action, matched=trial.matched, sample=sample, next=following)
        )
    return _accepted(bulk_actions.get(session, actor, bulk_actions.ask(session, actor, wish)))


@blueprint.get(PATH, responses={200: BulkPage, **ACCOUNT_PROBLEMS}, security=BEARER)
@requires(Permission.CONTENT_READ_OWN)
def list_own(query: PageQuery) -> Response:
    """List one's own bulk actions, newest first."""
    before: Any = None if query.cursor is None else decode_cursor(query.cursor, int)
    session = open_session()
    rows = bulk_actions.list_actions(session, current_actor(), before=before, limit=query.limit + 1)
    stalled = bulk_actions.find_stalled(session, rows)
    page = page_of(
        rows,
        query.limit,
        lambda row: _shape_one(row, is_stalled=row.id in stalled),
        lambda row: (row.id,),
    )
    return answer(BulkPage(**page))


@blueprint.get(
    f"{PATH}/<int:bulk_action_id>", responses={200: BulkAnswer, **BULK_PROBLEMS}, security=BEARER
)
@requires(Permission.CONTENT_READ_OWN)
def show(path: BulkPath) -> Response:
    """Show how far a bulk action is: one's own, or anybody's to who may read the activity log."""
    return answer(_shape(bulk_actions.get(open_session(), current_actor(), path.bulk_action_id)))


@blueprint.get(
    f"{PATH}/<int:bulk_action_id>/items",
    responses={200: ItemPage, **BULK_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_READ_OWN)
def list_items(path: BulkPath, query: ItemsQuery) -> Response:
    """List what became of its items, in the order of their ids; `state=failed` says of which none.

    An item that one may not see is told as one that is not there.
    """
    session, actor = open_session(), current_actor()
    bulk = bulk_actions.get(session, actor, path.bulk_action_id)
    after: Any = 0 if query.cursor is None else decode_cursor(query.cursor, int)[0]
    rows = bulk_actions.list_items(
        session, actor, bulk, state=query.state, after=after, limit=query.limit + 1
    )
    page = page_of(rows, query.limit, _shape_item, lambda row: (row.content_id,))
    return answer(ItemPage(**page))


@blueprint.post(
    f"{PATH}/<int:bulk_action_id>/cancel",
    responses={200: BulkAnswer, **BULK_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CONTENT_CHANGE_MANY)
def cancel(path: BulkPath) -> Response:
    """End a bulk action: what it has changed stays so, and what waits is not changed any more."""
    return answer(_shape(bulk_actions.cancel(open_session(), current_actor(), path.bulk_action_id)))


@blueprint.post(
    f"{PATH}/<int:bulk_action_id>/undo",
    responses={202: BulkAnswer, **BULK_PROBLEMS},
    security=BEARER,
)
@requires(Permission.ACTIVITY_UNDO)
def undo(path: BulkPath) -> Response:
    """Put back what a bulk action has changed and nobody has touched since, by another one.

    Asked for again it is the same, unless that was cancelled or has failed at some: then a new one.

    Its items say what was not put back and why. Each step asks for the permission that it would
    need by hand. While the first is at work it is refused (409): cancel it.
    """
    return _accepted(bulk_actions.undo(open_session(), current_actor(), path.bulk_action_id))


def _wish_of(body: BulkRequest) -> Wish:
    options = Options(tuple(body.tags or ()), body.category_id, body.author_id, body.notify)
    wanted = None if body.filter is None else body.filter.wanted()
    return Wish(Action(body.action), options, body.content_ids, wanted)


def _accepted(bulk: BulkAction) -> Response:
    return answer(_shape(bulk), 202, location=f"/api/v1{PATH}/{bulk.id}")


def _shape(bulk: BulkAction) -> BulkAnswer:
    is_stalled = bool(bulk_actions.find_stalled(open_session(), [bulk]))
    return _shape_one(bulk, is_stalled=is_stalled)


def _shape_one(bulk: BulkAction, *, is_stalled: bool) -> BulkAnswer:
    return BulkAnswer(
        id=bulk.id,
        action=Action(bulk.action),
        options=bulk.options,
        state=bulk.state,
        is_stalled=is_stalled,
        ending=bulk.ending,
        made_by_id=bulk.made_by_id,
        api_key_id=bulk.api_key_id,
        agent_session=bulk.agent_session,
        undoes_id=bulk.undoes_id,
        matched=bulk.matched,
        waiting=bulk.matched - bulk.done - bulk.skipped - bulk.failed,
        done=bulk.done,
        skipped=bulk.skipped,
        failed=bulk.failed,
        created_at=bulk.created_at,
        ended_at=bulk.ended_at,
    )


def _shape_item(line: ItemLine) -> ItemAnswer:
    return ItemAnswer.model_validate(line)
