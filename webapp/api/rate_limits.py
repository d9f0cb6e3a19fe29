"""How often one address may knock at the doors that cost an Argon2 hash or send a mail."""

from typing import cast

from flask import Flask
from flask.typing import RouteCallable
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from webapp.settings import Settings

LIMITS = {
    "auth.log_in": "30 per minute",
    "accounts.register": "20 per minute",
    "auth.request_password_reset": "10 per minute",
    "auth.confirm_password_reset": "20 per minute",
}


def install_rate_limits(app: Flask, settings: Settings) -> None:
    """Limit the costly views; counted in Redis, or in this process while Redis is away."""
    if not settings.rate_limits:
        return
    limiter = Limiter(
        get_remote_address,
        app=app,
        storage_uri=settings.redis_url,
        storage_options={"socket_connect_timeout": 1, "socket_timeout": 1},
        in_memory_fallback_enabled=True,
        headers_enabled=True,
        key_prefix="imprint",
    )
    for endpoint, limit in LIMITS.items():
        view = app.view_functions[endpoint]
        app.view_functions[endpoint] = cast(RouteCallable, limiter.limit(limit)(view))
    # The decorated views refer to the limiter weakly, so the application has to hold it.
    app.extensions["imprint_limiter"] = limiter
