"""Undo: put back what the session of an agent changed."""

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import BaseModel, Field

from webapp.api.answers import answer
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, Blueprint
from webapp.api.edge import open_session
from webapp.api.fields import Id, Input, Omittable, Query
from webapp.api.operations.activity import ActivitySubject, Word
from webapp.api.problems import problem_response
from webapp.kit.cursors import InvalidCursorError, decode_cursor, encode_cursor
from webapp.kit.permissions import Permission
from webapp.services.errors import InvalidInputError
from webapp.services.operations import agent_sessions, undo
from webapp.services.operations.agent_sessions import History
from webapp.services.operations.undo import MOST_SUBJECTS, Left
from webapp.services.operations.undo_reasons import Reason

blueprint = Blueprint("undo", title="Undo")

UNDO_PROBLEMS = {
    **ACCOUNT_PROBLEMS,
    "404": problem_response("There is no such session that one may see."),
    "409": problem_response("Several keys have used this name; send api_key_id."),
}

Part = Literal["whole", "role", "profile", "preferences"]


class AgentSessionPath(Query):
    """Which session: what the client sent as Agent-Session."""

    agent_session: Annotated[Word, Field(max_length=100)]


class UndoRequest(Input):
    """Whose session, and how much of it at once."""

    dry_run: bool = Field(False, description="Answer what would come of it, and change nothing.")
    api_key_id: Omittable[Id] = Field(
        None, description="By which key, where several have used the name."
    )
    limit: int = Field(
        MOST_SUBJECTS, ge=1, le=MOST_SUBJECTS, description="How many subjects at most."
    )
    cursor: Annotated[
        Omittable[str],
        Field(max_length=500, description="The `next` of the call before; none for the first."),
    ] = None


class UndoneAnswer(BaseModel):
    """What is as it was before the session; of an account, which part."""

    subject: ActivitySubject
    part: Part
    actions: list[str] = Field(description="What of the session is undone by it.")


class LeftAnswer(BaseModel):
    """What is not put back, and why; `told` is put back, but followers had heard of it.

    `answered` is put back but for `comment_ids`, which somebody has answered.
    Who changed it since, or undid it, is `by_id`: null where a schedule or a command did.
    """

    subject: ActivitySubject
    part: Part
    reason: Reason
    detail: str
    by_id: int | None
    at: datetime | None
    comment_ids: list[int]


class UndoAnswer(BaseModel):
    """What came of it, or would come of it, the last changed first."""

    agent_session: str
    api_key_id: int
    owner_id: int
    dry_run: bool
    undone: list[UndoneAnswer]
    left: list[LeftAnswer]
    next: str | None = Field(description="The cursor for the next call, where there is more.")


@blueprint.post(
    "/activity/sessions/<path:agent_session>/undo",
    responses={200: UndoAnswer, **UNDO_PROBLEMS},
    security=BEARER,
)
@requires(Permission.ACTIVITY_UNDO)
def undo_session(path: AgentSessionPath, body: UndoRequest) -> Response:
    """Put back all that a key did under one name, where nobody else has changed it since.

    All in one transaction, up to 100 subjects a call. Each step asks for the permission that it
    would need by hand; what may not or cannot be put back is listed. A second call finds nothing
    left. What it does is told in the activity log, so it can be looked up, and itself be undone.
    """
    below = None if body.cursor is None else _read_cursor(body.cursor)
    session, actor = open_session(), current_actor()
    wanted = agent_sessions.find(session, actor, path.agent_session, body.api_key_id)
    savepoint = session.begin_nested()
    report = undo.undo(session, actor, wanted, below=below, limit=body.limit)
    if body.dry_run:
        # All was done and is taken back again, so that the answer is what would have come of it.
        savepoint.rollback()
    else:
        savepoint.commit()
    following = report.next_below
    return answer(
        UndoAnswer(
            agent_session=wanted.name,
            api_key_id=wanted.api_key_id,
            owner_id=wanted.owner_id,
            dry_run=body.dry_run,
            undone=[_shape(history) for history in report.undone],
            left=[_shape_left(left) for left in report.left],
            next=None if following is None else encode_cursor(following),
        )
    )


def _read_cursor(cursor: str) -> Any:  # noqa: ANN401
    try:
        return decode_cursor(cursor, int)[0]
    except InvalidCursorError as error:
        raise InvalidInputError("cursor", "is not a cursor that this call gave out") from error


def _shape(history: History) -> UndoneAnswer:
    actions = sorted({line.action for line in history.own})
    return UndoneAnswer(
        subject=ActivitySubject(kind=history.kind, id=history.id),
        part=history.part,
        actions=actions,
    )


def _shape_left(left: Left) -> LeftAnswer:
    return LeftAnswer(
        subject=ActivitySubject(kind=left.kind, id=left.id),
        part=left.part,
        reason=left.reason,
        detail=left.detail,
        by_id=left.by_id,
        at=left.at,
        comment_ids=list(left.comment_ids),
    )
