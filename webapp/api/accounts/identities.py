"""The links of one's account to issuers."""

from datetime import datetime

from flask import Response
from pydantic import BaseModel, Field

from webapp.api.answers import answer, no_content, page_of
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, Blueprint
from webapp.api.edge import open_session, web_context
from webapp.api.fields import Id, PageQuery, Query
from webapp.kit.cursors import decode_cursor
from webapp.kit.permissions import Permission
from webapp.services.accounts import identity_links
from webapp.services.accounts.identity_links import IdentityLine

blueprint = Blueprint("identities", title="Links to issuers")


class IdentityAnswer(BaseModel):
    """One link: who signs in at this issuer as oneself is let in to the account."""

    id: int
    issuer: str = Field(description="The url by which the issuer is known.")
    name: str | None = Field(description="Its name here; null where the settings name it no more.")
    created_at: datetime
    last_used_at: datetime


class IdentityPage(BaseModel):
    """A page of links."""

    items: list[IdentityAnswer]
    next: str | None


class IdentityPath(Query):
    """Which link."""

    identity_id: Id


@blueprint.get(
    "/auth/identities", responses={200: IdentityPage, **ACCOUNT_PROBLEMS}, security=BEARER
)
@requires(Permission.CREDENTIAL_MANAGE)
def list_identities(query: PageQuery) -> Response:
    """List the links of one's account, oldest first."""
    after_id = 0
    if query.cursor is not None:
        (after_id,) = decode_cursor(query.cursor, int)  # type: ignore[assignment]
    names = {known.issuer.url: name for name, known in web_context().issuers.items()}
    rows = identity_links.list_links(
        open_session(), current_actor().user_id, after_id=after_id, limit=query.limit + 1
    )

    def shape(line: IdentityLine) -> IdentityAnswer:
        return IdentityAnswer(
            id=line.id,
            issuer=line.issuer,
            name=names.get(line.issuer),
            created_at=line.created_at,
            last_used_at=line.last_used_at,
        )

    return answer(IdentityPage(**page_of(rows, query.limit, shape, lambda row: (row.id,))))


@blueprint.delete(
    "/auth/identities/<int:identity_id>",
    responses={204: None, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CREDENTIAL_MANAGE)
def unlink(path: IdentityPath) -> Response:
    """End a link, and all other sessions of the account.

    The only way into an account stays (409). Who signs in at the issuer afterwards is a stranger
    here; where the settings trust it with addresses, their address links them anew.
    """
    actor = current_actor()
    identity_links.unlink(
        open_session(),
        actor.user_id,
        path.identity_id,
        but_session=actor.session_id,
        password_sign_in=web_context().settings.password_sign_in,
    )
    return no_content()
