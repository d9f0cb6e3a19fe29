"""How often one address may knock at the doors that cost an Argon2 hash or send a mail.

What is left is told by the headers of draft-ietf-httpapi-ratelimit-headers-10.
"""

import math
import time
from dataclasses import dataclass
from typing import cast

from flask import Flask, Response, request
from flask.typing import RouteCallable
from flask_limiter import Limiter, RequestLimit
from redis.exceptions import RedisError

from webapp.api.clients import client_network
from webapp.api.problems import problem
from webapp.settings import Settings

LIMITS = {
    "auth.log_in": "30 per minute",
    "keys.create": "10 per minute",
    "passwords.change_password": "10 per minute",
    "addresses.change_address": "10 per minute",
    "factors.finish_sign_in": "30 per minute",
    "factors.ask_passkey": "30 per minute",
    "passkeys.ask_anybody": "30 per minute",
    "passkeys.sign_in": "30 per minute",
    "passkeys.ask_own": "30 per minute",
    "passkeys.begin": "10 per minute",
    "passkeys.remove": "10 per minute",
    "factors.begin_totp": "10 per minute",
    "factors.confirm_totp": "20 per minute",
    "factors.remove_totp": "10 per minute",
    "factors.renew_recovery_codes": "10 per minute",
    "deletions.ask": "10 per minute",
    "export": "60 per minute",
    "accounts.register": "20 per minute",
    "auth.request_password_reset": "10 per minute",
    "auth.confirm_password_reset": "20 per minute",
    "reset_password": "20 per minute",
    "issuers.begin_sign_in": "30 per minute",
    "issuers.finish_sign_in": "30 per minute",
    "verifications.verify_email": "60 per minute",
    "verify_email": "60 per minute",
    "freeze_account": "60 per minute",
    "guests.make": "20 per minute",
    "review_page": "60 per minute",
    "review": "60 per minute",
}


@dataclass(frozen=True)
class _Left:
    """How many requests an address may still make, and in how many seconds it gets them all."""

    requests: int
    seconds: int


def _left_of(limit: RequestLimit) -> _Left:
    """Return what is left; where Redis has gone away since it counted, nothing for a window."""
    try:
        seconds = max(1, math.ceil(limit.reset_at - time.time()))
        return _Left(limit.remaining, seconds)
    except RedisError:
        return _Left(0, limit.limit.get_expiry())


def _refuse(limit: RequestLimit) -> Response:
    seconds = _left_of(limit).seconds
    headers = {"Retry-After": str(seconds)}
    return problem(429, f"Too many tries; try again in {seconds} seconds.", headers=headers)


def _tell(response: Response, endpoint: str, limit: RequestLimit) -> None:
    name, left = endpoint.rpartition(".")[2], _left_of(limit)
    policy = f'"{name}";q={limit.limit.amount};w={limit.limit.get_expiry()}'
    response.headers["RateLimit-Policy"] = policy
    response.headers["RateLimit"] = f'"{name}";r={left.requests};t={left.seconds}'


def install_rate_limits(app: Flask, settings: Settings) -> None:
    """Limit the costly views; counted in Redis, or in this process while Redis is away."""
    if not settings.rate_limits:
        return
    limiter = Limiter(
        client_network,
        app=app,
        storage_uri=settings.redis_url,
        storage_options={"socket_connect_timeout": 1, "socket_timeout": 1},
        in_memory_fallback_enabled=True,
        on_breach=_refuse,
        key_prefix="imprint",
    )
    for endpoint, limit in LIMITS.items():
        view = app.view_functions[endpoint]
        app.view_functions[endpoint] = cast(RouteCallable, limiter.limit(limit)(view))

    @app.after_request
    def tell(response: Response) -> Response:
        for limit in limiter.current_limits:
            _tell(response, request.endpoint or "", limit)
        return response

    # The decorated views refer to the limiter weakly, so the application has to hold it.
    app.extensions["imprint_limiter"] = limiter
