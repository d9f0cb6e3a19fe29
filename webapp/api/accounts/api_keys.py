"""API keys: made, listed and revoked by their owner, who has signed in."""

from datetime import datetime
from typing import Annotated

from flask import Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from webapp.api.accounts.password_once_more import CurrentPassword, password_once_more
from webapp.api.answers import answer, no_content, page_of
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, Blueprint
from webapp.api.edge import keeps_no_answer, open_session, web_context
from webapp.api.fields import Id, Input, Number, PageQuery, Query
from webapp.kit.cursors import decode_cursor
from webapp.kit.permissions import Permission, Scope
from webapp.kit.visible_lines import check_line
from webapp.services.accounts import api_keys
from webapp.services.accounts.api_keys import ApiKeyLine
from webapp.services.errors import InvalidInputError

blueprint = Blueprint("keys", title="API keys")


class NewKey(Input):
    """What the key is for and what it may do, and the password of the account."""

    name: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(check_line)]
    scopes: Annotated[
        list[Annotated[Scope, Field(strict=False)]],
        Field(
            min_length=1,
            max_length=len(Scope),
            description="The key may do what one of its scopes and its owner's role allow.",
        ),
    ]
    expires_in_days: Annotated[
        Number, Field(ge=1, le=3650, description="At most IMPRINT_API_KEY_DAYS.")
    ]
    password: CurrentPassword


class KeyAnswer(BaseModel):
    """One key."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    prefix: str = Field(description="The first characters of the key, to know it again by.")
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = Field(description="To a minute; null where it never was.")


class NewKeyAnswer(KeyAnswer):
    """A new key; its text is shown here once and never again."""

    key: str = Field(description="Send it as `Authorization: Bearer …`.")


class KeyPage(BaseModel):
    """A page of keys."""

    items: list[KeyAnswer]
    next: str | None


class KeyPath(Query):
    """Which key."""

    key_id: Id


@blueprint.post(
    "/auth/api-keys", responses={201: NewKeyAnswer, **ACCOUNT_PROBLEMS}, security=BEARER
)
@requires(Permission.CREDENTIAL_MANAGE)
@keeps_no_answer
def create(body: NewKey) -> Response:
    """Make a key for a machine or an agent, with the password of the account once more.

    A key makes no key. An account has at most IMPRINT_QUOTA_API_KEYS live ones (409), each with a
    name of its own (409). They end with the password, and with the account. Wrong passwords have
    to wait, as with a login.
    """
    settings = web_context().settings
    if body.expires_in_days > settings.api_key_days:
        raise InvalidInputError("expires_in_days", f"is {settings.api_key_days} at most")
    login = password_once_more(body.password)
    made = api_keys.create(
        open_session(),
        current_actor(),
        login,
        name=body.name,
        scopes=body.scopes,
        days=body.expires_in_days,
        most=settings.quota_api_keys,
    )
    shown = _shape(made.line).model_dump()
    return answer(NewKeyAnswer(**shown, key=made.key), 201)


@blueprint.get("/auth/api-keys", responses={200: KeyPage, **ACCOUNT_PROBLEMS}, security=BEARER)
@requires(Permission.CREDENTIAL_MANAGE)
def list_keys(query: PageQuery) -> Response:
    """List one's live keys, oldest first."""
    after_id = 0
    if query.cursor is not None:
        (after_id,) = decode_cursor(query.cursor, int)  # type: ignore[assignment]
    rows = api_keys.list_keys(
        open_session(), current_actor().user_id, after_id=after_id, limit=query.limit + 1
    )
    return answer(KeyPage(**page_of(rows, query.limit, _shape, lambda row: (row.id,))))


@blueprint.delete(
    "/auth/api-keys/<int:key_id>", responses={204: None, **ACCOUNT_PROBLEMS}, security=BEARER
)
@requires(Permission.CREDENTIAL_MANAGE)
def revoke(path: KeyPath) -> Response:
    """End one of one's keys, at once."""
    api_keys.revoke(open_session(), current_actor(), path.key_id)
    return no_content()


def _shape(line: ApiKeyLine) -> KeyAnswer:
    return KeyAnswer.model_validate(line)
