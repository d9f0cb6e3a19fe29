"""The activity log: who did what to what, for managers; and what happened to one's own account."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from webapp.api.answers import answer, page_of
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, Blueprint
from webapp.api.edge import open_session
from webapp.api.fields import Id, Moment, Omittable, PageQuery
from webapp.kit.cursors import decode_cursor
from webapp.kit.permissions import Permission
from webapp.services.operations import activity_lines
from webapp.services.operations.activity_lines import ActivityLine, Wanted

blueprint = Blueprint("activity", title="Activity")

Word = Annotated[str, Field(max_length=200, pattern=r"^[\x21-\x7e]+$")]


class ActivityQuery(PageQuery):
    """Which lines: those to which all that is given applies."""

    actor_id: Annotated[Omittable[Id], Field(description="Who did it.")] = None
    action: Annotated[
        Omittable[str],
        Field(
            max_length=100,
            pattern=r"^[a-z_]+(\.[a-z_]+)*\.?$",
            description="A whole action, such as content.publish, or all of a noun: content.",
        ),
    ] = None
    subject_kind: Annotated[
        Omittable[str],
        Field(max_length=100, pattern=r"^[a-z_]+$", description="What it was done to."),
    ] = None
    subject_id: Annotated[Omittable[Id], Field(description="Which one of them.")] = None
    session_id: Annotated[Omittable[Id], Field(description="By which login session.")] = None
    api_key_id: Annotated[Omittable[Id], Field(description="By which API key.")] = None
    agent_session: Annotated[
        Omittable[Word], Field(description="In which session of an agent.")
    ] = None
    address: Annotated[Omittable[Word], Field(description="From which client's address.")] = None
    since: Omittable[Moment] = Field(None, alias="from", description="From this moment on.")
    until: Omittable[Moment] = Field(None, alias="to", description="Before this moment.")


class ActivityActor(BaseModel):
    """Who did it. `login` is null where the account is gone."""

    id: int
    login: str | None


class ActivitySubject(BaseModel):
    """What it was done to."""

    kind: str
    id: int | None


class ActivityAnswer(BaseModel):
    """One line. What a draft says is told by its length; a line that was erased has lost more."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    created_at: datetime
    actor: ActivityActor | None = Field(description="Null where nobody was logged in.")
    action: str
    subject: ActivitySubject
    changes: dict[str, Any] = Field(description="By field, the old value and the new one.")
    details: dict[str, Any]
    address: str | None
    user_agent: str | None
    session_id: int | None
    api_key_id: int | None
    agent_session: str | None
    request_id: str | None
    erased_at: datetime | None


class ActivityPage(BaseModel):
    """A page of lines, newest first."""

    items: list[ActivityAnswer]
    next: str | None


@blueprint.get("/activity", responses={200: ActivityPage, **ACCOUNT_PROBLEMS}, security=BEARER)
@requires(Permission.ACTIVITY_READ)
def list_activity(query: ActivityQuery) -> Response:
    """Look up who did what to what, newest first."""
    asked = query.model_dump(exclude={"limit", "cursor"})
    return _page(Wanted(**asked), query)


@blueprint.get(
    "/accounts/me/activity", responses={200: ActivityPage, **ACCOUNT_PROBLEMS}, security=BEARER
)
@requires(Permission.ACCOUNT_READ_ACTIVITY)
def list_my_activity(query: PageQuery) -> Response:
    """Look up what happened to one's own account, newest first: logins and failed ones among it."""
    me = current_actor().user_id
    return _page(Wanted(subject_kind="user", subject_id=me), query, me)


def _page(wanted: Wanted, query: PageQuery, me: int | None = None) -> Response:
    before: Any = None if query.cursor is None else decode_cursor(query.cursor, datetime, int)
    rows = activity_lines.list_lines(open_session(), wanted, before=before, limit=query.limit + 1)
    if me is not None:
        rows = [_without_others(line, me) for line in rows]
    page = page_of(rows, query.limit, _shape, lambda row: (row.created_at, row.id))
    return answer(ActivityPage(**page))


def _without_others(line: ActivityLine, me: int) -> ActivityLine:
    """Take out from where another account came; where it was no account, one wants to see it."""
    if line.actor_id in {None, me}:
        return line
    return replace(
        line, address=None, user_agent=None, session_id=None, api_key_id=None, agent_session=None
    )


def _shape(line: ActivityLine) -> ActivityAnswer:
    known = line.actor_id is not None
    return ActivityAnswer(
        actor=ActivityActor(id=line.actor_id, login=line.actor_login) if known else None,
        subject=ActivitySubject(kind=line.subject_kind, id=line.subject_id),
        **{
            name: getattr(line, name)
            for name in ActivityAnswer.model_fields
            if name not in {"actor", "subject"}
        },
    )
