"""Sign-ins through an issuer that are under way: begun by a client, and brought back by it once."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Float, cast, func, insert, update
from sqlalchemy.orm import Session

from webapp.jobs.leases import seconds_from_now
from webapp.kit.tokens import hash_token, keyed_digest, new_token
from webapp.models import IssuerSignIn
from webapp.services.errors import AuthenticationError

# As long as a person may take at the issuer's page, with a second factor to look for.
SIGN_IN_SECONDS = 600.0
WRONG_SIGN_IN = "This sign-in is unknown, used or expired; begin anew."


@dataclass(frozen=True)
class Secrets:
    """What goes to the issuer so that its answer can be told from any other.

    Both are made of the handle and of the secret key, so no row holds them, and neither the client
    nor who reads the database can make them alone.
    """

    nonce: str = field(repr=False)
    # 64 hexadecimal digits, of the 43 to 128 characters that RFC 7636, 4.1 wants.
    code_verifier: str = field(repr=False)


@dataclass(frozen=True)
class BegunSignIn:
    """A new sign-in, with the only copies of its state and its handle."""

    state: str = field(repr=False)
    handle: str = field(repr=False)
    secrets: Secrets
    expires_at: datetime


@dataclass(frozen=True)
class ReturnedSignIn:
    """A sign-in that its client has brought back, and the second (since 1970) of that moment."""

    return_url: str
    secrets: Secrets
    now: int


def begin(session: Session, issuer_name: str, return_url: str, secret_key: str) -> BegunSignIn:
    """Note a sign-in that is to come back to `return_url` within `SIGN_IN_SECONDS`."""
    state, handle = new_token(), new_token()
    expires_at: datetime = session.execute(
        insert(IssuerSignIn)
        .values(
            issuer=issuer_name,
            state_hash=hash_token(state),
            handle_hash=hash_token(handle),
            return_url=return_url,
            expires_at=seconds_from_now(SIGN_IN_SECONDS),
        )
        .returning(IssuerSignIn.expires_at)
    ).scalar_one()
    return BegunSignIn(state, handle, _secrets_of(handle, secret_key), expires_at)


def bring_back(
    session: Session, issuer_name: str, *, state: str, handle: str, secret_key: str
) -> ReturnedSignIn:
    """Use a sign-in up, of several at once for one alone; commit before the issuer is asked.

    The state came with the browser and the handle is the client's own, so none can be made to
    finish what another began. Raises AuthenticationError with one message for every cause.
    """
    seconds = cast(func.extract("epoch", func.clock_timestamp()), Float)
    row = session.execute(
        update(IssuerSignIn)
        .where(
            IssuerSignIn.state_hash == hash_token(state),
            IssuerSignIn.handle_hash == hash_token(handle),
            IssuerSignIn.issuer == issuer_name,
            IssuerSignIn.used_at.is_(None),
            IssuerSignIn.expires_at > func.clock_timestamp(),
        )
        .values(used_at=func.clock_timestamp())
        .returning(IssuerSignIn.return_url, seconds.label("now"))
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if row is None:
        raise AuthenticationError(WRONG_SIGN_IN)
    return ReturnedSignIn(row.return_url, _secrets_of(handle, secret_key), int(row.now))


def _secrets_of(handle: str, secret_key: str) -> Secrets:
    key = secret_key.encode()
    return Secrets(
        nonce=keyed_digest(key, "issuer_nonce", handle),
        code_verifier=keyed_digest(key, "issuer_code_verifier", handle),
    )
