"""The password once more: what somebody who has signed in gives before what outlives a session."""

from typing import Annotated

from pydantic import AfterValidator, Field

from webapp.api.auth import current_actor
from webapp.api.clients import client_network
from webapp.api.edge import open_session, web_context
from webapp.kit.json_values import check_text
from webapp.kit.passwords import MAXIMUM_TYPED
from webapp.services.accounts import sessions, sign_in_throttles
from webapp.services.accounts.sessions import Login

CurrentPassword = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAXIMUM_TYPED,
        description="The password of the account. Wrong ones have to wait, ever longer.",
    ),
    AfterValidator(check_text),
]


def password_once_more(password: str) -> Login:
    """Check the password of who calls, whose session has a brake of its own for guesses.

    Wrong tries are counted whatever becomes of the request, and a right one is forgiven so too:
    each is a transaction of its own, which ends here. So the account may change behind this, and
    the service asks `sessions.require_unchanged` under its lock. Raises WrongCredentialsError and
    TooManyTriesError.
    """
    session, settings, actor = open_session(), web_context().settings, current_actor()
    if not settings.rate_limits:
        return sessions.check_again(session, actor.user_id, password)
    attempt = sign_in_throttles.begin_again(
        session, settings.require_secret_key(), actor.session_id or 0, client_network()
    )
    session.commit()
    login = sessions.check_again(session, actor.user_id, password)
    sign_in_throttles.succeed(session, attempt, login.user_id)
    session.commit()
    return login
