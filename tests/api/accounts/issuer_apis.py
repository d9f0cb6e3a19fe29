"""An API whose settings name issuers, for a block of a test."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask.testing import FlaskClient

from webapp.app import create_app
from webapp.settings import Settings


@contextmanager
def api_with(settings: Settings, *issuers: dict[str, Any], **other: Any) -> Iterator[FlaskClient]:
    """Assemble the API with these issuers."""
    named = Settings.model_validate(
        {**settings.model_dump(), "oidc_issuers": json.dumps(issuers), **other}
    )
    app = create_app(named)
    yield app.test_client()
    assert app.context is not None
    app.context.readers.close()
    app.context.engine.dispose()


def me(client: FlaskClient, answer: Any) -> Any:
    """Return the account that a token is for."""
    assert answer.status_code == 200, answer.get_data(as_text=True)
    headers = {"Authorization": f"Bearer {answer.get_json()['access_token']}"}
    return client.get("/api/v1/accounts/me", headers=headers).get_json()
