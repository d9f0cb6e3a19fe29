"""The door of passwords and passkeys, which a site may close where issuers sign everybody in."""

from collections.abc import Callable
from typing import Any, TypeVar

from webapp.services.errors import ForbiddenError
from webapp.settings import Settings

View = TypeVar("View", bound=Callable[..., Any])

OF_PASSWORDS = "is_of_passwords"
CLOSED = (
    "Passwords and passkeys open nothing here: sign in through one of the issuers of "
    "GET /api/v1/auth/issuers."
)


def of_passwords(view: View) -> View:
    """Mark a view that lets somebody in by a password or passkey, or gives somebody a password."""
    setattr(view, OF_PASSWORDS, True)
    return view


def require_open_door(view: Any, settings: Settings) -> None:  # noqa: ANN401 - any view, or None
    """Raise ForbiddenError for a view of passwords while the settings keep that door closed."""
    if getattr(view, OF_PASSWORDS, False) and not settings.password_sign_in:
        raise ForbiddenError(CLOSED)
