"""What a reader follows."""

from datetime import datetime
from typing import Annotated, Literal

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from webapp.api.answers import answer, no_content, page_of
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, Blueprint
from webapp.api.edge import open_session
from webapp.api.fields import Flag, Id, Omittable, PageQuery, Query
from webapp.kit.cursors import decode_cursor
from webapp.kit.permissions import Permission
from webapp.services.audience import follows
from webapp.services.audience.follows import FollowLine, Target

blueprint = Blueprint("follows", title="Follows")


class FollowPath(Query):
    """What to follow."""

    target: Annotated[
        Literal["author", "category", "tag", "content"], Field(description="What kind of thing.")
    ]
    target_id: Id


class FollowQuery(Query):
    """How far."""

    include_subtree: Annotated[
        Omittable[Flag],
        Field(
            description="Of a category: follow what is published below it as well. Left out, a"
            " follow that is there stays as it is."
        ),
    ] = None


class FollowAnswer(BaseModel):
    """One thing that is followed."""

    model_config = ConfigDict(from_attributes=True)

    target: Target
    target_id: int
    name: str
    include_subtree: bool
    created_at: datetime


class FollowPage(BaseModel):
    """A page of follows."""

    items: list[FollowAnswer]
    next: str | None


@blueprint.put(
    "/follows/<target>/<int:target_id>", responses={204: None, **ACCOUNT_PROBLEMS}, security=BEARER
)
@requires(Permission.FOLLOW_MANAGE)
def follow(path: FollowPath, query: FollowQuery) -> Response:
    """Follow an author, a category, a tag or a public item; IMPRINT_QUOTA_FOLLOWS at most (409).

    Which categories stand above an item counts as of its publication.
    """
    follows.follow(
        open_session(), current_actor(), Target(path.target), path.target_id,
        include_subtree=query.include_subtree,
    )  # fmt: skip
    return no_content()


@blueprint.delete(
    "/follows/<target>/<int:target_id>", responses={204: None, **ACCOUNT_PROBLEMS}, security=BEARER
)
@requires(Permission.FOLLOW_MANAGE)
def unfollow(path: FollowPath) -> Response:
    """Stop following."""
    follows.unfollow(open_session(), current_actor(), Target(path.target), path.target_id)
    return no_content()


@blueprint.get("/follows", responses={200: FollowPage, **ACCOUNT_PROBLEMS}, security=BEARER)
@requires(Permission.FOLLOW_READ)
def list_follows(query: PageQuery) -> Response:
    """List what one follows, oldest first."""
    after_id = 0
    if query.cursor is not None:
        (after_id,) = decode_cursor(query.cursor, int)  # type: ignore[assignment]
    rows = follows.list_follows(
        open_session(), current_actor(), after_id=after_id, limit=query.limit + 1
    )
    return answer(FollowPage(**page_of(rows, query.limit, _shape, lambda row: (row.id,))))


def _shape(line: FollowLine) -> FollowAnswer:
    return FollowAnswer.model_validate(line)
