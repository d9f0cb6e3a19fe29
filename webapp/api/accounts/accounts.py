"""Accounts: register, look at oneself, and the managers' list of users and roles."""

from datetime import datetime
from typing import Annotated, Any

from flask import Response
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, EmailStr, Field

from webapp.api.answers import answer, as_seen, page_of, tagged
from webapp.api.auth import current_account, current_actor, public, requires
from webapp.api.blueprint import (
    ACCOUNT_PROBLEMS,
    BEARER,
    IF_MATCH_PROBLEMS,
    NOT_MODIFIED,
    Blueprint,
    Responses,
)
from webapp.api.edge import open_session, web_context
from webapp.api.fields import Id, IfMatch, Input, Name, PageQuery, Query, ShortText
from webapp.api.password_door import of_passwords
from webapp.kit.addresses import mailable_address
from webapp.kit.cursors import decode_cursor
from webapp.kit.json_values import check_text
from webapp.kit.logins import one_form
from webapp.kit.passwords import MAXIMUM_LENGTH, MAXIMUM_TYPED, MINIMUM_LENGTH, check_length
from webapp.kit.permissions import Permission
from webapp.kit.roles import RoleName
from webapp.services.accounts import accounts, verifications
from webapp.services.accounts.actors import Account

blueprint = Blueprint("accounts", title="Accounts")

READ_PROBLEMS: Responses = {**NOT_MODIFIED, **ACCOUNT_PROBLEMS}
CHANGE_PROBLEMS: Responses = {**ACCOUNT_PROBLEMS, **IF_MATCH_PROBLEMS}


def _plain_login(value: Any) -> Any:  # noqa: ANN401
    return one_form(value) if isinstance(value, str) else value


Login = Annotated[
    str,
    BeforeValidator(_plain_login),
    Field(min_length=2, max_length=50, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$"),
]
Password = Annotated[
    str,
    # The length of the one form that is kept counts, so the document tells it and this does not.
    Field(
        max_length=MAXIMUM_TYPED,
        json_schema_extra={"minLength": MINIMUM_LENGTH, "maxLength": MAXIMUM_LENGTH},
        description="Of any characters. One that a million tries would find is refused: a common "
        "one, a pattern, or one made of the login, the address or the name of the site.",
    ),
    AfterValidator(check_text),
    AfterValidator(check_length),
]


def _address_alone(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, str) and ("<" in value or value != value.strip()):
        raise ValueError("must be an address alone, without a name or space around it")
    return value


EmailAddress = Annotated[
    EmailStr,
    BeforeValidator(_address_alone),
    Field(max_length=254, description="ASCII before the @-sign; the domain is kept as IDNA."),
    AfterValidator(mailable_address),
]


class NewAccount(Input):
    """What a person gives to register."""

    login: Login
    email: EmailAddress
    password: Password
    display_name: Name | None = Field(None, description="Shown to others; the login if left out.")


class ProfileChanges(Input):
    """What an account may change of itself; a field that is left out stays."""

    display_name: Name | None = None
    bio: ShortText | None = None


class AccountAnswer(BaseModel):
    """An account as its owner and the managers see it."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    login: str
    email: str
    display_name: str
    bio: str
    role: RoleName
    created_at: datetime
    email_verified: bool = Field(description="Whether the address was shown to be theirs.")


class AccountPage(BaseModel):
    """A page of accounts."""

    items: list[AccountAnswer]
    next: str | None


class UserPath(Query):
    """Which user."""

    user_id: Id


class RoleChange(Input):
    """The role to hold from now on."""

    role: Annotated[RoleName, Field(strict=False)]


@blueprint.post("/accounts", responses={201: AccountAnswer}, security=[])
@public
@of_passwords
def register(body: NewAccount) -> Response:
    """Make an account with the role that the settings give to new ones.

    A mail goes to the address, whose link proves that it is the account's. The answer is the same
    for an address that another account has; then the mail says so. A login is public, and a taken
    one is refused.
    """
    settings = web_context().settings
    session = open_session()
    account = accounts.register(
        session,
        login=body.login,
        email=body.email,
        password=body.password,
        display_name=body.display_name or body.login,
        role=settings.new_account_role,
        site_words=settings.site_words,
    )
    verifications.begin(session, account.id, account.email)
    return answer(_shape(account), 201, location="/api/v1/accounts/me")


@blueprint.get("/accounts/me", responses={200: AccountAnswer, **READ_PROBLEMS}, security=BEARER)
@requires(Permission.ACCOUNT_READ, wants_account=True)
def show_me() -> Response:
    """Show the account that the token belongs to; its ETag is what a change wants in If-Match."""
    return tagged(_shape(current_account()))


@blueprint.patch("/accounts/me", responses={200: AccountAnswer, **CHANGE_PROBLEMS}, security=BEARER)
@requires(Permission.ACCOUNT_EDIT)
def change_me(header: IfMatch, body: ProfileChanges) -> Response:
    """Change what the account shows of itself."""
    account = accounts.change_profile(
        open_session(), current_actor().user_id, as_seen(header, _shape),
        display_name=body.display_name, bio=body.bio,
    )  # fmt: skip
    return tagged(_shape(account))


@blueprint.get("/users", responses={200: AccountPage, **ACCOUNT_PROBLEMS}, security=BEARER)
@requires(Permission.USER_LIST)
def list_users(query: PageQuery) -> Response:
    """List all accounts in the order of their ids."""
    after_id = 0
    if query.cursor is not None:
        (after_id,) = decode_cursor(query.cursor, int)  # type: ignore[assignment]
    rows = accounts.list_accounts(open_session(), after_id=after_id, limit=query.limit + 1)
    return answer(AccountPage(**page_of(rows, query.limit, _shape, lambda row: (row.id,))))


@blueprint.get(
    "/users/<int:user_id>", responses={200: AccountAnswer, **READ_PROBLEMS}, security=BEARER
)
@requires(Permission.USER_LIST)
def show_user(path: UserPath) -> Response:
    """Show one account; its ETag is what a change of its role wants in If-Match."""
    return tagged(_shape(accounts.get_account(open_session(), path.user_id)))


@blueprint.put(
    "/users/<int:user_id>/role", responses={200: AccountAnswer, **CHANGE_PROBLEMS}, security=BEARER
)
@requires(Permission.USER_SET_ROLE)
def set_role(path: UserPath, header: IfMatch, body: RoleChange) -> Response:
    """Give an account another role, up to one's own."""
    account = accounts.set_role(
        open_session(), current_actor(), path.user_id, as_seen(header, _shape), body.role
    )
    return tagged(_shape(account))


def _shape(account: Account) -> AccountAnswer:
    return AccountAnswer.model_validate(account)
